"""The one function that joins the flow: scenarios and a target in, a RunResult and its folder of files out.

scenario files → plans → [race | steer] × target → checkers → verdicts → run.json and the reports
"""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from mailrace import __version__
from mailrace.history import HISTORY, Journal, make_latest, new_folder, write_plan
from mailrace.model.errors import Interrupted, TargetError
from mailrace.model.result import SCHEMA_VERSION, RunResult, ScenarioResult, Verdict
from mailrace.model.target import TargetInfo, VersionSource
from mailrace.race import ChosenControl, Place, RaceOptions, not_raced, race_on
from mailrace.report import render
from mailrace.scenario import Scenario, new_run, server_options
from mailrace.steer import shared_store, steer
from mailrace.targets import open_target, parse_target
from mailrace.verdict import gravest

DOOR = "http://127.0.0.1:0"
"""What a target is told of its storage when steer will give it a door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run is asked for.

    rounds, profile       None takes the scenario's own
    budget                steer: at most so many orders
    bound                 steer: only orders with at most so many context switches beyond the necessary ones
    depth                 steer: of the random walk where actors are too many for every order
    require_exhaustive    steer: clean within its budget only is INCONCLUSIVE
    is_one_enough         steer: of each anomaly one class is realised
    confirm_rounds        steer: what it finds is raced natively up to so many rounds; 0: it is not
    recorded              offsets (µs) and decoys of a recorded round, for each round
    """

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
    budget: int | None = None
    bound: int | None = None
    depth: int = 3
    require_exhaustive: bool = False
    confirm_rounds: int = 0
    is_one_enough: bool = False
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

    def said(self, sentence: str) -> None:
        """Steer tells what it does."""

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
    KeyboardInterrupt all servers are ended, and the folder holds what there was. `reports/latest` becomes
    this run's once a server of it has started; one that could not look at anything leaves it alone.
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
            place = Place(
                target=target,
                folder=folder,
                token=f"{token[:-3]}{number % 100:02d}",
                journal=journal,
                gomaxprocs=options.gomaxprocs,
                with_control=options.control,
                allow_deletions=options.allow_deletions,
                cleanup=options.cleanup,
                is_rounds_asked=options.rounds is not None,
            )
            look = _steered if options.mode == "steer" else _raced
            seen, found = look(scenario, place, options, deadline, listener)
            info = seen or info
            results.append(found)
            if found.verdict is not Verdict.FAILED:
                make_latest(folder)
            if options.confirm_rounds and found.mode == "steer" and found.verdict is Verdict.RACE:
                results.append(_confirmed(scenario, place, options, deadline))
            if listener is not None:
                listener.ended(found)
    except KeyboardInterrupt as end:
        raise Interrupted(folder) from end
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
    formats = options.formats if "json" in options.formats else ("json", *options.formats)
    return Run(result, folder, render(result, folder, formats))


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


def _raced(
    scenario: Scenario, place: Place, options: RunOptions, deadline: float | None, listener: Listener | None
) -> tuple[TargetInfo | None, ScenarioResult]:
    how = RaceOptions(
        rounds=options.rounds or scenario.rounds,
        profile=options.profile or scenario.release.profile,
        seed=options.seed,
        until=options.until,
        trial=options.trial,
        confidence=options.confidence,
        theta=options.theta,
        time_limit=deadline,
        replay=_replay(scenario, place),
        recorded=options.recorded,
        progress=listener.progressed if listener is not None else None,
    )

    def began(one: Scenario, target: TargetInfo, control: ChosenControl | None) -> None:
        make_latest(place.folder)
        if listener is not None:
            listener.began(one, target, control)

    if scenario.target.instances == 1:
        return race_on(scenario, place, how, began)
    with shared_store() as database:
        return race_on(scenario, replace(place, database=database), how, began)


def _steered(
    scenario: Scenario, place: Place, options: RunOptions, deadline: float | None, listener: Listener | None
) -> tuple[TargetInfo | None, ScenarioResult]:
    info = None
    try:
        info = open_target(place.target, server_options(scenario), database=DOOR).info
        if listener is not None:
            listener.began(scenario, info, None)
        if deadline is not None and time.monotonic() > deadline:
            why = "the time limit ended the run before this scenario"
            return info, not_raced(scenario, Verdict.INCONCLUSIVE, why, "steer")
        result = steer(
            scenario,
            place.target,
            seed=options.seed,
            budget=options.budget,
            bound=options.bound,
            depth=options.depth,
            require_exhaustive=options.require_exhaustive,
            replay=_replay(scenario, place),
            progress=listener.said if listener is not None else lambda _: None,
            folder=place.folder,
            gomaxprocs=options.gomaxprocs,
            is_one_enough=options.is_one_enough,
        )
        return info, result
    except TargetError as wrong:
        return info, not_raced(scenario, Verdict.FAILED, str(wrong), "steer")


def _confirmed(
    scenario: Scenario, place: Place, options: RunOptions, deadline: float | None
) -> ScenarioResult:
    """What steer found, looked for on the server's native storage until the first hit or the limit."""
    natively = replace(options, until="hit", rounds=options.confirm_rounds, control=False)
    _, found = _raced(scenario, replace(place, with_control=False), natively, deadline, None)
    return found


def _replay(scenario: Scenario, place: Place) -> str:
    return f"mailrace replay {os.path.relpath(place.folder)} --scenario {scenario.name}"


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
        "scenarios": [{"file": str(s.file or ""), **s.as_data()} for s in scenarios],
    }


def _unknown(name: str) -> TargetInfo:
    return TargetInfo(
        name=name, version="unknown", version_source=VersionSource.UNKNOWN, storage="unknown", settings={}
    )
