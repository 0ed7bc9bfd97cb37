"""An explored round in, what ONE instance shows of it out: a pair itself, a larger round by a pair in it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mailrace.model.anomaly import AnomalyName
from mailrace.model.cause import Cause
from mailrace.model.operation import Operation, PlannedRound
from mailrace.model.result import Violation, Witness
from mailrace.steer.causes.grounds import grounds_of
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import always
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.state_space import StateSpace, explore
from mailrace.steer.one_instance.exclusions import Exclusions, Points, look_again, run_release_points
from mailrace.steer.one_instance.realisations import Realisation, Realisations, Summary
from mailrace.steer.one_instance.realiser import Effort, Realiser
from mailrace.steer.one_instance.sections import Section
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.one_instance.shrink import is_shrinkable, pairs, shrink
from mailrace.steer.one_instance.words import counted
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round, round_on

_APART = "no schedule of it keeps together what one instance was seen to keep together in the pairs within"
_NO_PAIR = "no pair within shows it, and more than two that share one instance's pool are not steered"

EXTENT = Extent(schedules_max=5_000, seconds_max=20.0)


@dataclass(frozen=True, slots=True)
class OnOne:
    """One instance at each release point of an explored pair, and what it was seen to keep together."""

    shared: SharedInstance
    points: Points
    exclusions: Exclusions

    @property
    def points_missed(self) -> str:
        """How many release points were missed, in words; "" if none was."""
        return f"{counted(self.points.missed, 'release point')} missed" if self.points.missed else ""


def look_on_one(round_: Round, space: StateSpace) -> OnOne:
    """Run every release point of the pair that `space` is of."""
    shared = SharedInstance(round_, space.graph)
    points = run_release_points(shared)
    seen = Exclusions.seen(shared, space.programs)
    # What is kept together makes bad schedules not count, so there it is looked at with patience.
    reached = space.reached(seen.allow)
    far = dict.fromkeys(leaf for _, leaf in space.violating if leaf not in reached)
    if far:
        seen = look_again(shared, seen, points, far)
    return OnOne(shared, points, seen)


@dataclass(frozen=True, slots=True)
class Walked:
    """A pair that was walked: what it came to, and what one instance was seen to do with its sections."""

    summary: Summary
    together: frozenset[Section] = field(default=frozenset())
    entered: frozenset[Section] = field(default=frozenset())


def walk_separate(round_: Round, space: StateSpace, effort: Effort, observer: Observer) -> Summary:
    """A round with as many instances as actors: what was explored is what users have."""
    realiser = Realiser(round_, space, grounds_of(space, always), effort, observer)
    every = space.count()
    return Summary(
        space=space,
        shown=realiser.on_separate(),
        instances=round_.rig.options.instances,
        schedules=every,
        all_schedules=every,
    )


def walk_pair(round_: Round, space: StateSpace, effort: Effort, observer: Observer) -> Walked:
    """Walk a pair's release points, learn what is kept together, and realise its bad classes."""
    if round_.rig.options.instances > 1:
        return Walked(walk_separate(round_, space, effort, observer))
    began = time.monotonic()
    seen = look_on_one(round_, space)
    points_s = time.monotonic() - began
    allowed = seen.exclusions.allow
    realiser = Realiser(round_, space, grounds_of(space, allowed), effort, observer)
    summary = Summary(
        space=space,
        shown=realiser.on_one(seen.shared, allowed, seen.points),
        instances=1,
        schedules=space.count(allowed),
        all_schedules=space.count(),
        points=len(seen.points.runs),
        points_bad=sum(1 for _, run in seen.points.runs if space.judge.races(run)),
        points_missed=seen.points.missed,
        unattributed=seen.shared.unattributed,
        seconds={"release_points": points_s},
    )
    return Walked(summary, seen.exclusions.together, frozenset(seen.shared.sections.entered))


def walk_small(rig: Rig, planned: PlannedRound, effort: Effort, observer: Observer) -> Walked | None:
    """Explore and walk another round of two actors; None: it has more."""
    if len(planned.operations) != 2:
        return None
    with round_on(rig, planned) as round_:
        return walk_pair(round_, explore(round_, EXTENT), effort, observer)


def with_smallest(round_: Round, summary: Summary, effort: Effort, observer: Observer) -> Summary:
    """The summary with the witnesses of the smallest round that still shows each realised anomaly."""
    whole, rig = round_.planned, round_.rig
    if not summary.shown.realised or not is_shrinkable(whole):
        return summary
    # A round that is smaller for several anomalies is walked once, and only for its witnesses: causes and
    # repairs are told of the whole round.
    walks: dict[PlannedRound, tuple[Witness, ...]] = {whole: summary.shown.witnesses}
    for_witnesses = replace(effort, one_of_each="anomaly")
    witnesses: list[Witness] = []
    for name in sorted({w.anomaly.name for w in summary.shown.witnesses}):
        small = shrink(rig, whole, name, progress=observer.progress)
        if small not in walks:
            walked = walk_small(rig, small, for_witnesses, observer)
            walks[small] = walked.summary.shown.witnesses if walked is not None else ()
        own = [w for w in walks[small] if w.anomaly.name is name]
        witnesses += own or [w for w in summary.shown.witnesses if w.anomaly.name is name]
    found = numbered(witnesses, effort.replay) or summary.shown.witnesses
    return replace(summary, shown=replace(summary.shown, witnesses=found))


def walk_several(round_: Round, space: StateSpace, effort: Effort, observer: Observer) -> Summary:
    """Three or more actors on one instance: each anomaly is shown by the smallest round within that has it.

    What the pairs within were seen to keep together, and none of them to let through, holds for the whole
    round too: a bad class that needs more is split_only. What is left of the bad classes is neither shown nor
    excluded. So every pair of unlike operations is walked before any class is excluded.
    """
    whole, rig = round_.planned, round_.rig
    parts = _Parts()
    for name in sorted(space.anomalies):
        small = shrink(rig, whole, name, progress=observer.progress)
        walked = walk_small(rig, small, effort, observer)
        if walked is not None:
            parts = parts.with_part(small, walked, frozenset({name}))
        else:
            note = f"{name} needs {len(small.operations)} actors, who share one instance's pool"
            parts = replace(parts, notes=(*parts.notes, note))
    for small in pairs(whole) if space.anomalies - parts.names else ():
        if small.operations not in parts.rounds and (walked := walk_small(rig, small, effort, observer)):
            parts = parts.with_part(small, walked, walked.summary.shown.realised_names - parts.names)
    # A section that any pair was seen to let another into holds nothing together, whatever the others show.
    exclusions = Exclusions(parts.together - parts.entered, space.programs)
    left, also = _left_of(space, exclusions, parts.names)
    shown = Realisations(
        each=(*parts.each, *left),
        causes=tuple({one.name: one for one in reversed(parts.causes)}.values())[::-1],
        witnesses=numbered(parts.witnesses, effort.replay),
        also=also,
        notes=parts.notes,
    )
    return Summary(
        space=space,
        shown=shown,
        instances=rig.options.instances,
        schedules=space.count(exclusions.allow),
        all_schedules=space.count(),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the smaller rounds within a round showed so far. `names`: anomalies that one of them has."""

    each: tuple[Realisation, ...] = ()
    causes: tuple[Cause, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    notes: tuple[str, ...] = ()
    names: frozenset[AnomalyName] = frozenset()
    rounds: tuple[tuple[Operation, ...], ...] = ()
    together: frozenset[Section] = frozenset()
    entered: frozenset[Section] = frozenset()

    def with_part(self, small: PlannedRound, walked: Walked, wanted: frozenset[AnomalyName]) -> "_Parts":
        """These and one more; of its witnesses those are taken that show what is `wanted`."""
        part = walked.summary.shown
        found = [w for w in part.witnesses if w.anomaly.name in wanted]
        shown = {w.anomaly.name for w in found}
        alone = " and ".join(operation.key for operation in small.operations)
        return _Parts(
            each=(*self.each, *(replace(one, is_part=True) for one in part.each)),
            causes=(*self.causes, *part.causes),
            witnesses=(*self.witnesses, *found),
            notes=(*self.notes, *(f"{name} is shown by {alone} alone" for name in sorted(shown))),
            names=self.names | shown,
            rounds=(*self.rounds, small.operations),
            together=self.together | walked.together,
            entered=self.entered | walked.entered,
        )


def _left_of(
    space: StateSpace, exclusions: Exclusions, names: frozenset[AnomalyName]
) -> tuple[list[Realisation], tuple[Execution, ...]]:
    """The bad classes that no smaller round stands for, and executions of those that one stands for.

    names   anomalies that a smaller round has
    """
    reachable = space.reached(exclusions.allow)
    left, also = [], []
    for run, leaf in space.violating:
        anomalies = tuple(sorted(space.bad_leaves[leaf]))
        said = Violation(anomalies=anomalies, classes=1, fate="unrealised", why=_NO_PAIR)
        if space.graph.is_whole and leaf not in reachable:
            left.append(Realisation(said=replace(said, fate="split_only", why=_APART)))
        elif space.bad_leaves[leaf] & names:
            also.append(run)
        else:
            left.append(Realisation(said=said))
    return left, tuple(also)


def numbered(witnesses: Sequence[Witness], replay: str) -> tuple[Witness, ...]:
    """Witnesses of several rounds with a number of its own for each record, by which it is replayed."""
    numbers: dict[int, int] = {}
    found = []
    for place, witness in enumerate(witnesses):
        number = numbers.setdefault(id(witness.record), place)
        record = replace(witness.record, index=number)
        found.append(replace(witness, record=record, replay=f"{replay} --round {number}"))
    return tuple(found)
