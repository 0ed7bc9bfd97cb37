"""One scenario and two versions in, both raced side by side round by round, and who showed what in each pair.

The native half of the gate: the versions alternate as target and control do (DESIGN.md, "Controls"), with
the same seed, offsets and decoys, and the race ends as soon as every anomaly seen is settled either way.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from mailrace import __version__
from mailrace.history import Journal, JournalHeader
from mailrace.model.anomaly import Weight
from mailrace.model.errors import TargetError
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.target import Target, TargetInfo
from mailrace.race import RaceOptions, Side, must_not_run, not_raced, race
from mailrace.race.tally import Judged
from mailrace.run import Listener, RunOptions
from mailrace.scenario import Plan, Scenario, applies, server_options
from mailrace.steer import shared_store
from mailrace.studies.absence import races_of
from mailrace.studies.gate import RUNS_NEEDED, Again
from mailrace.targets import open_target, parse_target
from mailrace.verdict import pairs_needed


@dataclass(frozen=True, slots=True)
class Pair:
    """The anomalies of weight RACE that each version showed in one pair; None: it could not be looked at."""

    old: frozenset[str] | None
    new: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What a paired race gave: a result of each version, what each is, and the pairs in order.

    kind   of control that the old version is for the new one (DESIGN.md, "Controls")
    """

    old: ScenarioResult
    new: ScenarioResult
    infos: tuple[TargetInfo | None, TargetInfo | None]
    pairs: tuple[Pair, ...] = ()
    kind: int = 3


def seen_in_pairs(pairs: Sequence[Pair], kind: int = 1) -> dict[str, Again]:
    """For each anomaly that one version showed: what the other did in the very pairs that showed it.

    Where both show it, `hits` is above zero, and the finding is "unchanged". What only an old version of
    kind 3 showed says nothing of the new one: it is left out.
    """
    whole = [p for p in pairs if p.old is not None and p.new is not None]
    names = sorted({name for p in whole for name in (*(p.old or ()), *(p.new or ()))})
    found = {}
    for name in names:
        old = [name in (p.old or ()) for p in whole]
        new = [name in (p.new or ()) for p in whole]
        if any(old) and any(new):
            found[name] = Again(runs=len(whole), hits=min(sum(old), sum(new)))
        elif any(new) or kind in (1, 2):
            found[name] = Again(runs=sum(old) + sum(new), hits=0)
    return found


def is_settled(
    pairs: Sequence[Pair], *, confidence: float, theta: float, patience: int | None = None
) -> bool:
    """Whether more pairs can change no finding.

    Every anomaly seen is on both, or often enough on one only; and enough pairs raced at all to speak of the
    anomalies that were not seen. With `patience`, also after that many pairs in which nothing was seen.
    """
    again = seen_in_pairs(pairs)
    if not again:
        return patience is not None and len(pairs) >= patience
    needed = pairs_needed(theta, confidence)
    fired = max(sum(bool(p.old) for p in pairs), sum(bool(p.new) for p in pairs))
    return fired >= needed and all(a.hits or a.runs >= max(RUNS_NEEDED, needed) for a in again.values())


def race_paired(
    scenario: Scenario,
    old: str,
    new: str,
    options: RunOptions,
    *,
    folder: Path,
    token: str,
    journal: Journal,
    deadline: float | None,
    listener: Listener | None,
    patience: int | None,
) -> Paired:
    """Race both versions; `patience` is that of `is_settled`.

    What cannot be exercised on one version is said in that one's result, never raised.
    """
    results: list[ScenarioResult | None] = [None, None]
    infos: list[TargetInfo | None] = [None, None]
    with ExitStack() as stack:
        targets = []
        for place, name in enumerate((old, new)):
            under = folder / ("old", "new")[place]
            under.mkdir(exist_ok=True)
            try:
                several = scenario.target.instances > 1
                target = open_target(
                    name,
                    server_options(scenario),
                    gomaxprocs=options.gomaxprocs,
                    folder=under,
                    database=stack.enter_context(shared_store()) if several else None,
                )
                stack.callback(target.stop)
                target.start()
            except TargetError as wrong:
                results[place] = not_raced(scenario, Verdict.FAILED, str(wrong))
                continue
            infos[place] = target.info
            targets.append(target)
            results[place] = _not_exercised(scenario, target, options.allow_deletions)
        if any(results):
            skipped = not_raced(
                scenario, Verdict.INCONCLUSIVE, "the other version could not be raced beside it"
            )
            return Paired(old=results[0] or skipped, new=results[1] or skipped, infos=(infos[0], infos[1]))
        if listener is not None:
            listener.began(scenario, targets[1].info, None)
        journal.header(
            JournalHeader(
                mailrace=__version__,
                scenario=scenario.name,
                target=targets[1].info.name,
                control=f"{old} ({scenario.name})",
                seed=options.seed,
                run=token,
                mode="race",
            )
        )
        sides = []
        how = _race_options(scenario, folder, options, deadline, listener)
        for name, letter, target in (("control", "c", targets[0]), ("target", "t", targets[1])):
            sides.append(_Watched(name, Plan(scenario, options.seed, token + letter), target, journal, how))
            stack.callback(sides[-1].lane.close)
        before, after = sides

        def enough() -> bool:
            pairs = _pairs(before, after)
            return options.until == "decided" and is_settled(
                pairs, confidence=options.confidence, theta=options.theta, patience=patience
            )

        kind = _kind(old, new)
        result = race(after, before, kind, replace(how, enough=enough))
        shown = _shown(scenario, before, result)
        return Paired(
            old=shown, new=result, infos=(infos[0], infos[1]), pairs=_pairs(before, after), kind=kind
        )


class _Watched(Side):
    """A side that remembers what each round showed: names only, so memory stays flat."""

    def __init__(self, name: str, plan: Plan, target: Target, journal: Journal, options: RaceOptions) -> None:
        super().__init__(name, plan, target, journal, options)
        self.shown: list[frozenset[str] | None] = []

    def judged(self) -> tuple[Judged, ...]:
        """See `Side`."""
        found = super().judged()
        for one in found:
            names = frozenset(str(a.name) for a in one.anomalies if a.name.weight is Weight.RACE)
            self.shown.append(names if one.is_counted else None)
        return found


def _pairs(before: _Watched, after: _Watched) -> tuple[Pair, ...]:
    return tuple(Pair(a, b) for a, b in zip(before.shown, after.shown, strict=False))


def _race_options(
    scenario: Scenario, folder: Path, options: RunOptions, deadline: float | None, listener: Listener | None
) -> RaceOptions:
    return RaceOptions(
        rounds=options.rounds or scenario.rounds,
        profile=options.profile or scenario.release.profile,
        seed=options.seed,
        trial=options.trial,
        confidence=options.confidence,
        theta=options.theta,
        time_limit=deadline,
        replay=f"mailrace replay {folder / 'new'} --scenario {scenario.name}",
        progress=listener.progressed if listener is not None else None,
    )


def _kind(old: str, new: str) -> int:
    """How much the old version says as a control of the new: 1 where both are the same server of ours."""
    kinds = {"file": "mailpit"}
    one, other = (kinds.get(k, k) for k in (parse_target(old).kind, parse_target(new).kind))
    return 1 if one == other and one != "url" else 3


def _shown(scenario: Scenario, side: Side, beside: ScenarioResult) -> ScenarioResult:
    """The old version's own result; a clean one is no PASS, for nothing controlled it but the new one."""
    tally = side.tally
    anomalies = Counter(tally.anomalies)
    result = replace(
        beside,
        verdict=Verdict.RACE if tally.hits else Verdict.INCONCLUSIVE,
        reason=f"{tally.hits} of {tally.rounds} rounds hit, beside the new version.",
        advice="",
        rounds=tally.rounds,
        rounds_lost=tally.lost,
        hits=tally.hits,
        interval=None,
        anomalies=dict(anomalies),
        witnesses=tuple(tally.witnesses),
        sample=(),
        not_looked=tuple(tally.not_looked),
        control=None,
        skew_us=tally.skew(),
        replies=dict(tally.replies.most_common()),
        expected=tally.expected,
        found=tally.found,
        blocks=(),
    )
    return result if races_of(result) else replace(result, witnesses=())


def _not_exercised(scenario: Scenario, target: Target, may_delete: bool) -> ScenarioResult | None:
    """The result where this scenario must not, or cannot, run on this target; None if it may."""
    version = target.info.version
    if not applies(scenario.needs, version):
        reason = f"it needs Mailpit {scenario.needs}, and this is {version}"
        return not_raced(scenario, Verdict.NOT_APPLICABLE, reason)
    reason = must_not_run(scenario, target, allow_deletions=may_delete)
    return not_raced(scenario, Verdict.INCONCLUSIVE, reason) if reason else None
