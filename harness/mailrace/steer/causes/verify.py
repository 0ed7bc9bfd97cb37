"""A repair in, whether it holds out: the servers are run again with its runs of statements kept together."""

import time
from collections import Counter
from dataclasses import replace

from mailrace.model.anomaly import AnomalyName
from mailrace.steer.causes.repair import Gap, Stretch, gaps_of
from mailrace.steer.causes.view import Label, View
from mailrace.steer.database_proxy.executions import Execution, Schedule
from mailrace.steer.database_proxy.independence import EVERYTHING, Footprint
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.graph import Follows, Graph
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.state_space import StateSpace
from mailrace.steer.explore.strategy import Around, Budget, run_schedules
from mailrace.steer.servers.round import Round

SCHEDULES_MAX = 2_000
SECONDS_MAX = 15.0


class GapsClosed(Around[Execution]):
    """The `System` inside, but that an actor goes on without a stop where a gap is closed.

    kinds   kinds of the actors' operations; `gaps`: those that are closed; `has_kept`: one of them came
    """

    def __init__(self, inside: SeparateInstances, kinds: tuple[str, ...], gaps: frozenset[Gap]) -> None:
        super().__init__(inside)
        self._instances, self._kinds, self._gaps = inside, kinds, gaps
        self._sent: list[Counter[str]] = []
        self.has_kept = False

    def restart(self) -> None:
        """See `System`."""
        self._sent = [Counter() for _ in self._kinds]
        super().restart()

    def commute(self, one: int, other: int) -> bool:
        """See `System`. What a whole run does is known only once it ran: it is taken as dependent."""
        return not (self._is_opening(one) or self._is_opening(other)) and super().commute(one, other)

    def touches(self, actor: int) -> Footprint:
        """See `System`. A whole run of steps that begins here is known only once it ran."""
        return EVERYTHING if self._is_opening(actor) else super().touches(actor)

    def step(self, actor: int) -> None:
        """See `System`."""
        while True:
            label = self._next(actor)
            self._sent[actor][label.template] += 1
            super().step(actor)
            if actor not in self.enabled():
                return
            if (self._kinds[actor], label, self._next(actor)) not in self._gaps:
                return
            self.has_kept = True

    def _is_opening(self, actor: int) -> bool:
        """Whether the step that waits is the first of a closed gap."""
        kind, label = self._kinds[actor], self._next(actor)
        return any((kind, label) == (its, first) for its, first, _ in self._gaps)

    def _next(self, actor: int) -> Label:
        template = self._instances.template(actor)
        return Label(template, self._sent[actor][template] + 1)


def verified(
    round_: Round, space: StateSpace, view: View, stretches: tuple[Stretch, ...], allowed: Follows
) -> str:
    """ "" where no schedule that keeps the stretches together is bad; else what was in the way, in words.

    Schedules that one server does not allow do not count.
    """
    instances = SeparateInstances(round_, habits=replace(space.habits, strays=Counter()))
    system = GapsClosed(instances, view.kinds, gaps_of(view, stretches))
    bad: list[frozenset[AnomalyName]] = []

    def take(_: Schedule, execution: Execution) -> None:
        if (names := space.judge.names(execution)) and _is_of_one(space.graph, execution.schedule, allowed):
            bad.append(names)

    budget = Budget(schedules_max=SCHEDULES_MAX, until=time.monotonic() + SECONDS_MAX)
    found = run_schedules(system, DepthFirst(), budget, take)
    instances.end()
    if strays := instances.habits.strays_in_words:
        return f"not shown: {strays}"
    if not system.has_kept:
        return "not shown: the statements that are to be kept together did not come as they were"
    if bad:
        return f"{len(bad)} bad schedules were left: {', '.join(sorted(frozenset().union(*bad)))}"
    return "" if found.is_complete else f"not all of its schedules were run: {found.why_not}"


def _is_of_one(graph: Graph, schedule: Schedule, allowed: Follows) -> bool:
    """Whether one server allows the schedule. One that leaves the graph counts: nothing says it cannot be."""
    node, last = graph.root, -1
    for actor in schedule:
        if actor not in node.edges:
            return True
        if not allowed(node, last, actor):
            return False
        node, last = node.edges[actor], actor
    return True
