"""Release-point runs in, what one instance keeps together out: transactions and locks of the server's own.

At a release point all is quiet, and one actor waits. The pool hands it the connection next, always; where
the other goes on instead, the waiting one waits for something else. What was seen between two texts is
taken to hold wherever these texts meet.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.blocks import Run
from mailrace.steer.graph import Graph, Node
from mailrace.steer.pilot import GO_ON, Decision, Gap, gap_of
from mailrace.steer.programs import Programs
from mailrace.steer.single import Single

TRIES = 3
SEEN_MIN = 2
"""How often a gap has to be seen kept together."""


@dataclass(frozen=True, slots=True)
class ReleasePoint:
    """Schedule `second@first:k`: the second actor's last byte goes out while the first's k-th block is held.

    k 0: it goes out before the first actor's own.
    """

    actor: int
    other: int
    block: int

    def first(self) -> int:
        """See `Pilot`."""
        return self.actor

    def hold(self, node: Node, actor: int, released: frozenset[int], decoys: int) -> Decision:
        """See `Pilot`."""
        is_now = actor == self.actor and node.number(actor) + 1 == self.block
        return Decision(release=(self.other,)) if is_now and self.other not in released else GO_ON

    def idle(self, node: Node, released: frozenset[int]) -> int:
        """See `Pilot`."""
        return self.other


def release_points(graph: Graph) -> Iterator[ReleasePoint]:
    """All of a pair: each actor first, the other at each of its blocks when it runs alone."""
    for actor in (0, 1):
        node, blocks = graph.root, 0
        while actor in node.edges:
            node, blocks = node.edges[actor], blocks + 1
        for block in range(1, blocks + 1):
            yield ReleasePoint(actor, 1 - actor, block)


@dataclass(frozen=True, slots=True)
class Points:
    """The release points of a pair.

    runs     each point that was not missed, with its run
    missed   how many were, in three tries
    origin   where each gap that was kept together was seen first
    """

    runs: tuple[tuple[ReleasePoint, Run], ...]
    missed: int
    origin: Mapping[Gap, ReleasePoint]


def run_release_points(single: Single) -> Points:
    """Each release point of a pair run once, again where it was missed.

    A point where something was kept together is run again until that was seen `SEEN_MIN` times, or was let
    through: a waiter that came late once looks like a lock, and a lock makes bad orders not count.
    """
    found, missed = [], 0
    origin: dict[Gap, ReleasePoint] = {}
    for point in release_points(single.graph):
        run = _run(single, point)
        for gap in single.together:
            origin.setdefault(gap, point)
        if run is None:
            missed += 1
        else:
            found.append((point, run))
    for _ in range(SEEN_MIN):
        doubtful = {g for g, n in single.together.items() if n < SEEN_MIN and g not in single.apart}
        for point in {origin[gap]: None for gap in sorted(doubtful, key=str) if gap in origin}:
            _run(single, point)
    return Points(tuple(found), missed, origin)


def look_again(single: Single, locks: "Locks", points: Points) -> "Locks":
    """The locks that are left where the waiting actor gets `PATIENCE_S` to come: asleep is not locked out.

    Worth its time only where a lock makes bad orders not count.
    """
    left = {gap: points.origin[gap] for gap in sorted(locks.together, key=str) if gap in points.origin}
    while left:
        gap, point = left.popitem()
        before = dict(single.together)
        single.doubtful = frozenset((gap, *left))
        _run(single, point)
        for seen in [g for g in left if g in single.apart or single.together[g] > before.get(g, 0)]:
            del left[seen]
    single.doubtful = frozenset()
    return Locks.seen(single, locks.programs)


def _run(single: Single, point: ReleasePoint) -> Run | None:
    for _ in range(TRIES):
        try:
            return single.run(point, is_calm=True)
        except ScheduleMissed:
            continue
    return None


@dataclass(frozen=True, slots=True)
class Locks:
    """What one instance was seen to keep together, as a rule for `count_orders` and for realisation."""

    together: frozenset[Gap]
    programs: Programs

    @classmethod
    def seen(cls, single: Single, programs: Programs) -> "Locks":
        """From the runs of `single`: a gap that was ever let through, or seldom seen, is no lock."""
        often = {gap for gap, number in single.together.items() if number >= SEEN_MIN}
        return cls(frozenset(often - single.apart), programs)

    def allow(self, node: Node, _last: int, actor: int) -> bool:
        """Whether one instance can run the actor's block at `node`."""
        return not any(
            gap in self.together
            for other in node.blocks
            if other != actor and node.number(other)
            for gap in (self._gap(node, other, actor),)
        )

    def _gap(self, node: Node, other: int, actor: int) -> Gap:
        """The gap between `other`'s last block and its next, for `actor`'s next."""
        history = node.histories[other]
        before = Node(node.histories, blocks={other: self.programs.last(other, history)})
        return gap_of(before, node, other, actor)
