"""Takes a scenario and two versions; races both side by side, and gives which one showed what in each pair.

This is the native half of the gate. The versions alternate as target and control do (docs/verdicts.md), with
the same seed, offsets and decoys. The race ends as soon as every anomaly that was seen is settled, either
way.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from mailrace.history import Journal, JournalHeader
from mailrace.model.anomaly import Weight
from mailrace.model.errors import TargetError
from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.model.target import Target
from mailrace.model.target_name import TargetName
from mailrace.race import Place, RaceOptions, Side, opened, race, unfit
from mailrace.race.tally import Judged
from mailrace.scenario import Plan, Scenario, not_exercised
from mailrace.session import Session
from mailrace.steer import store_for
from mailrace.studies.absence import hidden_by, races_of
from mailrace.studies.counts import with_counts
from mailrace.studies.gate.compare import RUNS_NEEDED, Again, of_each_anomaly
from mailrace.verdict import decide, evidence_of, rule_pairs


@dataclass(frozen=True, slots=True)
class Pair:
    """The anomalies of weight RACE that each version showed in a pair; None where it was not looked at."""

    old: frozenset[str] | None
    new: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What a paired race gave: a result of each version, and the pairs in order.

    kind   which kind of control the old version is for the new one (docs/verdicts.md)
    """

    old: ScenarioResult
    new: ScenarioResult
    pairs: tuple[Pair, ...] = ()
    kind: int = 3


def seen_in_pairs(pairs: Sequence[Pair], kind: int = 1) -> dict[str, Again]:
    """By anomaly that a version showed: how many pairs tell of it, and how often the other showed it too.

    Where both versions show it, `hits` is above zero, and the finding is "unchanged". An anomaly that only
    the old version showed is left out if that one is a control of kind 3, which says nothing of the new one.
    """
    whole = [(p.old, p.new) for p in pairs if p.old is not None and p.new is not None]
    names = sorted({name for pair in whole for shown in pair for name in shown})
    found = {}
    for name in names:
        # A pair counts where each version showed it, or was looked at for it and did not.
        hiding = hidden_by(name)
        told = [pair for pair in whole if all(name in shown or not shown & hiding for shown in pair)]
        old = sum(name in shown for shown, _ in told)
        new = sum(name in shown for _, shown in told)
        if all(any(name in pair[side] for pair in whole) for side in (0, 1)):
            found[name] = Again(runs=len(told), hits=max(1, min(old, new)))
        elif any(name in shown for _, shown in whole) or kind in (1, 2):
            found[name] = Again(runs=old + new, hits=0)
    return found


def is_settled(pairs: Sequence[Pair], rule: Rule, *, patience: int | None) -> bool:
    """Whether more pairs could not change a finding.

    That is so once every anomaly that was seen is on both versions, or often enough on one only, and enough
    pairs raced at all to speak of the anomalies that were not seen.

    patience   also after so many pairs in which nothing was seen; None: never for that reason
    """
    again = seen_in_pairs(pairs)
    if not again:
        return patience is not None and len(pairs) >= patience
    needed = max(RUNS_NEEDED, rule_pairs(of_each_anomaly(rule)))
    fired = max(sum(bool(p.old) for p in pairs), sum(bool(p.new) for p in pairs))
    return fired >= rule_pairs(rule) and all(a.hits or a.runs >= needed for a in again.values())


def race_paired(
    scenario: Scenario, old: Session, new: Session, *, patience: int | None = None, mark: str = ""
) -> Paired:
    """Race both versions. The journal of the new one keeps the rounds of both, the old one's as the control.

    patience   see `is_settled`
    mark       a letter that tells the mails of a scenario's second race from those of the first
    Where a version cannot be raced, its result says so; nothing is raised for it.
    """
    place = new.place(len(new.results))
    place = replace(place, token=f"{place.token[:-1]}{mark}") if mark else place
    results: list[ScenarioResult | None] = []
    targets: list[Target] = []
    with ExitStack() as stack:
        # Both servers first: a race beside a version that is not available would say nothing of either.
        for version in (old, new):
            try:
                under = replace(place, database=stack.enter_context(store_for(scenario)))
                target = opened(stack, version.request.target, scenario, under, version.folder)
            except TargetError as wrong:
                results.append(not_exercised(scenario, Verdict.FAILED, str(wrong)))
                continue
            version.info = target.info
            targets.append(target)
            results.append(unfit(scenario, target, place.use))
        # A version that failed or must not be raced has a result that says so. Then the other is not looked
        # at.
        if any(results):
            why = "the other version could not be raced beside it"
            skipped = not_exercised(scenario, Verdict.INCONCLUSIVE, why)
            return Paired(old=results[0] or skipped, new=results[1] or skipped)
        # Both can be raced.
        new.began(scenario, targets[1].info, None)
        new.journal.header(
            JournalHeader.of(
                scenario.name,
                new.info,
                seed=new.request.seed,
                run=place.token,
                mode="race",
                control=f"{old.request.target} ({scenario.name})",
            )
        )
        before = _side(stack, "control", scenario, targets[0], place, old, new)
        after = _side(stack, "target", scenario, targets[1], place, new, new)
        racing = new.request.racing

        def enough() -> bool:
            return racing.until == "decided" and is_settled(
                _pairs(before, after), racing.rule, patience=patience
            )

        # The race goes on until `enough` says so, because only that knows the anomalies of both versions.
        kind = old_as_control(old.request.target, new.request.target)
        how = replace(new.race_options(scenario, racing), until="rounds", enough=enough)
        result = race(after, before, kind, how)
        return Paired(old=_shown(before, result), new=result, pairs=_pairs(before, after), kind=kind)


def _side(
    stack: ExitStack,
    lane: str,
    scenario: Scenario,
    target: Target,
    place: Place,
    version: Session,
    new: Session,
) -> "_Watched":
    """One version's side. Its witnesses are replayed from the folder of that version."""
    plan = Plan(scenario, new.request.seed, place.token + lane[0])
    side = _Watched(lane, plan, target, new.journal, version.race_options(scenario, new.request.racing))
    stack.callback(side.lane.close)
    return side


class _Watched(Side):
    """A side that remembers the names of the anomalies of each round, and no more, so memory stays flat."""

    def __init__(self, name: str, plan: Plan, target: Target, journal: Journal, options: RaceOptions) -> None:
        super().__init__(name, plan, target, journal, options)
        self._shown: list[tuple[int, frozenset[str] | None]] = []

    def judged(self) -> tuple[Judged, ...]:
        """See `Side`."""
        found = super().judged()
        for one in found:
            names = frozenset(str(a.name) for a in one.anomalies if a.name.weight is Weight.RACE)
            self._shown.append((one.record.index, names if one.is_counted else None))
        return found

    @property
    def shown(self) -> list[frozenset[str] | None]:
        """Of each round the races that it showed, by all that is known now; None: it was not looked at."""
        gone = self.taken_back
        return [None if names is None else names - gone.get(i, frozenset()) for i, names in self._shown]


def _pairs(before: _Watched, after: _Watched) -> tuple[Pair, ...]:
    return tuple(Pair(a, b) for a, b in zip(before.shown, after.shown, strict=False))


def old_as_control(old: TargetName, new: TargetName) -> int:
    """The kind of control that the old version is of the new one.

    It is 1 where mailrace starts both and both are Mailpit, or both the embedded reference; else 3.
    """
    kinds = {"file": "mailpit"}
    one, other = (kinds.get(k, k) for k in (old.kind, new.kind))
    return 1 if one == other and one != "url" else 3


def _shown(side: Side, beside: ScenarioResult) -> ScenarioResult:
    """The old version's own result. A clean one is no PASS, because its only control was the new version."""
    tally, refused = side.tally, bool(side.judge.serial.refused)
    # Both versions ran the same rounds, so the new one's result is the frame; every count in it is replaced
    # by this side's own. Serial rounds that it refused count like rounds that it refused.
    counted = tally.onto(beside, side.lane.plan.round(0))
    result = replace(
        counted,
        rounds_lost=counted.rounds_lost + refused,
        rounds_refused=counted.rounds_refused + refused,
        verdict=Verdict.RACE if tally.hits else Verdict.INCONCLUSIVE,
        reason=f"{tally.hits} of {tally.rounds} rounds hit, beside the new version.",
        advice="",
        interval=None,
        sample=(),
        control=None,
        broken_serially=side.broken_serially(),
        blocks=(),
    )
    return result if races_of(result) else replace(result, witnesses=())


def joined(paired: ScenarioResult, alone: ScenarioResult, rule: Rule) -> ScenarioResult:
    """Both clean races of the new version as one: the control of the second, and the rounds of both.

    So whatever makes the first race doubtful, such as rounds that the server refused, makes the whole
    doubtful.
    """
    if not (alone.rounds or alone.rounds_lost) or not (paired.rounds or paired.rounds_lost):
        return alone if alone.rounds else paired
    both = with_counts(alone, (paired, alone))
    both = replace(both, not_looked=(*paired.not_looked, *alone.not_looked))
    decision = decide(evidence_of(both), rule)
    return replace(both, verdict=decision.verdict, reason=decision.reason, advice=decision.advice)
