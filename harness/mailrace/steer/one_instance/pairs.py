"""An explored round in, what ONE instance shows of it out; a pair is walked whole."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from mailrace.model.cause import Cause
from mailrace.model.operation import PlannedRound
from mailrace.model.result import Witness
from mailrace.steer.causes.grounds import grounds_of
from mailrace.steer.explore.graph import always
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.state_space import StateSpace, explore
from mailrace.steer.one_instance.exclusions import (
    Exclusions,
    Points,
    look_again,
    look_again_at_all,
    run_release_points,
)
from mailrace.steer.one_instance.realisations import Summary
from mailrace.steer.one_instance.realise import Effort
from mailrace.steer.one_instance.realiser import Realiser
from mailrace.steer.one_instance.sections import Section
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.one_instance.shrink import is_shrinkable, shrink
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round, round_on

EXTENT = Extent(schedules_max=5_000, seconds_max=20.0)


@dataclass(frozen=True, slots=True)
class OnOne:
    """One instance at each release point of an explored pair, and what it was seen to keep together."""

    shared: SharedInstance
    points: Points
    exclusions: Exclusions


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


class Kept(NamedTuple):
    """The sections that one instance kept together, and those into which it let another."""

    together: frozenset[Section] = frozenset()
    entered: frozenset[Section] = frozenset()

    @property
    def locks(self) -> frozenset[Section]:
        """What was let through once holds nothing together, whatever it showed at another time."""
        return self.together - self.entered

    def __or__(self, other: "Kept") -> "Kept":
        return Kept(self.together | other.together, self.entered | other.entered)


NOTHING_KEPT = Kept()


class Walked(NamedTuple):
    """A pair that was walked: what it came to, and what one instance was seen to do with its sections."""

    summary: Summary
    kept: Kept = NOTHING_KEPT


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
        why_points_missed=seen.points.in_words,
        unattributed=seen.shared.unattributed,
        seconds={"release_points": points_s},
    )
    return Walked(summary, Kept(seen.exclusions.together, frozenset(seen.shared.sections.entered)))


def walk_small(rig: Rig, planned: PlannedRound, effort: Effort, observer: Observer) -> Walked | None:
    """Explore and walk another round of two actors; None: it has more."""
    if len(planned.operations) != 2:
        return None
    with round_on(rig, planned) as round_:
        return walk_pair(round_, explore(round_, EXTENT), effort, observer)


def kept_for_sure(rig: Rig, planned: PlannedRound) -> Kept:
    """What one instance keeps together of a pair even though whoever waits has time to come.

    Nothing is sure of a pair that was not walked to its end: that another was let in may not have been seen.
    """
    with round_on(rig, planned) as round_:
        space = explore(round_, EXTENT)
        seen = look_on_one(round_, space)
        is_sure = space.is_exhaustive and not seen.points.missed
        kept = look_again_at_all(seen.shared, seen.exclusions, seen.points) if is_sure else frozenset()
        return Kept(kept, frozenset(seen.shared.sections.entered))


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
    causes = tuple(linked(one, found) for one in summary.shown.causes)
    return replace(summary, shown=replace(summary.shown, witnesses=found, causes=causes))


def numbered(witnesses: Sequence[Witness], replay: str) -> tuple[Witness, ...]:
    """Witnesses of several rounds with a number of its own for each record, by which it is replayed."""
    numbers: dict[int, int] = {}
    found = []
    for place, witness in enumerate(witnesses):
        number = numbers.setdefault(id(witness.record), place)
        record = replace(witness.record, index=number)
        found.append(replace(witness, record=record, replay=f"{replay} --round {number}"))
    return tuple(found)


def linked(cause: Cause, witnesses: Sequence[Witness]) -> Cause:
    """The cause with the number of the witness that has its schedule; -1: none has."""
    same = [
        w.record.index
        for w in witnesses
        if w.schedule is not None and w.schedule.text == cause.schedule and w.anomaly.name in cause.anomalies
    ]
    return replace(cause, witness=same[0] if same else -1)
