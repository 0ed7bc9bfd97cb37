"""Takes two targets and scenarios; looks at every scenario on both, and gives the gate's document.

    each scenario → steered on both → what only one of them shows is put to the other → findings

Scenarios are steered where both targets are ours to start, because then nothing is left to chance. They are
raced natively where one target is not ours, and where steer's walks leave something open. The runs of the two
versions stand in the folders `old` and `new` below the gate's. Each has a plan and a history, so it can be
replayed like any run.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from mailrace import __version__
from mailrace.history import make_latest
from mailrace.model.hints import did_you_mean
from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.model.target_name import TargetName
from mailrace.model.time_limit import CUT_OFF, OUT_OF_TIME, TimeOver, over_by
from mailrace.preflight import chosen_mode, preflight, scenario_names
from mailrace.race import race_on
from mailrace.recorded import environment
from mailrace.recover import cut_off
from mailrace.run import Listener
from mailrace.scenario import Scenario, not_exercised
from mailrace.session import Alone, Session, session
from mailrace.steer import EXPLORE_S_MAX, store_for
from mailrace.studies.absence import absence, found_by_walk, races_of
from mailrace.studies.gate.baseline import apply_baseline
from mailrace.studies.gate.causes import causes_of, spare_lesser
from mailrace.studies.gate.compare import CLAIMS, Looked, compare, with_raced
from mailrace.studies.gate.document import Gate, GateRequest
from mailrace.studies.gate.finding import Change, Finding, gate_verdict
from mailrace.studies.gate.put_again import put_again
from mailrace.studies.gate.raced import Paired, joined, old_as_control, race_paired, seen_in_pairs
from mailrace.verdict import decide, evidence_of

PATIENCE = 60
"""After this many pairs without a hit, the new version is raced with the scenario's own controls."""

LARGE_S_MAX = 10.0
"""Scenarios of more than two actors are explored for at most this long; what is open then is raced."""


@dataclass(frozen=True, slots=True)
class GateRun:
    """A gate, the runs of both versions, and the folder that holds all files."""

    gate: Gate
    old: RunResult
    new: RunResult
    folder: Path


Looking = Callable[["Versions", Sequence[Scenario]], tuple[Finding, ...]]
"""How a campaign's workers look at scenarios on both versions; the findings in the scenarios' order."""


def run_gate(
    scenarios: Sequence[Scenario],
    asked: GateRequest,
    *,
    listener: Listener | None = None,
    tell: Callable[[str], None] = lambda _: None,
    alone: Alone = nullcontext,
    look: Looking | None = None,
) -> GateRun:
    """Look at all scenarios on both targets and compare; writes old/run.json and new/run.json.

    The gate's own files are written by `write_gate`. Where a version fails in one scenario, the findings of
    that scenario say so, and the next scenario is looked at. After the time limit nothing new begins, and the
    gate tells what was left out.

    alone   is entered while rounds are raced natively
    look    how the workers of a campaign look at the scenarios; None: this process does
    """
    # All clean words of the gate share one confidence, so the rule has to know how many there can be.
    mode = chosen_mode(asked.old, asked.new, mode=asked.mode)
    verdicts = max(asked.run.racing.verdicts, CLAIMS * len(scenarios))
    racing = replace(asked.run.racing, verdicts=verdicts)
    request = replace(asked.run, mode=mode, racing=racing)
    # Before anything is started, both versions and everything that is named are looked up.
    here = () if asked.is_elsewhere else (asked.old, asked.new)
    is_controlled = old_as_control(asked.old, asked.new) in (1, 2)
    looked_for = request.without_control() if is_controlled else request
    for sentence in preflight(scenarios, looked_for, here) if here else ():
        tell(sentence)
    for entry in asked.accepted:
        if entry.scenario not in (known := scenario_names(scenarios)):
            hint = did_you_mean(entry.scenario, known)
            tell(f"baseline: {entry.scenario} is no scenario of these or of the shipped ones{hint}")
    # Each version has a session of its own, in a folder of that name within the gate's.
    what, targets = f"gate-{asked.old}-{asked.new}", (asked.old, asked.new)
    with (
        session(scenarios, request, listener, study="gate", targets=targets, what=what, alone=alone) as whole,
        _version(whole, scenarios, "old", asked.old) as old,
        _version(whole, scenarios, "new", asked.new) as new,
    ):
        versions = Versions(asked, whole, old, new, tell)
        every = (found for scenario in scenarios for found in versions.look(scenario))
        findings = look(versions, scenarios) if look else tuple(every)
        runs = old.finish().result, new.finish().result
    # Both runs are over. A finding that is accepted, or does too little harm, is told and does not count.
    findings, notes = apply_baseline(findings, asked.accepted, asked.today, [s.name for s in scenarios])
    findings = spare_lesser(findings, asked.harm)
    gate = _gate(asked, whole, runs, findings, notes)
    return GateRun(gate, *runs, whole.folder)


def _gate(
    asked: GateRequest,
    whole: Session,
    runs: tuple[RunResult, RunResult],
    findings: tuple[Finding, ...],
    notes: tuple[str, ...],
) -> Gate:
    # The verdict depends on the findings only. The causes say why, and are told first.
    return Gate(
        mailrace=__version__,
        verdict=gate_verdict(findings, is_strict=asked.is_strict),
        old=str(asked.names.get(asked.old, asked.old)),
        new=str(asked.names.get(asked.new, asked.new)),
        old_version=runs[0].target.version,
        new_version=runs[1].target.version,
        mode=whole.request.mode,
        is_strict=asked.is_strict,
        seed=whole.request.seed,
        command=whole.request.command,
        started=whole.started,
        environment=environment() | whole.extra,
        findings=findings,
        harm=asked.harm,
        causes=causes_of(runs[0].scenarios, runs[1].scenarios),
        rule=whole.request.racing.rule,
        notes=notes,
    )


def _version(
    whole: Session, scenarios: Sequence[Scenario], word: str, target: TargetName
) -> AbstractContextManager[Session]:
    """The session of one of the two versions, in a folder of that name."""
    steering = replace(whole.request.steering, one_of_each="anomaly")
    request = replace(whole.part(word, ("html",), target), steering=steering)
    return session(scenarios, request, whole.listener, alone=whole.alone)


@dataclass(frozen=True, slots=True)
class Versions:
    """Both versions under way, each with its session."""

    asked: GateRequest
    whole: Session
    old: Session
    new: Session
    tell: Callable[[str], None]

    def look(self, scenario: Scenario) -> tuple[Finding, ...]:
        """What the scenario shows on both, compared."""
        rule = self.whole.request.racing.rule
        if self.whole.request.mode == "race":
            raced = self._raced(scenario)
            return compare(raced.old, raced.new, raced.again, rule)
        before = self._steered(scenario, self.old, "old")
        after = self._steered(scenario, self.new, "new")
        again = {}
        for shown, other, session_ in ((after, before, self.old), (before, after, self.new)):
            for name in self._in_question(shown, other, is_new=shown is after):
                self.tell(f"{scenario.name}: {name}: the same schedule on {self._name(session_)}")
                again[name] = put_again(scenario, shown, name, session_)
        walked = compare(before, after, again, rule)
        # A walk that was not finished, or that the old version cannot follow, leaves something open. Racing
        # both side by side can answer that: with a race that hits natively, or by the rule for PASS.
        has_failed = any(f.has_failed for f in walked)
        is_open = any(f.change is Change.COULD_NOT_LOOK for f in walked) and not has_failed
        if self.asked.mode != "auto" or not is_open or self.whole.left_s == 0.0:
            return walked
        return with_raced(Looked(before, after, again), self._raced(scenario, after), rule)

    def _steered(self, scenario: Scenario, version: Session, word: str) -> ScenarioResult:
        self.tell(f"{scenario.name}: {word} version, {self._name(version)}")
        may_be_raced = self.asked.mode == "auto" and scenario.actor_count > 2
        version.explore_s_max = LARGE_S_MAX if may_be_raced else EXPLORE_S_MAX
        found = version.look(scenario)
        self._keep_latest(found)
        return found

    def _in_question(self, shown: ScenarioResult, other: ScenarioResult, *, is_new: bool) -> list[str]:
        """The anomalies that only one version shows and that have to be put to the other version.

        What only the new version shows always has to be: then its absence on the old one is seen, not only
        concluded. Otherwise the other version's own walk may already say that it does not have the anomaly.
        """
        if other.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILED):
            return []
        rule = self.whole.request.racing.rule
        alone = [name for name in races_of(shown) if name not in races_of(other)]
        return [name for name in alone if is_new or not absence(other, name, rule).is_shown]

    def _raced(self, scenario: Scenario, walked: ScenarioResult | None = None) -> Looked:
        """Race both natively. `walked`: what steer found on the new version, if it was steered."""
        self.tell(f"{scenario.name}: both versions side by side")
        paired = self._natively(scenario)
        if walked is not None:
            paired = replace(paired, new=self._beside_walk(paired.new, walked))
        before = replace(paired.old, digest=scenario.digest)
        self.old.journal.result(before)
        self.old.results.append(before)
        self.new.add(replace(paired.new, digest=scenario.digest))
        self._keep_latest(paired.new)
        return Looked(paired.old, paired.new, seen_in_pairs(paired.pairs, paired.kind))

    def _natively(self, scenario: Scenario) -> Paired:
        """The race of `_side_by_side`, as far as the time limit lets it come."""
        if self.whole.left_s == 0.0:
            skipped = not_exercised(scenario, Verdict.INCONCLUSIVE, OUT_OF_TIME)
            return Paired(old=skipped, new=skipped)
        try:
            with over_by(self.whole.request.cut_at), self.whole.alone():
                return self._side_by_side(scenario)
        except TimeOver:
            old = not_exercised(scenario, Verdict.INCONCLUSIVE, CUT_OFF)
            return Paired(old=old, new=cut_off(self.new.folder, scenario, self.new.request, CUT_OFF))

    def _side_by_side(self, scenario: Scenario) -> Paired:
        """Race both versions, and where neither shows anything, the new one with the scenario's own controls.

        A race that shows only then is raced side by side once more, so that the old version is asked as well.
        """
        paired = race_paired(scenario, self.old, self.new, patience=PATIENCE)
        if paired.new.verdict is not Verdict.INCONCLUSIVE:
            return paired
        alone = self._alone(scenario)
        is_open = paired.old.verdict not in (Verdict.NOT_APPLICABLE, Verdict.FAILED)
        if alone.verdict is not Verdict.RACE or not is_open:
            if alone.verdict is Verdict.RACE:
                return replace(paired, new=alone)
            return replace(paired, new=joined(paired.new, alone, self.whole.request.racing.rule))
        longer = race_paired(scenario, self.old, self.new, mark="z")
        return longer if races_of(longer.new) else replace(longer, new=alone)

    def _alone(self, scenario: Scenario) -> ScenarioResult:
        """The new version with the scenario's own controls."""
        if self.whole.left_s == 0.0:
            return not_exercised(scenario, Verdict.INCONCLUSIVE, OUT_OF_TIME)
        self.tell(f"{scenario.name}: {self._name(self.new)} with the scenario's own controls")
        racing = replace(self.whole.request.racing, until="decided")
        with store_for(scenario) as database:
            place = self.new.place(len(self.new.results), database)
            place = replace(place, token=f"{place.token[:-1]}y", folder=self.new.folder / "alone")
            _, found = race_on(scenario, place, self.new.race_options(scenario, racing), self.new.began)
        return found

    def _beside_walk(self, raced: ScenarioResult, walked: ScenarioResult) -> ScenarioResult:
        """The native result, with a note on what steer's walk came to."""
        has_race = walked.verdict is Verdict.RACE
        came_to = "steer found a race" if has_race else "steer's walk was not finished"
        note = f"{came_to}: {walked.reason}"
        raced = replace(raced, not_looked=(*raced.not_looked, note))
        if raced.verdict is not Verdict.PASS:
            return raced
        # What steer has found and could not realise may still be a race, so there is no PASS beside it.
        found = found_by_walk(walked)
        decision = decide(evidence_of(raced, found_by_steer=found), self.whole.request.racing.rule)
        reason = f"{decision.reason} Natively; {note}"
        return replace(raced, verdict=decision.verdict, reason=reason, advice=decision.advice)

    def _name(self, version: Session) -> str:
        target = version.request.target
        return str(self.asked.names.get(target, target))

    def _keep_latest(self, found: ScenarioResult) -> None:
        if found.verdict is not Verdict.FAILED:
            make_latest(self.whole.folder)
