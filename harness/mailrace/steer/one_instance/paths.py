"""Statements of one instance in, the schedules that they may be out: one, as soon as a reply or a text tells.

Two actors may come to the very same statement (both count the tags of one message). Where the pool's rule
does not say whose it is, it is taken for the one that the scheduler hopes for, and the others are kept in
mind: what comes later, a text or a reply, leaves one schedule. Where several are left, the run is missed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.drawn import masked
from mailrace.steer.explore.graph import Graph, Node

Path = tuple[tuple[int, ...], Node]


@dataclass(slots=True)
class Paths:
    """Every schedule that fits what was seen so far, with the node it came to; the hoped-for one first."""

    graph: Graph
    kept: list[Path] = field(init=False)

    def __post_init__(self) -> None:
        self.kept = [((), self.graph.root)]

    @property
    def node(self) -> Node:
        """Where the hoped-for schedule is."""
        return self.kept[0][1]

    @property
    def is_one(self) -> bool:
        """Whether nothing else is possible."""
        return len(self.kept) == 1

    def late(self) -> list[int]:
        """Actors that, in the hoped-for schedule, were answered and go on all the same."""
        return [a for a, step in self.node.steps.items() if step.is_late]

    def may_send(self, call: str, able: Iterable[int]) -> list[int]:
        """The actors of `able` whose next step, in the hoped-for schedule, begins with that call."""
        return [a for a in able if _sends(self.node, a, call)]

    def add(self, call: str, able: Iterable[int], *, whose: list[int]) -> None:
        """A statement came, and of the actors `whose` the first is hoped to have sent it."""
        actors = list(able)
        hoped, *others = self.kept
        grown = [_grown(hoped, a) for a in whose]
        for path in others:
            grown += [_grown(path, a) for a in actors if _sends(path[1], a, call)]
        self.kept = grown

    def ended(self, is_over: Callable[[int], bool]) -> None:
        """All is quiet, so every reply was read: schedules in which other actors have ended are left out.

        Raises ScheduleMissed where the hoped-for schedule is one of them.
        """
        hoped = self.kept[0]
        actors = range(len(hoped[1].histories))
        begun = [a for a in actors if any(path[1].number(a) for path in self.kept)]
        self.kept = [path for path in self.kept if all(is_over(a) == _is_answered(path[1], a) for a in begun)]
        if not self.kept or self.kept[0] is not hoped:
            raise ScheduleMissed(f"step {len(hoped[0])} was another actor's")

    def schedule(self) -> tuple[int, ...]:
        """The one schedule that is left. Raises ScheduleMissed where there are several."""
        if not self.is_one:
            raise ScheduleMissed("several schedules would have looked the same")
        return self.kept[0][0]


def is_as_in(graph: Graph, schedule: Sequence[int], calls: Sequence[str]) -> bool:
    """Whether drawn values were sent by those actors that drew them in the graph.

    They were masked while it was not known whose a statement is, so this is looked at in the end.
    """
    node = graph.root
    for actor, call in zip(schedule, calls, strict=True):
        if "~" in call and node.steps[actor].text != call:
            return False
        node = node.edges[actor]
    return True


def _is_answered(node: Node, actor: int) -> bool:
    """Whether its reply was read: it has no step left, or only such as come behind the reply."""
    return actor not in node.steps or node.steps[actor].is_late


def _sends(node: Node, actor: int, call: str) -> bool:
    return actor in node.steps and masked(node.steps[actor].text.split("; ")[0]) == call.split("; ")[0]


def _grown(path: Path, actor: int) -> Path:
    return (*path[0], actor), path[1].edges[actor]
