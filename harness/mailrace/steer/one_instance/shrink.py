"""A violating round in, a smaller one that still shows the anomaly out: fewer actors, fewer tags, less mail.

Each candidate is explored, which takes less than a second for a pair; what no longer shows the anomaly is
put back. Fewer preemptions come by themselves: the schedule that is realised has the fewest.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from mailrace.check.orders import constraints
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import TargetError
from mailrace.model.operation import Operation, PlannedRound, Send, SetTags
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.state_space import explore
from mailrace.steer.servers.marks import tags_of
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import round_on

BODY_BYTES = 10
EXPLORED_MAX = 40
SECONDS_MAX = 30.0
SCHEDULES_MAX = 2_000


def shrink(
    rig: Rig,
    planned: PlannedRound,
    name: AnomalyName,
    *,
    progress: Callable[[str], None],
) -> PlannedRound:
    """The smallest round found that shows `name`. Greedy and bounded."""
    best = planned
    until = time.monotonic() + SECONDS_MAX
    explored = 0
    is_smaller = True
    tried = list(pairs(best))
    while is_smaller:
        is_smaller = False
        for candidate in (*tried, *smaller(best)):
            if explored >= EXPLORED_MAX or time.monotonic() > until:
                return best
            explored += 1
            progress(f"shrinking: {len(candidate.operations)} actors")
            if _shows(rig, candidate, name, until - time.monotonic()):
                best, is_smaller, tried = candidate, True, []
                break
        tried = []
    return best


def is_shrinkable(planned: PlannedRound) -> bool:
    """Whether there is any candidate."""
    return next(smaller(planned), None) is not None


def pairs(planned: PlannedRound) -> Iterator[PlannedRound]:
    """Two actors of a larger round for each pair of kinds, with one tag each: most races need no more.

    Of a kind are operations that differ in names only.
    """
    kind = constraints(planned).kind
    seen = set()
    if len(planned.operations) > 2:
        for one, other in combinations(range(len(planned.operations)), 2):
            if (kind[one], kind[other]) not in seen:
                seen.add((kind[one], kind[other]))
                both = planned.operations[one], planned.operations[other]
                yield replace(planned, operations=(_first_tag(both[0]), _first_tag(both[1])))


def smaller(planned: PlannedRound) -> Iterator[PlannedRound]:
    """Rounds with one thing less, the greatest first: an actor, a given message, a tag, a long body."""
    operations = planned.operations
    if len(operations) > 2:
        for index in reversed(range(len(operations))):
            yield replace(planned, operations=operations[:index] + operations[index + 1 :])
    named = {key for o in operations for key in o.named}
    for message in planned.given:
        if message.key not in named:
            yield replace(planned, given=tuple(m for m in planned.given if m is not message))
    for tag in sorted({t.lower() for o in operations for t in tags_of(o)}):
        if all(len(tags_of(o)) > 1 for o in operations if tag in map(str.lower, tags_of(o))):
            yield replace(planned, operations=tuple(_without(o, tag) for o in operations))
    if any(isinstance(o, Send) and o.message.body_bytes > 10 * BODY_BYTES + 100 for o in operations):
        yield replace(planned, operations=tuple(_short(o) for o in operations))


def _shows(rig: Rig, planned: PlannedRound, name: AnomalyName, seconds: float) -> bool:
    try:
        with round_on(rig, planned) as round_:
            space = explore(round_, Extent(schedules_max=SCHEDULES_MAX, seconds_max=min(seconds, 10.0)))
    except TargetError:
        return False
    return name in space.anomalies


def _without(operation: Operation, tag: str) -> Operation:
    if isinstance(operation, Send):
        taken = {t: "" for t in operation.message.tags if t.lower() == tag}
        return replace(operation, message=operation.message.with_tags(taken))
    if isinstance(operation, SetTags):
        return replace(operation, tags=tuple(t for t in operation.tags if t.lower() != tag))
    return operation


def _first_tag(operation: Operation) -> Operation:
    for tag in tags_of(operation)[1:]:
        operation = _without(operation, tag.lower())
    return operation


def _short(operation: Operation) -> Operation:
    if isinstance(operation, Send):
        return replace(operation, message=replace(operation.message, body_bytes=BODY_BYTES))
    return operation
