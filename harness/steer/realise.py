"""A class of the graph in, the same outcome on ONE unmodified instance out, and then again ten times.

Between two actors the pool alternates, so an order costs one deviation for each block that follows a block
of its own actor while the other waits. There, decoys are queued: the pool draws, the decoy's one read is
held until the actor is queued again, and it draws once more. A try whose draw went wrong is given up at the
first block that leads nowhere; any order is welcome that gives every actor the same answers and the store
the same contents.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.model.errors import ScheduleMissed
from harness.steer.graph import Follows, Graph, Node
from harness.steer.single import GO_ON, Decision, Single
from harness.steer.twins import Run

TRIES_MAX = 200
REPEATS = 10
DECOYS = 2


def is_deviation(node: Node, last: int, actor: int) -> bool:
    """Whether the pool would not let `actor` run again at `node` by itself: another one waits."""
    return actor == last and any(other != actor and node.number(other) for other in node.edges)


@dataclass(slots=True)
class Course:
    """A pilot to one leaf by the fewest deviations; it takes what comes as long as the leaf stays open."""

    graph: Graph
    target: Node
    allowed: Follows
    decoys: int = DECOYS
    _cost: dict[tuple[Node, int], float] = field(default_factory=dict)

    @property
    def deviations(self) -> float:
        """The fewest with which one instance can come to the leaf; infinite: it cannot."""
        return min((self.cost(c, a) for a, c in self.graph.root.edges.items()), default=math.inf)

    def cost(self, node: Node, last: int) -> float:
        """Deviations still needed after `last` ran into `node`."""
        key = (node, last)
        if key not in self._cost:
            self._cost[key] = math.inf  # the graph has no cycles; this is only for a leaf of another outcome
            if node.is_leaf:
                self._cost[key] = 0 if node is self.target else math.inf
            else:
                self._cost[key] = min(self.ahead(node, last).values(), default=math.inf)
        return self._cost[key]

    def ahead(self, node: Node, last: int) -> dict[int, float]:
        """Deviations still needed by who runs next."""
        return {
            actor: self.cost(child, actor) + is_deviation(node, last, actor)
            for actor, child in node.edges.items()
            if self.allowed(node, last, actor)
        }

    def first(self) -> int:
        """See `Pilot`."""
        return min(self.graph.root.edges, key=lambda a: self.cost(self.graph.root.edges[a], a))

    def hold(self, node: Node, actor: int, released: frozenset[int]) -> Decision:
        """See `Pilot`."""
        child = node.edges[actor]
        if math.isinf(self.cost(child, actor)):
            return Decision(is_lost=True)
        ahead = self.ahead(child, actor)
        if not ahead:
            return GO_ON
        best = min(ahead, key=lambda a: (ahead[a], a != actor))
        if best != actor:
            return Decision(release=tuple({best} - released))
        waits = any(other in released and other != actor for other in child.edges)
        cheapest_other = min((c for a, c in ahead.items() if a != actor), default=math.inf)
        return Decision(decoys=self.decoys) if waits and cheapest_other > ahead[actor] else GO_ON

    def idle(self, node: Node, released: frozenset[int]) -> int:
        """See `Pilot`."""
        ahead = {a: c for a, c in self.ahead(node, -1).items() if a not in released}
        return min(ahead, key=lambda a: ahead[a])


@dataclass(slots=True)
class Exactly:
    """A pilot that keeps one recorded order, block by block."""

    order: tuple[int, ...]
    decoys: int = DECOYS
    at: int = 0

    def first(self) -> int:
        """See `Pilot`."""
        self.at = 0
        return self.order[0]

    def hold(self, node: Node, actor: int, released: frozenset[int]) -> Decision:
        """See `Pilot`."""
        if self.at >= len(self.order) or self.order[self.at] != actor:
            return Decision(is_lost=True)
        self.at += 1
        if self.at == len(self.order):
            return GO_ON
        following, child = self.order[self.at], node.edges[actor]
        if following != actor:
            return Decision(release=tuple({following} - released))
        waits = any(other in released and other != actor for other in child.edges)
        return Decision(decoys=self.decoys) if waits else GO_ON

    def idle(self, node: Node, released: frozenset[int]) -> int:
        """See `Pilot`."""
        return self.order[self.at]


def deviations_of(graph: Graph, order: tuple[int, ...]) -> int:
    """Deviations of one order from the pool's alternation."""
    node, last, found = graph.root, -1, 0
    for actor in order:
        found += is_deviation(node, last, actor)
        node, last = node.edges[actor], actor
    return found


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
    course: Course,
    *,
    is_bad: Callable[[Run], bool],
    tries_max: int = TRIES_MAX,
    repeats: int = REPEATS,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> Realised:
    """Bring one instance to the course's leaf, at most `tries_max` tries; then the order found, again.

    `is_bad` says of a run whether it shows what is looked for; a realised order that does not is no witness.
    """
    began = time.monotonic()
    first, tries = _try(single, lambda: course, tries_max, is_out_of_time)
    while first is not None and not is_bad(first) and tries < tries_max:
        first, more = _try(single, lambda: course, tries_max - tries, is_out_of_time)
        tries += more
    if first is None or not is_bad(first):
        return Realised((), tries, (), time.monotonic() - began)
    runs, repeat_tries = [first], []
    order = first.order
    for _ in range(repeats):
        again, took = _try(single, lambda: Exactly(order, course.decoys), tries_max, is_out_of_time)
        repeat_tries.append(took)
        if again is not None:
            runs.append(again)
    return Realised(tuple(runs), tries, tuple(repeat_tries), time.monotonic() - began)


def _try(
    single: Single,
    pilot: Callable[[], Course | Exactly],
    tries_max: int,
    is_out_of_time: Callable[[], bool],
) -> tuple[Run | None, int]:
    for tried in range(1, tries_max + 1):
        if is_out_of_time():
            return None, tried - 1
        try:
            return single.run(pilot()), tried
        except ScheduleMissed:
            continue
    return None, tries_max
