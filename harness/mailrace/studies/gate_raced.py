"""The native half of a gate: every scenario raced on both versions side by side, findings out.

Where neither version shows anything often enough to be the other's control, the new one is raced again with
the scenario's own controls: without one that fires, the answer is that it could not be looked at.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mailrace import __version__
from mailrace.history import HISTORY, RUN, Journal, write_plan
from mailrace.model.result import SCHEMA_VERSION, RunResult, ScenarioResult, Verdict
from mailrace.model.target import TargetInfo, VersionSource
from mailrace.race import not_raced
from mailrace.report import to_json
from mailrace.run import Listener, environment
from mailrace.run import run as run_scenarios
from mailrace.scenario import Scenario, new_run
from mailrace.studies.absence import races_of
from mailrace.studies.gate import Finding, compare
from mailrace.studies.gate_document import GateOptions
from mailrace.studies.paired import Paired, race_paired, seen_in_pairs
from mailrace.verdict import gravest

PATIENCE = 60
"""Pairs without anything seen after which the new version is raced with the scenario's own controls."""
Looked = tuple[RunResult, RunResult, tuple[Finding, ...]]
"""Both versions' results, old and new, and what the comparison found."""


def look_by_racing(
    scenarios: Sequence[Scenario],
    options: GateOptions,
    folder: Path,
    listener: Listener | None,
    tell: Callable[[str], None],
    started: str,
) -> Looked:
    """Race every scenario on both; writes history.jsonl, old/run.json and new/run.json into `folder`."""
    token = new_run(f"{options.run.seed}-{os.getpid()}-{time.time_ns()}".encode())
    limit = options.run.time_limit_s
    deadline = None if limit is None else time.monotonic() + limit
    findings: list[Finding] = []
    done: list[Paired] = []
    journal = Journal(folder / HISTORY)
    try:
        for number, scenario in enumerate(scenarios):
            tell(f"{scenario.name}: both versions side by side")
            one = _One(scenario, options, folder, f"{token[:-3]}{number % 100:02d}", journal, deadline)
            paired = one.look(listener)
            if listener is not None:
                listener.ended(paired.new)
            done.append(paired)
            findings += compare(
                paired.old,
                paired.new,
                seen_in_pairs(paired.pairs, paired.kind),
                confidence=options.run.confidence,
                theta=options.run.theta,
            )
    finally:
        journal.close()
    results = []
    for place, (word, target) in enumerate((("old", options.old), ("new", options.new))):
        info = next((p.infos[place] for p in done if p.infos[place] is not None), None)
        shown = tuple((p.old, p.new)[place] for p in done)
        results.append(_document(options, target, info, shown, token, started))
        (folder / word).mkdir(exist_ok=True)
        write_plan(folder / word, _plan(scenarios, results[-1]))
        (folder / word / RUN).write_text(to_json(results[-1]), encoding="utf-8")
    return results[0], results[1], tuple(findings)


@dataclass(frozen=True, slots=True)
class _One:
    """One scenario of a gate."""

    scenario: Scenario
    options: GateOptions
    folder: Path
    token: str
    journal: Journal
    deadline: float | None

    def look(self, listener: Listener | None) -> Paired:
        """Side by side; alone with its own controls where nothing shows; again side by side if that hits."""
        paired = self._paired(self.token, listener, PATIENCE)
        if paired.new.verdict is not Verdict.INCONCLUSIVE:
            return paired
        alone = self._alone(listener)
        is_open = paired.old.verdict not in (Verdict.NOT_APPLICABLE, Verdict.FAILED)
        if alone.verdict is not Verdict.RACE or not is_open:
            return replace(paired, new=_joined(paired.new, alone))
        longer = self._paired(f"{self.token[:-1]}z", listener, None)
        return longer if races_of(longer.new) else replace(longer, new=alone)

    def _paired(self, token: str, listener: Listener | None, patience: int | None) -> Paired:
        return race_paired(
            self.scenario,
            self.options.old,
            self.options.new,
            self.options.run,
            folder=self.folder,
            token=token,
            journal=self.journal,
            deadline=self.deadline,
            listener=listener,
            patience=patience,
        )

    def _alone(self, listener: Listener | None) -> ScenarioResult:
        """The new version with the scenario's own controls."""
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0.1:
            reason = "the time limit ended before it could be looked at"
            return not_raced(self.scenario, Verdict.INCONCLUSIVE, reason)
        asked = replace(
            self.options.run,
            target=self.options.new,
            mode="race",
            until="decided",
            time_limit_s=left,
            out=self.folder / f"alone-{self.scenario.name}",
            formats=(),
        )
        return run_scenarios([self.scenario], asked, _Quiet(listener)).result.scenarios[0]


def _joined(paired: ScenarioResult, alone: ScenarioResult) -> ScenarioResult:
    """What the run with its own controls says, and how many clean rounds went before, beside the old."""
    if not paired.rounds:
        return alone if alone.rounds else paired
    before = f"{alone.reason} Before, {paired.rounds} rounds beside the old version without a hit."
    return replace(alone, reason=before, not_looked=(*paired.not_looked, *alone.not_looked))


def _document(
    options: GateOptions,
    target: str,
    info: TargetInfo | None,
    shown: tuple[ScenarioResult, ...],
    token: str,
    started: str,
) -> RunResult:
    unknown = TargetInfo(
        name=target, version="unknown", version_source=VersionSource.UNKNOWN, storage="unknown", settings={}
    )
    return RunResult(
        mailrace=__version__,
        schema_version=SCHEMA_VERSION,
        verdict=gravest(one.verdict for one in shown),
        target=info or unknown,
        seed=options.run.seed,
        run=token,
        command=options.run.command,
        started=started,
        environment=environment(),
        scenarios=shown,
    )


def _plan(scenarios: Sequence[Scenario], result: RunResult) -> dict[str, Any]:
    """The plan that `mailrace replay` reads, as `mailrace.run` writes it."""
    return {
        "mailrace": result.mailrace,
        "command": result.command,
        "started": result.started,
        "target": result.target.name,
        "seed": result.seed,
        "run": result.run,
        "scenarios": [
            {"file": str(s.file or ""), **s.model_dump(mode="json", exclude_none=True)} for s in scenarios
        ],
    }


class _Quiet:
    """Passes on how rounds go, but not the end of a scenario, which is told once, joined."""

    def __init__(self, listener: Listener | None) -> None:
        self._listener = listener

    def began(self, *args: Any) -> None:
        """See `Listener`."""
        if self._listener is not None:
            self._listener.began(*args)

    def progressed(self, *args: Any) -> None:
        """See `Listener`."""
        if self._listener is not None:
            self._listener.progressed(*args)

    def said(self, sentence: str) -> None:
        """Nothing."""

    def ended(self, result: ScenarioResult) -> None:
        """See `Listener`."""
