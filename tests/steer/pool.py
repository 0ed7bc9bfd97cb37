"""Go's pool of one connection, played with a seeded die: what a scheduler decides, without a server."""

import random
from dataclasses import dataclass, field
from types import SimpleNamespace

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.one_instance.scheduler import Scheduler
from mailrace.steer.servers.liveness import Silence

DECOY, NOBODY = -1, -2


@dataclass(frozen=True, slots=True)
class Flight:
    """What a simulated run was."""

    schedule: tuple[int, ...]


@dataclass(slots=True)
class Pool:
    """Stands in for a `SharedInstance`; `runs` counts tries.

    late   nodes whose block lets a lock go: who waited then is queued only after the first draw
    """

    graph: Graph
    seed: int = 1
    late: frozenset[Node] = frozenset()
    runs: int = 0
    is_disturbed: bool = False
    rig: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(silence=Silence()))
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def run(self, scheduler: Scheduler, *, is_calm: bool = False, looks: int = 1) -> Flight:
        """One order; raises ScheduleMissed as soon as the scheduler gives it up."""
        self.runs += 1
        node, held = self.graph.root, scheduler.first()
        released, order, queue = {held}, [held], list[int]()
        while True:
            decision = scheduler.hold(node, held, frozenset(released), queue.count(DECOY))
            if decision.is_lost:
                raise ScheduleMissed("drawn otherwise")
            released.update(decision.release)
            queue += [*decision.release, *[DECOY] * decision.decoys]
            before, node = node, node.edges[held]
            if node.is_leaf:
                return Flight(tuple(order))
            held = self._next(queue, held, node, is_late=before in self.late)
            if held == NOBODY:
                held = scheduler.idle(node, frozenset(released))
                released.add(held)
            order.append(held)

    def _next(self, queue: list[int], last: int, node: Node, *, is_late: bool) -> int:
        """Who has the connection next, once no decoy has it; `last` queues again after the first draw."""
        kept = [actor for actor in queue if is_late and actor != DECOY]
        queue[:] = [one for one in queue if one not in kept]
        drawn = self._drawn(queue)
        queue += kept
        if drawn == NOBODY and last in node.edges:
            return last
        if last in node.edges:
            queue.append(last)
        while drawn == DECOY or (drawn == NOBODY and queue):
            drawn = self._drawn(queue)
        return drawn

    def _drawn(self, queue: list[int]) -> int:
        return queue.pop(self.chance.randrange(len(queue))) if queue else NOBODY
