"""A leaf of the graph, or one schedule, in; the scheduler that best brings ONE instance there out.

Who gets the pool connection after a held step: with one waiter that one; with several, the pool draws.
Between two actors it therefore alternates, and a step that follows one of its own actor's while the other
waits is a preemption. Decoys make it possible: queued beside the waiting actor, one may be drawn first; it is
held until the first actor is queued again, and then the pool draws once more. Of two that wait the one that
is wished for is drawn half the time, so n preemptions come in at most 1 of 2^n tries. How many decoys to
queue at each step, and when to write each actor's last byte, is what maximises the chance of arriving: a
small Markov decision process over the graph, solved backwards.

An actor that waited for a lock of the server's own is not in the pool's queue yet when the lock is let go:
whether it still comes first is seen from try to try (`Draws`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mailrace.steer.explore.graph import Follows, Graph, Node
from mailrace.steer.one_instance.scheduler import Decision

DECOYS_QUEUED_MAX = 8

Released = frozenset[int]
_State = tuple[Node, int, int, Released]


@dataclass(slots=True)
class Draws:
    """Who came after a step while exactly one actor waited and no decoy did, as seen: (that one, the same).

    version   grows where something was seen that changes a chance
    """

    seen: dict[tuple[Node, int], tuple[int, int]] = field(default_factory=dict)
    version: int = 0

    def note(self, node: Node, held: int, *, is_waiter: bool) -> None:
        """The step of `held` went out at `node`, and the waiting actor came next, or not."""
        waiter, same = self.seen.get((node, held), (0, 0))
        self.seen[node, held] = (waiter + is_waiter, same + (not is_waiter))
        self.version += not is_waiter or same > 0

    def prompt(self, node: Node, held: int) -> float:
        """The share in which the waiting actor comes next; 1 until it was seen not to.

        Two draws in its favour are granted, since a background statement may have come between.
        """
        waiter, same = self.seen.get((node, held), (0, 0))
        return (waiter + 2) / (waiter + same + 2)


@dataclass(slots=True)
class PlannedSchedule:
    """A `Scheduler`. `route` narrows it to one schedule; without it any that ends in `target` will do."""

    graph: Graph
    target: Node
    allowed: Follows
    route: Mapping[Node, int] | None = None
    draws: Draws = field(default_factory=Draws)
    _values: dict[_State, float] = field(default_factory=dict)
    _best: dict[_State, Decision] = field(default_factory=dict)
    _drawn_again: dict[_State, float] = field(default_factory=dict)
    _leads: dict[Node, bool] = field(default_factory=dict)
    _version: int = 0
    _open: tuple[Node, int, int] | None = None
    """The step that went out last while one actor and no decoy waited: its node, its actor, the waiter."""

    @classmethod
    def along(
        cls, graph: Graph, schedule: Iterable[int], allowed: Follows, draws: Draws | None = None
    ) -> "PlannedSchedule":
        """The scheduler that keeps exactly that schedule."""
        node, route = graph.root, {}
        for actor in schedule:
            route[node] = actor
            node = node.edges[actor]
        return cls(graph, node, allowed, route, draws or Draws())

    @property
    def chance(self) -> float:
        """Of one try, by the pool's rule and what was seen of it; 0: one instance cannot come there."""
        self._refresh()
        return max((self._started(a) for a in self.graph.root.edges), default=0.0)

    def first(self) -> int:
        """See `Scheduler`. Works out nothing anew: `chance` does, which is asked for from time to time."""
        self._open = None
        return max(self.graph.root.edges, key=self._started)

    def hold(self, node: Node, actor: int, released: Released, decoys: int) -> Decision:
        """See `Scheduler`."""
        if self._open is not None:
            before, last, waiter = self._open
            if actor in (last, waiter):
                self.draws.note(before, last, is_waiter=actor == waiter)
        self._open = None
        decoys = min(decoys, DECOYS_QUEUED_MAX)
        if self._value(node, actor, decoys, released) == 0.0:
            return Decision(is_lost=True)
        decision = self._best[node, actor, decoys, released]
        waits = self._waiting(node.edges[actor], actor, released.union(decision.release))
        if len(waits) == 1 and not decoys + decision.decoys:
            self._open = (node, actor, waits[0])
        return decision

    def idle(self, node: Node, released: Released) -> int:
        """See `Scheduler`."""
        left = [a for a in node.edges if a not in released] or sorted(set(range(9)) - released)[:1]
        return max(left, key=lambda a: self._value(node, a, 0, released | {a}) if a in node.edges else 0.0)

    def choose(self, node: Node, last: int, able: tuple[int, ...]) -> int | None:
        """See `Scheduler`: any step on the way to the target will do, or the route's."""
        wanted = list(node.edges) if self.route is None else [self.route.get(node, -1)]
        good = (a for a in wanted if a in able and a in node.edges and self._is_on_the_way(node.edges[a]))
        return next(good, None)

    def _refresh(self) -> None:
        """Forget what was worked out where something else was seen since."""
        if self._version != self.draws.version:
            self._version = self.draws.version
            for memo in (self._values, self._best, self._drawn_again):
                memo.clear()

    def _started(self, actor: int) -> float:
        return self._value(self.graph.root, actor, 0, frozenset({actor}))

    def _is_on_the_way(self, node: Node) -> bool:
        """Whether any schedule goes from `node` to the target."""
        if node not in self._leads:
            self._leads[node] = node is self.target or any(map(self._is_on_the_way, node.edges.values()))
        return self._leads[node]

    def _value(self, node: Node, held: int, decoys: int, released: Released) -> float:
        """The chance to arrive while `held`'s step waits at `node` and that many decoys are queued."""
        key = (node, held, decoys, released)
        if key not in self._values:
            self._values[key] = 0.0
            is_wanted = self.route is None or self.route.get(node) == held
            if held in node.edges and is_wanted and self._is_on_the_way(node.edges[held]):
                self._values[key], self._best[key] = self._choose(node, held, decoys, released)
        return self._values[key]

    def _choose(self, node: Node, held: int, decoys: int, released: Released) -> tuple[float, Decision]:
        child = node.edges[held]
        if child.is_leaf:
            return (1.0 if child is self.target else 0.0), Decision()
        best = (-1.0, Decision())
        waiting_to_start = [a for a in child.edges if a not in released]
        for starting in ((), *((a,) for a in waiting_to_start)):
            about = released | set(starting)
            waits = self._waiting(child, held, about)
            most = DECOYS_QUEUED_MAX - decoys if waits and held in child.edges else 0
            for added in range(most + 1):
                chance = self._drawn(node, held, decoys + added, about)
                if chance > best[0] + 1e-9:
                    best = (chance, Decision(release=starting, decoys=added))
        return best

    def _waiting(self, node: Node, held: int, released: Released) -> list[int]:
        """The actors that are queued for the connection at `node`, apart from the one that has it."""
        return [a for a in node.edges if a in released and a != held and self.allowed(node, held, a)]

    def _drawn(self, before: Node, held: int, decoys: int, released: Released) -> float:
        """The chance once the step held at `before` has gone on and the pool hands the connection on."""
        node = before.edges[held]
        waits = self._waiting(node, held, released)
        if not waits and not decoys:
            return self._alone(node, held, released)
        again = self._again(node, held, decoys - 1, released) if decoys else 0.0
        chance = sum(self._value(node, a, decoys, released) for a in waits) + decoys * again
        chance /= len(waits) + decoys
        prompt = self.draws.prompt(before, held) if len(waits) == 1 else 1.0
        if prompt == 1.0:
            return chance
        late = again if decoys else self._alone(node, held, released)
        return prompt * chance + (1.0 - prompt) * late

    def _alone(self, node: Node, held: int, released: Released) -> float:
        """The chance where nobody is queued: the actor goes on, or another is started."""
        if held in node.edges:
            return self._value(node, held, 0, released)
        left = [a for a in node.edges if a not in released]
        return max((self._value(node, a, 0, released | {a}) for a in left), default=0.0)

    def _again(self, node: Node, held: int, decoys: int, released: Released) -> float:
        """The chance of the draw after a decoy's: the first actor is queued again, unless a lock is held."""
        key = (node, held, decoys, released)
        if key not in self._drawn_again:
            waits = [a for a in node.edges if a in released and self.allowed(node, held, a)]
            chance = sum(self._value(node, a, decoys, released) for a in waits)
            if decoys:
                chance += decoys * self._again(node, held, decoys - 1, released)
            total = len(waits) + decoys
            self._drawn_again[key] = chance / total if total else self._alone(node, held, released)
        return self._drawn_again[key]
