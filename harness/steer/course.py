"""A leaf of the graph (or one order) in, a pilot that brings ONE instance there with the best chances out.

Who gets the pool connection after a held block: with one waiter that one, always; with several, the pool
draws. Between two actors it therefore alternates, and a block that follows one of its own actor's while the
other waits is a deviation. Decoys make it possible: queued beside the waiting actor, one may be drawn first;
it is held until the first actor is queued again, and then the pool draws once more. How many decoys to queue
at each block, and when to write each actor's last byte, is what maximises the chance of arriving: a small
Markov decision process over the graph, solved backwards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.steer.graph import Follows, Graph, Node
from harness.steer.pilot import Decision

DECOYS_QUEUED_MAX = 4
DECOYS_ADDED_MAX = 3

Released = frozenset[int]
_Cost = tuple[int, tuple[int, ...]]


def is_deviation(node: Node, last: int, actor: int, allowed: Follows) -> bool:
    """Whether the pool would not let `actor` run again at `node` by itself: another one waits."""
    if actor != last:
        return False
    return any(o != actor and node.number(o) and allowed(node, last, o) for o in node.edges)


def deviations_of(graph: Graph, order: Iterable[int], allowed: Follows) -> int:
    """Deviations of one order from the pool's alternation."""
    node, last, found = graph.root, -1, 0
    for actor in order:
        found += is_deviation(node, last, actor, allowed)
        node, last = node.edges[actor], actor
    return found


def fewest_deviations(graph: Graph, target: Node, allowed: Follows) -> tuple[int, ...] | None:
    """The order that ends in `target` with the fewest deviations, of those that are `allowed`; or None."""
    memo: dict[tuple[Node, int], _Cost | None] = {}

    def best(node: Node, last: int) -> _Cost | None:
        key = (node, last)
        if key not in memo:
            found: list[_Cost] = [(0, ())] if node is target else []
            for actor, child in node.edges.items():
                rest = best(child, actor) if allowed(node, last, actor) else None
                if rest is not None:
                    found.append((rest[0] + is_deviation(node, last, actor, allowed), (actor, *rest[1])))
            memo[key] = min(found, default=None)
        return memo[key]

    whole = best(graph.root, -1)
    return whole[1] if whole else None


@dataclass(slots=True)
class Course:
    """A pilot. `route` narrows it to one order; without it every order that ends in `target` is welcome."""

    graph: Graph
    target: Node
    allowed: Follows
    route: Mapping[Node, int] | None = None
    _values: dict[tuple[Node, int, int, Released], float] = field(default_factory=dict)
    _best: dict[tuple[Node, int, int, Released], Decision] = field(default_factory=dict)

    @classmethod
    def along(cls, graph: Graph, order: Iterable[int], allowed: Follows) -> "Course":
        """The pilot that keeps exactly that order."""
        node, route = graph.root, {}
        for actor in order:
            route[node] = actor
            node = node.edges[actor]
        return cls(graph, node, allowed, route)

    @property
    def chance(self) -> float:
        """Of one try, by the pool's rule; 0: one instance cannot come there."""
        return max((self._started(a) for a in self.graph.root.edges), default=0.0)

    def first(self) -> int:
        """See `Pilot`."""
        return max(self.graph.root.edges, key=self._started)

    def hold(self, node: Node, actor: int, released: Released, decoys: int) -> Decision:
        """See `Pilot`."""
        decoys = min(decoys, DECOYS_QUEUED_MAX)
        if self._value(node, actor, decoys, released) == 0.0:
            return Decision(is_lost=True)
        return self._best[node, actor, decoys, released]

    def idle(self, node: Node, released: Released) -> int:
        """See `Pilot`."""
        left = [a for a in node.edges if a not in released] or sorted(set(range(9)) - released)[:1]
        return max(left, key=lambda a: self._value(node, a, 0, released | {a}) if a in node.edges else 0.0)

    def _started(self, actor: int) -> float:
        return self._value(self.graph.root, actor, 0, frozenset({actor}))

    def _value(self, node: Node, held: int, decoys: int, released: Released) -> float:
        """The chance to arrive while `held`'s block waits at `node` and that many decoys are queued."""
        key = (node, held, decoys, released)
        if key not in self._values:
            self._values[key] = 0.0
            if held in node.edges and (self.route is None or self.route.get(node) == held):
                self._values[key], self._best[key] = self._choose(node.edges[held], held, decoys, released)
        return self._values[key]

    def _choose(self, child: Node, held: int, decoys: int, released: Released) -> tuple[float, Decision]:
        if child.is_leaf:
            return (1.0 if child is self.target else 0.0), Decision()
        best = (-1.0, Decision())
        waiting_to_start = [a for a in child.edges if a not in released]
        for starting in ((), *((a,) for a in waiting_to_start)):
            about = released | set(starting)
            waits = self._waiting(child, held, about)
            most = min(DECOYS_ADDED_MAX, DECOYS_QUEUED_MAX - decoys) if waits and held in child.edges else 0
            for added in range(most + 1):
                chance = self._drawn(child, held, decoys + added, about)
                if chance > best[0] + 1e-9:
                    best = (chance, Decision(release=starting, decoys=added))
        return best

    def _waiting(self, node: Node, held: int, released: Released) -> list[int]:
        """The actors that are queued for the connection at `node`, apart from the one that has it."""
        return [a for a in node.edges if a in released and a != held and self.allowed(node, held, a)]

    def _drawn(self, node: Node, held: int, decoys: int, released: Released) -> float:
        """The chance once the held block has gone on and the pool hands the connection to a waiter."""
        waits = self._waiting(node, held, released)
        if not waits and not decoys:
            if held in node.edges:
                return self._value(node, held, 0, released)
            left = [a for a in node.edges if a not in released]
            return max((self._value(node, a, 0, released | {a}) for a in left), default=0.0)
        total = len(waits) + decoys
        chance = sum(self._value(node, a, decoys, released) for a in waits)
        if decoys:
            chance += decoys * self._again(node, held, decoys - 1, released)
        return chance / total

    def _again(self, node: Node, held: int, decoys: int, released: Released) -> float:
        """The chance of the draw after a decoy's: the first actor is queued again."""
        waits = self._waiting(node, held, released) + ([held] if held in node.edges else [])
        if not waits and not decoys:
            return self._drawn(node, held, 0, released)
        chance = sum(self._value(node, a, decoys, released) for a in waits)
        if decoys:
            chance += decoys * self._again(node, held, decoys - 1, released)
        return chance / (len(waits) + decoys)
