"""A leaf of the graph in, schedules that end in it out: those that the pool gives by itself, or nearly so.

After a step the pool's connection goes to an actor that waits for it. A step that follows one of its own
actor's while another waits is a preemption from that: only a draw among several brings it about.
"""

import heapq
from collections.abc import Iterable, Iterator

from mailrace.steer.explore.graph import Follows, Graph, Node

PREEMPTION = 0.85
AFTERWARDS = 0.5
"""-log of about the chance of a preemption, and of going on to the other actor while decoys are left over."""


def is_preemption(node: Node, last: int, actor: int, allowed: Follows) -> bool:
    """Whether the pool would not let `actor` run again at `node` by itself: another one waits."""
    if actor != last:
        return False
    return any(o != actor and node.number(o) and allowed(node, last, o) for o in node.edges)


def preemptions_of(graph: Graph, schedule: Iterable[int], allowed: Follows) -> int:
    """Places where a schedule departs from the turn that the pool gives by itself."""
    node, last, found = graph.root, -1, 0
    for actor in schedule:
        found += is_preemption(node, last, actor, allowed)
        node, last = node.edges[actor], actor
    return found


def fewest_preemptions(graph: Graph, target: Node, allowed: Follows) -> tuple[int, ...] | None:
    """The `allowed` schedule that ends in `target` with the fewest preemptions; None: there is none."""
    return next(_by_cost(graph, target, allowed, preemption=1.0, afterwards=0.0), None)


def likely_schedules(graph: Graph, target: Node, allowed: Follows, number: int) -> list[tuple[int, ...]]:
    """At most so many `allowed` schedules that end in `target`, about the likeliest first."""
    found = _by_cost(graph, target, allowed, preemption=PREEMPTION, afterwards=AFTERWARDS)
    return [schedule for schedule, _ in zip(found, range(number), strict=False)]


def _by_cost(
    graph: Graph, target: Node, allowed: Follows, *, preemption: float, afterwards: float
) -> Iterator[tuple[int, ...]]:
    """Every allowed schedule to `target`, the cheapest first (A*, with the exact cost of what is left)."""
    rest: dict[tuple[Node, int, bool], float] = {}

    def steps(node: Node, last: int, is_after: bool) -> Iterator[tuple[float, int, bool]]:
        """Each step that may follow: its cost, its actor, and whether it is a preemption."""
        for actor in node.edges:
            if allowed(node, last, actor):
                turns = is_preemption(node, last, actor, allowed)
                leaves = is_after and actor != last and last in node.edges
                yield turns * preemption + leaves * afterwards, actor, turns

    def left(node: Node, last: int, is_after: bool) -> float:
        """The least cost of the way from here to the target; infinite where there is none."""
        key = (node, last, is_after)
        if key not in rest:
            ways = (
                cost + left(node.edges[actor], actor, turns)
                for cost, actor, turns in steps(node, last, is_after)
            )
            rest[key] = 0.0 if node is target else min(ways, default=float("inf"))
        return rest[key]

    # What is left costs exactly `left`, so the prefix of the cheapest whole is always taken up first.
    queue: list[tuple[float, tuple[int, ...], float, Node, bool]] = []
    if left(graph.root, -1, False) < float("inf"):
        queue.append((left(graph.root, -1, False), (), 0.0, graph.root, False))
    while queue:
        _, schedule, spent, node, is_after = heapq.heappop(queue)
        if node is target:
            yield schedule
            continue
        for cost, actor, turns in steps(node, schedule[-1] if schedule else -1, is_after):
            child = node.edges[actor]
            whole = spent + cost + left(child, actor, turns)
            if whole < float("inf"):
                heapq.heappush(queue, (whole, (*schedule, actor), spent + cost, child, turns))
