"""An explored round in, what ONE instance shows of it out: a pair itself, a larger round by a pair in it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mailrace.history import Journal
from mailrace.model.anomaly import AnomalyName
from mailrace.model.operation import Operation, PlannedRound, ServerOptions
from mailrace.model.request import OneOfEach
from mailrace.model.result import Violation, Witness
from mailrace.steer.causes.grounds import grounds_of
from mailrace.steer.explore.graph import Follows, always
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.state_space import StateSpace, explore
from mailrace.steer.one_instance.exclusions import Exclusions, Points, look_again, run_release_points
from mailrace.steer.one_instance.realisations import Realisations, Summary
from mailrace.steer.one_instance.realiser import Realiser
from mailrace.steer.one_instance.scheduler import Section
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.one_instance.shrink import pairs, shrink
from mailrace.steer.one_instance.words import counted
from mailrace.steer.servers.rig import Rig

_APART = "no order of it keeps together what one instance was seen to keep together in the pairs within"
_NO_PAIR = "no pair within shows it, and more than two that share one instance's pool are not steered"

EXTENT = Extent(schedules_max=5_000, seconds_max=20.0)


@dataclass(frozen=True, slots=True)
class OnOne:
    """One instance at each release point of an explored pair, and what it was seen to keep together."""

    single: SharedInstance
    points: Points
    exclusions: Exclusions

    @property
    def points_missed(self) -> str:
        """How many release points were missed, in words; "" if none was."""
        return f"{counted(self.points.missed, 'release point')} missed" if self.points.missed else ""


def look_on_one(rig: Rig, space: StateSpace) -> OnOne:
    """Run every release point of the pair that the rig holds and `space` is of."""
    single = SharedInstance(rig, space.graph)
    points = run_release_points(single)
    seen = Exclusions.seen(single, space.programs)
    # What is kept together makes bad schedules not count, so there it is looked at with patience.
    if not {leaf for _, leaf in space.violating} <= space.reached(seen.allow):
        seen = look_again(single, seen, points)
    return OnOne(single, points, seen)


@dataclass(slots=True)
class Pair:
    """Walks the release points of a pair, learns what is kept together, and realises its bad classes.

    together   sections that one instance was seen to keep together, of all pairs walked so far
    apart      sections that it let another into, of all pairs: no pair's lock stands against them
    walked     the operations of each pair walked so far
    """

    rig: Rig
    options: ServerOptions
    replay: str
    until: float
    progress: Callable[[str], None]
    one_of_each: OneOfEach = "cause"
    journal: Journal | None = None
    together: set[Section] = field(default_factory=set)
    apart: set[Section] = field(default_factory=set)
    walked: list[tuple[Operation, ...]] = field(default_factory=list)

    def walk(self, space: StateSpace, summary: Summary) -> Realisations:
        """The rig holds the pair that `space` is of; the summary takes its numbers."""
        if self.options.instances > 1:
            summary.count(always)
            realiser = self._realiser(space, always)
            summary.shown = realiser.on_separate(SeparateInstances(self.rig))
            return summary.shown
        began = time.monotonic()
        seen = look_on_one(self.rig, space)
        single, points, locks = seen.single, seen.points, seen.exclusions
        summary.points += len(points.runs)
        summary.points_missed += points.missed
        summary.points_bad += sum(1 for _, run in points.runs if space.judge.races(run))
        self.together |= locks.together
        self.apart |= single.apart
        self.walked.append(self.rig.planned.operations)
        spent = summary.seconds.get("release_points", 0.0)
        summary.seconds["release_points"] = spent + time.monotonic() - began
        summary.count(locks.allow)
        realiser = self._realiser(space, locks.allow)
        summary.shown = realiser.on_one(single, locks.allow)
        known = frozenset().union(*space.bad_leaves.values())
        for point, run in points.runs:
            if space.judge.names(run) - known:  # no explored order does that: one instance alone does
                realiser.at_point(single, point, run, locks.allow)
                known |= space.judge.names(run)
        summary.unattributed += single.unattributed
        return summary.shown

    def _realiser(self, space: StateSpace, allowed: Follows) -> Realiser:
        return Realiser(
            self.rig,
            space,
            self.replay,
            self.until,
            self.progress,
            grounds_of(space, allowed),
            self.one_of_each,
            self.journal,
        )

    def smaller(self, summary: Summary) -> list[Witness]:
        """Witnesses of the smallest round that still shows each realised anomaly, one for each."""
        witnesses: list[Witness] = []
        whole = self.rig.planned
        for name in sorted({w.anomaly.name for w in summary.shown.witnesses}):
            self.rig.load(whole)
            small = shrink(self.rig, name, progress=self.progress)
            shown = self.of(small) if small is not whole else None
            own = [w for w in (shown.witnesses if shown else []) if w.anomaly.name is name]
            witnesses += own or [w for w in summary.shown.witnesses if w.anomaly.name is name]
        return witnesses

    def of(self, planned: PlannedRound) -> Realisations | None:
        """Walk another round of two actors; None: it has more."""
        self.rig.load(planned)
        if len(self.rig.planned.operations) != 2:
            return None
        space = explore(self.rig, EXTENT)
        aside = Summary(space, Realisations(), 1, 2, {})
        return self.walk(space, aside)


def several(pair: Pair, space: StateSpace, summary: Summary) -> None:
    """Three or more actors on one instance: each anomaly is shown by the smallest round within that has it.

    What the pairs within were seen to keep together, and none of them to let through, holds for the whole
    round too: a bad class that needs more is split_only. What is left of the bad classes is neither shown nor
    excluded. So every pair of unlike operations is walked before any class is excluded.
    """
    whole = pair.rig.planned
    shown = summary.shown
    names: set[AnomalyName] = {name for found in space.bad_leaves.values() for name in found}
    shown_names: set[AnomalyName] = set()

    def add(small: PlannedRound, part: Realisations, wanted: set[AnomalyName]) -> None:
        shown.realised += part.realised
        shown.same += part.same
        shown.repeats += part.repeats
        shown.tries += part.tries
        shown.violations += part.violations
        shown.causes += [one for one in part.causes if one.name not in {c.name for c in shown.causes}]
        found = [w for w in part.witnesses if w.anomaly.name in wanted]
        shown.witnesses += found
        alone = " and ".join(o.key for o in small.operations)
        for name in sorted({w.anomaly.name for w in found}):
            shown_names.add(name)
            shown.notes.append(f"{name} is shown by {alone} alone")

    for name in sorted(names):
        pair.rig.load(whole)
        small = shrink(pair.rig, name, progress=pair.progress)
        part = pair.of(small)
        if part is not None:
            add(small, part, {name})
        else:
            shown.notes.append(f"{name} needs {len(small.operations)} actors, who share one instance's pool")
    for small in pairs(whole) if names - shown_names else ():
        if small.operations not in pair.walked and (part := pair.of(small)) is not None:
            add(small, part, part.realised_names - shown_names)
    locks = Exclusions(frozenset(pair.together - pair.apart), space.programs)
    summary.count(locks.allow if locks.together else always)
    reachable = space.reached(locks.allow)
    for run, leaf in space.violating:
        said = Violation(anomalies=tuple(sorted(space.bad_leaves[leaf])), classes=1, fate="unrealised")
        if space.graph.is_whole and leaf not in reachable:
            shown.split_only += 1
            shown.violations.append(replace(said, fate="split_only", why=_APART))
        elif space.bad_leaves[leaf] & shown_names:
            shown.classes.append(run)
        else:
            shown.unrealised += 1
            shown.unrealised_names |= space.bad_leaves[leaf]
            shown.violations.append(replace(said, why=_NO_PAIR))
