"""Takes what one instance did and no explored schedule does; gives its realisation, if it comes again."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Follows
from mailrace.steer.explore.judge import ENDS, Judge
from mailrace.steer.one_instance.exclusions import Points
from mailrace.steer.one_instance.prover import Prover
from mailrace.steer.one_instance.realisations import Realisation
from mailrace.steer.one_instance.realise import REPEATS, Realised
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.one_instance.unguided import NEVER, Unguided, Way, ways


def at_point(
    prover: Prover,
    once: Callable[[], Execution],
    first: Execution,
    allowed: Follows,
    found: Sequence[Realisation],
) -> Realisation | str:
    """The realisation of what one instance did at a release point and no explored schedule does.

    `first` is the run that did it, and `once` runs that release point again. It counts where it comes again
    in at least half of the repeats. What comes less often may be a late reply: that doubt is given in words.
    """
    # No state of the graph stands for what came here, so only the release point itself can be repeated.
    runs = [first]
    for _ in range(REPEATS):
        try:
            runs.append(once())
        except ScheduleMissed:
            continue
    done = Realised(tuple(runs), 1, (1,) * (len(runs) - 1), 0.0)
    names = prover.space.judge.names(first)
    words, same = ", ".join(sorted(names)), prover.same(done, names)
    if 2 * same < REPEATS:
        return f"{words} at a release point, which came again {same} of {REPEATS} times"
    said = prover.as_it_was(first, allowed, same, 1)
    proven = prover.proven(said, (first,), done, allowed, found)
    is_explored = names <= prover.space.anomalies
    note = f"{words}: at a release point of one instance" + (
        "" if is_explored else ", and in no explored schedule"
    )
    return replace(proven, notes=(note,), is_beyond=True)


POINTS_EACH = 3
"""So many release points that show the same are tried: what a server keeps in memory may outlast a run."""


def bad_points(
    shared: SharedInstance, judge: Judge, points: Points, known: frozenset[AnomalyName] = frozenset()
) -> Iterator[tuple[Callable[[], Execution], Execution, frozenset[AnomalyName]]]:
    """Release points that show what is not `known`: how to run each once more, its run, what it shows.

    Of a server that hangs or ends only that counts: whatever it left undone comes of it. Nothing is left of
    what a point shows, where the instance breaks it in turn as well: that is no race, and not clean either.
    """
    times: Counter[frozenset[AnomalyName]] = Counter()
    for point, run in points.runs:
        names = judge.names(run) - known
        if run.has_ended_badly:
            names &= frozenset(ENDS)
        if names and times[names] < POINTS_EACH:
            times[names] += 1
            shared.rig.silence.forget()
            yield partial(shared.run, point, is_calm=True), run, names - broken_in_turn(shared, judge)


def without_graph(
    prover: Prover, shared: SharedInstance, allowed: Follows, until: float
) -> Realisation | None:
    """The first race that one instance shows at a release point that no graph is needed for.

    Such a race is proof by itself. Where there is none, nothing is known: other schedules were not tried.
    """
    judge = prover.space.judge
    lengths = [Counter(run.schedule) for run in prover.space.executions]
    steps = max(each[0] for each in lengths), max(each[1] for each in lengths)
    excused: frozenset[AnomalyName] | None = None
    shared.rig.silence.forget()
    for way in ways(steps):
        if time.monotonic() > until:
            break
        run = _tried(shared, way)
        if run is None or not judge.names(run):
            continue
        excused = broken_in_turn(shared, judge) if excused is None else excused
        if judge.names(run) - excused:
            shown = at_point(prover, partial(_once, shared, way), run, allowed, ())
            if not isinstance(shown, str):
                return shown
    return None


def broken_in_turn(shared: SharedInstance, judge: Judge) -> frozenset[AnomalyName]:
    """What breaks on one instance when the operations run one after the other, and so is no race.

    On a new one: what a race before has left in the memory of the old one would be taken for it.
    """
    shared.rig.replace(shared.rig.instances[0])
    runs = (_tried(shared, Way(first, NEVER)) for first in (0, 1))
    return frozenset().union(*(judge.names(run) for run in runs if run is not None))


def in_turn(names: frozenset[AnomalyName]) -> str:
    """What a release point showed and one instance breaks in turn as well, in a clause."""
    words = ", ".join(sorted(names))
    return (
        f"{words} shows on one instance when the operations run one after the other as well: "
        "a broken promise, not a race"
    )


def _tried(shared: SharedInstance, way: Way) -> Execution | None:
    try:
        return _once(shared, way)
    except ScheduleMissed:
        return None


def _once(shared: SharedInstance, way: Way) -> Execution:
    return shared.run_by(lambda seats, arrivals, names: Unguided(seats, arrivals, names).follow(way))
