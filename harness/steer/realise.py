"""A class of the graph in, the same outcome on ONE unmodified instance out, and then again ten times.

First the order with the fewest deviations is planned, as it is the easiest to repeat; where that does not
come, any order that gives every actor the same answers and the store the same contents is taken. What came
is then the recorded order, and each later run has to equal it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.model.errors import ScheduleMissed
from harness.steer.blocks import Run
from harness.steer.course import Course, fewest_deviations
from harness.steer.graph import Follows, Graph, Node
from harness.steer.single import Single

TRIES_MAX = 200
REPEATS = 10
CALM = 0.3
"""A chance above which it is worth 0.1 s a try that no broadcast of the server's comes between."""
HOPELESS = 0.005
"""A chance a try below which none is made: 200 tries would hardly show it once."""


@dataclass(frozen=True, slots=True)
class Realised:
    """How it went. `runs`: the first, then its repeats, each of the recorded order.

    tries       it took to come to the class the first time (or that were spent in vain)
    repeat_tries  of each repeat
    """

    runs: tuple[Run, ...]
    tries: int
    repeat_tries: tuple[int, ...]
    seconds: float

    @property
    def is_realised(self) -> bool:
        """Whether the class was shown on one instance."""
        return bool(self.runs)


def realise(
    single: Single,
    graph: Graph,
    target: Node,
    allowed: Follows,
    *,
    is_bad: Callable[[Run], bool],
    tries_max: int = TRIES_MAX,
    repeats: int = REPEATS,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> Realised:
    """Bring one instance to the leaf, at most `tries_max` tries; then by the order that came, again.

    `is_bad` says of a run whether it shows what is looked for; a realised order that does not is no witness.
    The repeats together have `tries_max` tries.
    """
    began = time.monotonic()
    order = fewest_deviations(graph, target, allowed)
    courses = [Course.along(graph, order, allowed)] if order else []
    courses.append(Course(graph, target, allowed))
    first, tries, kept = None, 0, courses[0]
    for course in courses:
        if course.chance < HOPELESS or first is not None:
            continue
        tries_here = min(tries_max - tries, max(20, round(4 / course.chance)))
        first, took = _try(single, course, tries_here, is_bad, is_out_of_time)
        kept = course
        tries += took
    if first is None:
        return Realised((), tries, (), time.monotonic() - began)
    runs = [first]
    repeat_tries: list[int] = []
    # A server that hangs leaves its order unfinished: what was planned is then all there is to repeat.
    is_whole = graph.leaf_of(first.order) is not None
    exactly = Course.along(graph, first.order, allowed) if is_whole else kept
    for _ in range(repeats):
        left = tries_max - sum(repeat_tries)
        again, took = _try(single, exactly, left, lambda _: True, is_out_of_time)
        repeat_tries.append(took)
        if again is None:
            break
        runs.append(again)
    return Realised(tuple(runs), tries, tuple(repeat_tries), time.monotonic() - began)


def _try(
    single: Single,
    pilot: Course,
    tries_max: int,
    is_wanted: Callable[[Run], bool],
    is_out_of_time: Callable[[], bool],
) -> tuple[Run | None, int]:
    """The first run that keeps the course and is wanted, and how many tries were made."""
    for tried in range(1, tries_max + 1):
        if is_out_of_time():
            return None, tried - 1
        try:
            run = single.run(pilot, is_calm=pilot.chance > CALM)
        except ScheduleMissed:
            continue
        if is_wanted(run):
            return run, tried
    return None, tries_max
