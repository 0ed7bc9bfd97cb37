"""Statements of one instance in, the schedules that they may be out: one, as soon as a reply or a text tells.

Two actors may come to the very same statement (both count the tags of one message). Where the pool's rule
does not say whose it is, it is taken for the one that the scheduler hopes for, and the others are kept in
mind: what comes later, a text or a reply, leaves one schedule. Where several are left, the run is missed.

A server may fetch a row once for two actors who want it at the same time. The one who is served along sends
nothing, and goes on as if it had asked right behind the other. That is a schedule of the graph, in which both
are told the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.drawn import masked
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.explore.graph import Graph, Node


class Path(NamedTuple):
    """A schedule, and the node that it comes to. `served`: places of steps that were served along."""

    schedule: tuple[int, ...]
    node: Node
    served: tuple[int, ...] = ()


@dataclass(slots=True)
class Paths:
    """Every schedule that fits what was seen so far, with the node it came to; the hoped-for one first.

    has_served   somebody was served along. Who of the two went on first is not known then, so of schedules
                 that come to one node one stands for all
    """

    graph: Graph
    kept: list[Path] = field(init=False)
    has_served: bool = False
    _seen: list[tuple[str, set[int]]] = field(default_factory=list)
    """Each statement with those who were under way when it ran."""

    def __post_init__(self) -> None:
        self.kept = [Path((), self.graph.root)]

    @property
    def node(self) -> Node:
        """Where the hoped-for schedule is."""
        return self.kept[0].node

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

    def could_send(self, call: str, able: Sequence[int]) -> bool:
        """Whether in some schedule one of `able` has that call next."""
        return any(_sends(path.node, a, call) for path in self.kept for a in able)

    def add(self, call: str, able: Iterable[int], *, whose: list[int]) -> None:
        """A statement came, and of the actors `whose` the first is hoped to have sent it."""
        actors = list(able)
        self._seen.append((call, set(actors)))
        hoped, *others = self.kept
        grown = [_grown(hoped, a) for a in whose]
        for path in others:
            grown += [_grown(path, a) for a in actors if _sends(path.node, a, call)]
        self.kept = _one_a_node(grown) if self.has_served else grown

    def begun(self, actors: Iterable[int]) -> None:
        """They began while the latest statement was held."""
        self._seen[-1][1].update(actors)

    def served_along(self, call: str, able: Sequence[int]) -> list[int]:
        """Who may have sent a call that in no schedule so far is anybody's, if somebody was served along."""
        found = [Path((), self.graph.root)]
        for said, actors in self._seen:
            senders = ((path, a) for path in found for a in sorted(actors) if _sends(path.node, a, said))
            found = _one_a_node(each for path, a in senders for each in _with_served(path, a, actors))
        found = [path for path in found if any(_sends(path.node, a, call) for a in able)]
        if not found:
            return []
        self.kept, self.has_served = found, True
        return self.may_send(call, able)

    def ended(self, is_over: Callable[[int], bool]) -> None:
        """All is quiet, so every reply was read: schedules in which other actors have ended are left out.

        Raises ScheduleMissed where the hoped-for schedule is one of them; where somebody was served along,
        only where all are.
        """
        hoped = self.kept[0]
        actors = range(len(hoped.node.histories))
        begun = [a for a in actors if any(path.node.number(a) for path in self.kept)]
        self.kept = [p for p in self.kept if all(is_over(a) == _is_answered(p.node, a) for a in begun)]
        if not self.kept or (self.kept[0] is not hoped and not self.has_served):
            raise ScheduleMissed(f"step {len(hoped.schedule)} was another actor's")

    def schedule(self) -> tuple[int, ...]:
        """The one schedule that is left. Raises ScheduleMissed where there are several."""
        if not self.is_one:
            raise ScheduleMissed("several schedules would have looked the same")
        return self.kept[0].schedule

    def attributed(self, sent: Iterable[tuple[Statement, ...]]) -> list[tuple[int, tuple[Statement, ...]]]:
        """Each step of the one schedule with its actor. Raises ScheduleMissed where there are several."""
        steps: list[tuple[Statement, ...]] = []
        each = iter(sent)
        for place, _ in enumerate(self.schedule()):
            along = place in self.kept[0].served
            steps.append(tuple(map(replace, steps[-1])) if along else next(each))
        return list(zip(self.schedule(), steps, strict=True))


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
    return Path((*path.schedule, actor), path.node.edges[actor], path.served)


def _with_served(path: Path, actor: int, actors: Iterable[int]) -> Iterator[Path]:
    """The path grown by the actor's step, and by that of another who reads the same and is told it."""
    grown = _grown(path, actor)
    yield grown
    step = path.node.steps[actor]
    is_read = len(step.calls) == 1 and step.calls[0][0].lstrip()[:6].upper() == "SELECT"
    for other in actors:
        if is_read and other != actor and other in grown.node.steps:
            after = _grown(grown, other)
            heard = (after.node.histories[a][-1] for a in (actor, other))
            if grown.node.steps[other].text == step.text and len(set(heard)) == 1:
                yield after._replace(served=(*path.served, len(grown.schedule)))


def _one_a_node(paths: Iterable[Path]) -> list[Path]:
    found: dict[Node, Path] = {}
    for path in paths:
        found.setdefault(path.node, path)
    return list(found.values())
