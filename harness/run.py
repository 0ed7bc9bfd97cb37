"""The one function that joins the flow: scenarios and a target in, a RunResult and its folder of files out.

scenario files → plans → [race | steer] × target → checkers → verdicts → run.json and the reports
"""

import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from harness import __version__
from harness.history import HISTORY, RUN, Journal, JournalHeader, new_folder, write_plan
from harness.model.errors import MailraceError, TargetError
from harness.model.operation import EDITS, DeleteAll
from harness.model.result import SCHEMA_VERSION, RunResult, ScenarioResult, Verdict
from harness.model.target import Target, TargetInfo, VersionSource
from harness.race import ChosenControl, RaceOptions, Side, choose_control, race
from harness.report import render, to_json
from harness.scenario import Plan, Scenario, applies, new_run, server_options
from harness.targets import open_target, parse_target
from harness.targets.external import ExternalTarget
from harness.verdict import gravest

OpenTarget = Callable[..., Target]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run is asked for. `rounds`, `profile`: None takes the scenario's own."""

    target: str
    seed: int
    mode: Literal["race", "steer"] = "race"
    rounds: int | None = None
    profile: Literal["rate", "throughput"] | None = None
    until: Literal["rounds", "hit", "decided"] = "rounds"
    trial: Literal["warm", "cold"] = "warm"
    confidence: float = 0.99
    theta: float = 1 / 3
    time_limit_s: float | None = None
    gomaxprocs: int | None = None
    allow_deletions: bool = False
    cleanup: bool = False
    control: bool = True
    recorded: tuple[tuple[float, ...], int] | None = None
    command: str = ""
    reports: Path = Path("reports")
    out: Path | None = None
    formats: tuple[str, ...] = ("html", "md", "junit", "json")


class Listener(Protocol):
    """Who is told how a run goes on."""

    def began(self, scenario: Scenario, target: TargetInfo, control: ChosenControl | None) -> None:
        """A scenario begins."""

    def progressed(self, done: int, rounds: int, hits: int, control_hits: int) -> None:
        """A block of rounds was judged."""

    def ended(self, result: ScenarioResult) -> None:
        """A scenario has its verdict."""


@dataclass(slots=True)
class Run:
    """A run's result and the folder that holds its files."""

    result: RunResult
    folder: Path
    files: tuple[Path, ...] = field(default=())


def run(scenarios: Sequence[Scenario], options: RunOptions, listener: Listener | None = None) -> Run:
    """Race the scenarios at the target, one after the other, each on a server of its own.

    A target that fails in one scenario gives that one the verdict FAILED, and the next is tried. On
    KeyboardInterrupt all servers are ended, and the folder holds what there was.
    """
    target = parse_target(options.target).text
    what = scenarios[0].name if len(scenarios) == 1 else f"{len(scenarios)}-scenarios"
    folder = new_folder(options.reports, f"{what}-{target}", out=options.out)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    token = new_run(f"{options.seed}-{os.getpid()}-{time.time_ns()}".encode())
    write_plan(folder, _plan(scenarios, options, target, token, started))
    deadline = None if options.time_limit_s is None else time.monotonic() + options.time_limit_s
    info = _unknown(target)
    results: list[ScenarioResult] = []
    journal = Journal(folder / HISTORY)
    try:
        for number, scenario in enumerate(scenarios):
            one = _One(
                scenario, replace(options, target=target), f"{token[:-3]}{number % 100:02d}", folder, journal
            )
            info, found = one.race(info, deadline, listener)
            results.append(found)
            if listener is not None:
                listener.ended(found)
    finally:
        journal.close()
    result = RunResult(
        mailrace=__version__,
        schema_version=SCHEMA_VERSION,
        verdict=gravest(r.verdict for r in results),
        target=info,
        seed=options.seed,
        run=token,
        command=options.command,
        started=started,
        environment=environment(),
        scenarios=tuple(results),
    )
    (folder / RUN).write_text(to_json(result), encoding="utf-8")
    return Run(result, folder, render(result, folder, options.formats))


def environment() -> dict[str, str]:
    """What a reader must know of the machine: no name, no user, no path."""
    load = " ".join(f"{x:.2f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": str(os.cpu_count() or 0),
        "load": load,
    }


@dataclass(slots=True)
class _One:
    """One scenario of a run."""

    scenario: Scenario
    options: RunOptions
    token: str
    folder: Path
    journal: Journal

    def race(
        self, info: TargetInfo, deadline: float | None, listener: Listener | None
    ) -> tuple[TargetInfo, ScenarioResult]:
        """Start target and control, race, stop both; what the target is, and the result."""
        scenario, options = self.scenario, self.options
        with ExitStack() as stack:
            try:
                target = self._open(stack, options.target, scenario, self.folder)
                info = target.info
                reason = self._why_not_exercised(target)
                if reason:
                    verdict = Verdict.NOT_APPLICABLE if "needs" in reason else Verdict.INCONCLUSIVE
                    return info, self._without(verdict, reason)
                chosen, missing = self._control()
                control = None
                if chosen is not None:
                    under = self.folder / "control"
                    under.mkdir(exist_ok=True)
                    control = self._side(
                        "control",
                        self._open(stack, chosen.target, chosen.scenario, under),
                        chosen.scenario,
                        "c",
                    )
                if listener is not None:
                    listener.began(scenario, info, chosen)
                self.journal.header(
                    JournalHeader(
                        mailrace=__version__,
                        scenario=scenario.name,
                        target=info.name,
                        control=f"{chosen.target} ({chosen.scenario.name})" if chosen else "",
                        seed=options.seed,
                        run=self.token,
                        mode="race",
                    )
                )
                side = self._side("target", target, scenario, "t")
                stack.callback(side.lane.close)
                if control is not None:
                    stack.callback(control.lane.close)
                how = self._race_options(deadline, listener)
                result = race(side, control, chosen.kind if chosen else 0, how)
                if options.cleanup and isinstance(target, ExternalTarget):
                    target.cleanup(side.lane.plan.domain)
                return info, replace(result, not_looked=(*result.not_looked, *missing, *info.limits))
            except TargetError as wrong:
                return info, self._without(Verdict.FAILED, str(wrong))

    def _open(self, stack: ExitStack, name: str, scenario: Scenario, folder: Path) -> Target:
        target = open_target(
            name, server_options(scenario), gomaxprocs=self.options.gomaxprocs, folder=folder
        )
        stack.callback(target.stop)
        target.start()
        return target

    def _side(self, name: str, target: Target, scenario: Scenario, letter: str) -> Side:
        plan = Plan(scenario, self.options.seed, self.token + letter)
        return Side(name, plan, target, self.journal, self._race_options(None, None))

    def _race_options(self, deadline: float | None, listener: Listener | None) -> RaceOptions:
        options, scenario = self.options, self.scenario
        folder = os.path.relpath(self.folder)
        replay = f"mailrace replay {folder} --scenario {scenario.name}"
        return RaceOptions(
            rounds=options.rounds or scenario.rounds,
            profile=options.profile or scenario.release.profile,
            seed=options.seed,
            until=options.until,
            trial=options.trial,
            confidence=options.confidence,
            theta=options.theta,
            time_limit=deadline,
            replay=replay,
            recorded=options.recorded,
            progress=listener.progressed if listener is not None else None,
        )

    def _control(self) -> tuple[ChosenControl | None, tuple[str, ...]]:
        if not self.options.control:
            return None, ("no control was run, as asked",)
        return choose_control(self.scenario, self.options.target)

    def _why_not_exercised(self, target: Target) -> str:
        """Why this scenario must not, or cannot, run on this target; "" if it may."""
        scenario = self.scenario
        if not applies(scenario.needs, target.info.version):
            return f"it needs Mailpit {scenario.needs}, and this is {target.info.version}"
        if target.is_ours:
            return ""
        operations = Plan(scenario, 0, "mr00000000").round(0).operations
        if any(isinstance(o, DeleteAll) for o in operations):
            return "it deletes everything, which is never done on a server that is not ours"
        if any(isinstance(o, EDITS) for o in operations) and not self.options.allow_deletions:
            return "it deletes messages or edits tags on a server that is not ours: give --allow-deletions"
        if scenario.target != type(scenario.target)():
            return "it asks for server options that a server which is not ours may not have"
        return ""

    def _without(self, verdict: Verdict, reason: str) -> ScenarioResult:
        """The result of a scenario that was not raced."""
        return ScenarioResult(
            name=self.scenario.name,
            title=self.scenario.title,
            file=str(self.scenario.file or ""),
            mode="race",
            verdict=verdict,
            reason=reason if reason.endswith(".") else reason + ".",
            not_looked=(reason,),
        )


def _plan(
    scenarios: Sequence[Scenario], options: RunOptions, target: str, token: str, started: str
) -> dict[str, Any]:
    return {
        "mailrace": __version__,
        "command": options.command,
        "started": started,
        "target": target,
        "seed": options.seed,
        "run": token,
        "rounds": options.rounds,
        "profile": options.profile,
        "until": options.until,
        "trial": options.trial,
        "confidence": options.confidence,
        "theta": options.theta,
        "scenarios": [{"file": str(s.file or ""), **s.model_dump(mode="json", exclude_none=True)} for s in scenarios],
    }


def _unknown(name: str) -> TargetInfo:
    return TargetInfo(
        name=name, version="unknown", version_source=VersionSource.UNKNOWN, storage="unknown", settings={}
    )


__all__ = ["Listener", "MailraceError", "Run", "RunOptions", "environment", "run"]
