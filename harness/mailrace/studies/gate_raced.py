"""The native half of a gate: every scenario raced on both versions side by side, findings out.

Where neither version shows anything often enough to be the other's control, the new one is raced again with
the scenario's own controls: without one that fires, the answer is that it could not be looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.model.target import TargetInfo
from mailrace.recorded import write_part
from mailrace.run import Listener
from mailrace.run import run as run_scenarios
from mailrace.scenario import Scenario, not_exercised
from mailrace.session import Session, part_of
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
    whole: Session,
    tell: Callable[[str], None],
    part: str = "",
) -> Looked:
    """Race every scenario on both; writes the runs `old` and `new` into the gate's folder or a part of it."""
    findings: list[Finding] = []
    done: list[Paired] = []
    for number, scenario in enumerate(scenarios):
        tell(f"{scenario.name}: both versions side by side")
        paired = _One(scenario, options, whole, whole.folder / part, number).look(whole.listener)
        if whole.listener is not None:
            whole.listener.ended(paired.new)
        done.append(paired)
        findings += compare(
            paired.old,
            paired.new,
            seen_in_pairs(paired.pairs, paired.kind),
            whole.request.racing.rule,
        )
    results = []
    for place, (word, target) in enumerate((("old", options.old), ("new", options.new))):
        info = next((p.infos[place] for p in done if p.infos[place] is not None), None)
        shown = tuple((p.old, p.new)[place] for p in done)
        known, verdict = info or TargetInfo.unknown(target.text), gravest(one.verdict for one in shown)
        results.append(replace(whole.result(), target=known, verdict=verdict, scenarios=shown))
        asked = replace(whole.request, target=target)
        write_part(whole.folder / part / word, scenarios, asked, results[-1])
    return results[0], results[1], tuple(findings)


@dataclass(frozen=True, slots=True)
class _One:
    """One scenario of a gate."""

    scenario: Scenario
    options: GateOptions
    whole: Session
    folder: Path
    number: int

    def look(self, listener: Listener | None) -> Paired:
        """Side by side; alone with its own controls where nothing shows; again side by side if that hits."""
        paired = self._paired("", listener, PATIENCE)
        if paired.new.verdict is not Verdict.INCONCLUSIVE:
            return paired
        alone = self._alone(listener)
        is_open = paired.old.verdict not in (Verdict.NOT_APPLICABLE, Verdict.FAILED)
        if alone.verdict is not Verdict.RACE or not is_open:
            return replace(paired, new=_joined(paired.new, alone))
        longer = self._paired("z", listener, None)
        return longer if races_of(longer.new) else replace(longer, new=alone)

    def _paired(self, again: str, listener: Listener | None, patience: int | None) -> Paired:
        place = self.whole.place(self.number)
        token = f"{place.token[:-1]}{again}" if again else place.token
        return race_paired(
            self.scenario,
            (self.options.old, self.options.new),
            self.whole,
            replace(place, token=token, folder=self.folder),
            listener=listener,
            patience=patience,
        )

    def _alone(self, listener: Listener | None) -> ScenarioResult:
        """The new version with the scenario's own controls."""
        left_s = self.whole.left_s
        if left_s is not None and left_s <= 0.1:
            reason = "the time limit ended before it could be looked at"
            return not_exercised(self.scenario, Verdict.INCONCLUSIVE, reason)
        asked = part_of(
            self.whole.request,
            self.folder / f"alone-{self.scenario.name}",
            target=self.options.new,
            mode="race",
            time_limit_s=left_s,
            racing=replace(self.whole.request.racing, until="decided"),
        )
        return run_scenarios([self.scenario], asked, _Quiet(listener)).result.scenarios[0]


def _joined(paired: ScenarioResult, alone: ScenarioResult) -> ScenarioResult:
    """What the run with its own controls says, and how many clean rounds went before, beside the old."""
    if not paired.rounds:
        return alone if alone.rounds else paired
    before = f"{alone.reason} Before, {paired.rounds} rounds beside the old version without a hit."
    return replace(alone, reason=before, not_looked=(*paired.not_looked, *alone.not_looked))


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
