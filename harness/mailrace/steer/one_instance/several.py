"""A round of three or more in, what ONE instance shows of it out: by a smaller round within, else by all."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from mailrace.model.anomaly import AnomalyName
from mailrace.model.cause import Cause
from mailrace.model.consequences import in_order
from mailrace.model.operation import PlannedRound
from mailrace.model.result import Violation, Witness
from mailrace.steer.causes.grounds import grounds_of
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Node
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.state_space import StateSpace, graph_of
from mailrace.steer.one_instance.exclusions import Exclusions
from mailrace.steer.one_instance.pairs import (
    NOTHING_KEPT,
    Kept,
    Walked,
    kept_for_sure,
    linked,
    numbered,
    walk_small,
)
from mailrace.steer.one_instance.realisations import Realisation, Realisations, Summary
from mailrace.steer.one_instance.realise import Effort
from mailrace.steer.one_instance.realiser import Realiser
from mailrace.steer.one_instance.routes import preemptions_of
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.one_instance.shrink import pairs, shrink
from mailrace.steer.servers.round import Round

_APART = "no schedule of it keeps together what one instance was seen to keep together in the pairs within"
_NO_PAIR = "no pair within shows it, and its states are too many to steer more than two on one instance"
_NOT_TRIED = "another schedule of what breaks the same was tried, and did not come"
STATES_MAX = 500
"""Up to so many states a schedule of more than two actors is planned over all of them."""


def walk_several(round_: Round, space: StateSpace, effort: Effort, observer: Observer) -> Summary:
    """Three or more actors on one instance: each anomaly is shown by the smallest round within that has it.

    What the pairs within were seen to keep together, and none of them to let through, holds for the whole
    round too: a bad class that needs more is split_only. What is left of the bad classes is neither shown nor
    excluded. So every pair of unlike operations is walked before any class is excluded, and before a clean
    walk is PASS: what only one instance's memory shows is seen on one instance only.
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
    is_open = space.anomalies - parts.names or (space.is_exhaustive and not space.anomalies)
    for small in pairs(whole) if is_open else ():
        known = {one.operations for one in parts.rounds}
        if small.operations not in known and (walked := walk_small(rig, small, effort, observer)):
            parts = parts.with_part(small, walked, walked.summary.shown.realised_names - parts.names)
    exclusions = Exclusions(parts.kept.locks, space.programs)
    left, also = left_of(space, exclusions, parts.names)
    if any(one.said.fate == "split_only" and not one.names <= parts.names for _, one in left):
        # Only what the pairs keep together rules these out, so that is looked at with patience.
        observer.progress("looking again at what one instance keeps together")
        sure = reduce(or_, (kept_for_sure(rig, small) for small in parts.rounds), NOTHING_KEPT)
        exclusions = Exclusions(sure.locks - parts.kept.entered, space.programs)
        left, also = left_of(space, exclusions, parts.names)
    # What no smaller round shows takes them all: then one instance is to be brought into it with all of them.
    own = _open_of(space, left)
    whole_one = _by_all(round_, own, exclusions, effort, observer) if own.violating else Realisations()
    each = [one for run, one in left if run not in {run for run, _ in own.violating}]
    # The worst comes first, for a bundle takes the first; and each cause says which of these now shows it.
    witnesses = [*parts.witnesses, *whole_one.witnesses]
    worst = in_order(w.anomaly.name.value for w in witnesses)
    witnesses.sort(key=lambda w: worst.index(w.anomaly.name.value))
    told = numbered(witnesses, effort.replay)
    causes = [linked(one, told) for one in (*parts.causes, *whole_one.causes)]
    shown = Realisations(
        each=(*parts.each, *each, *whole_one.each),
        causes=tuple({one.name: one for one in reversed(causes)}.values())[::-1],
        witnesses=told,
        also=also,
        notes=(*parts.notes, *whole_one.notes),
        doubt=parts.doubt,
    )
    return Summary(
        space=space,
        shown=shown,
        instances=rig.options.instances,
        schedules=space.count(exclusions.allow),
        all_schedules=space.count(),
    )


def _open_of(space: StateSpace, left: Sequence[tuple[Execution, Realisation]]) -> StateSpace:
    """The space with those of its bad classes that are left, and whose states are all known."""
    still = [run for run, one in left if one.said.fate == "unrealised"] if space.graph.is_whole else []
    return replace(space, violating=tuple((run, leaf) for run, leaf in space.violating if run in still))


def _by_all(
    round_: Round, space: StateSpace, exclusions: Exclusions, effort: Effort, observer: Observer
) -> Realisations:
    """The bad classes of more than two actors, with all of them on one instance: one class of each kind."""
    kinds: dict[frozenset[AnomalyName], list[tuple[Execution, Node]]] = {}
    for run, leaf in space.violating:
        kinds.setdefault(space.bad_leaves[leaf], []).append((run, leaf))
    shown, left = Realisations(), []
    for number, (names, classes) in enumerate(kinds.items()):
        # Of what breaks the same that schedule is tried to which the pool comes most easily.
        ranked = sorted(
            (preemptions_of(space.graph, run.schedule, exclusions.allow), place)
            for place, (run, _) in enumerate(classes)
        )
        run, leaf = classes[ranked[0][1]]
        left += [(names, run) for place, (run, _) in enumerate(classes) if place != ranked[0][1]]
        now = time.monotonic()
        until = now + max(0.0, effort.until - now) / (len(kinds) - number)
        own = _narrowed(round_, replace(space, violating=((run, leaf),)))
        grounds = grounds_of(own, exclusions.allow, with_repairs=False)
        realiser = Realiser(round_, own, grounds, replace(effort, until=until), observer)
        found = realiser.on_one(SharedInstance(round_, own.graph), exclusions.allow)
        shown = Realisations(
            each=(*shown.each, *found.each),
            causes=(*shown.causes, *found.causes),
            witnesses=(*shown.witnesses, *found.witnesses),
            notes=(*shown.notes, *found.notes),
        )
    # The other classes of a kind are no more than counted, as those of pairs are.
    beside = []
    for names, _ in left:
        is_shown = names <= shown.realised_names
        said = Violation(
            anomalies=tuple(sorted(names)),
            classes=1,
            fate="left_out" if is_shown else "unrealised",
            why="" if is_shown else _NOT_TRIED,
        )
        beside.append(Realisation(said=said))
    return replace(shown, each=(*shown.each, *beside))


def _narrowed(round_: Round, space: StateSpace) -> StateSpace:
    """The space of one bad class; where it has too many states to plan with, those on its way only."""
    ((run, leaf),) = space.violating
    if space.graph.nodes <= STATES_MAX:
        return space
    graph = graph_of(round_, space.programs, run.schedule)
    end = graph.leaf_of(run.schedule)
    if end is None:
        return space
    return replace(space, graph=graph, violating=((run, end),), bad_leaves={end: space.bad_leaves[leaf]})


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the smaller rounds within a round showed so far. `names`: anomalies that one of them has.

    doubt   what one instance did with a pair that may be more than was shown, in words; "" if nothing
    """

    each: tuple[Realisation, ...] = ()
    causes: tuple[Cause, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    notes: tuple[str, ...] = ()
    names: frozenset[AnomalyName] = frozenset()
    rounds: tuple[PlannedRound, ...] = ()
    kept: Kept = NOTHING_KEPT
    doubt: str = ""

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
            rounds=(*self.rounds, small),
            kept=self.kept | walked.kept,
            doubt=self.doubt or part.doubt or walked.summary.why_points_missed,
        )


def left_of(
    space: StateSpace, exclusions: Exclusions, names: frozenset[AnomalyName]
) -> tuple[list[tuple[Execution, Realisation]], tuple[Execution, ...]]:
    """The bad classes that no smaller round stands for, and executions of those that one stands for.

    names   anomalies that a smaller round has
    """
    reachable = space.reached(exclusions.allow)
    left, also = [], []
    for run, leaf in space.violating:
        anomalies = tuple(sorted(space.bad_leaves[leaf]))
        said = Violation(anomalies=anomalies, classes=1, fate="unrealised", why=_NO_PAIR)
        if space.graph.is_whole and leaf not in reachable:
            left.append((run, Realisation(said=replace(said, fate="split_only", why=_APART))))
        elif space.bad_leaves[leaf] <= names:
            also.append(run)
        else:
            left.append((run, Realisation(said=said)))
    return left, tuple(also)
