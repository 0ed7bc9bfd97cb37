"""A recorded witness in, its schedule as a path of this version's graph out, and how it is run once more."""

from collections.abc import Callable, Sequence

from mailrace.model.errors import ScheduleMissed
from mailrace.model.result import ScheduleWitness
from mailrace.steer.database_proxy.executions import Execution, Schedule
from mailrace.steer.database_proxy.statement_text import text_of
from mailrace.steer.explore.following import follow
from mailrace.steer.explore.graph import Follows, Graph
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.state_space import StateSpace
from mailrace.steer.one_instance.planned_schedule import PlannedSchedule
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.servers.round import Round

TRIES_A_RUN = 40

Once = Callable[[], Execution | None]
"""Runs a schedule once; None: it did not come, which says nothing of it."""


def schedule_of(
    schedule: ScheduleWitness, graph: Graph, names: Sequence[str], *, is_hung: bool = False
) -> Schedule | None:
    """The recorded schedule as a path of the graph, step by step; None: other statements are sent here.

    is_hung   the server hung in it, so what the others would still have sent is made up
    """
    steps = [s for s in schedule.steps if not s.background]
    node, path, at = graph.root, list[int](), 0
    while at < len(steps):
        actor = list(names).index(steps[at].actor) if steps[at].actor in names else -1
        step = node.steps.get(actor)
        if step is None:
            return None
        here = [(s.actor, s.sql) for s in steps[at : at + len(step.calls)]]
        if here != [(steps[at].actor, text_of(sql)) for sql, _ in step.calls]:
            return None
        path.append(actor)
        at += len(step.calls)
        node = node.edges[actor]
    while is_hung and not node.is_leaf:
        path.append(min(node.edges))
        node = node.edges[path[-1]]
    return tuple(path) if node.is_leaf else None


def on_shared(shared: SharedInstance, schedule: Schedule, allowed: Follows) -> Once:
    """The schedule on one instance: up to `TRIES_A_RUN` tries, for the pool draws."""
    planned = PlannedSchedule.along(shared.graph, schedule, allowed)

    def once() -> Execution | None:
        for _ in range(TRIES_A_RUN if planned.chance else 0):
            try:
                return shared.run(planned)
            except ScheduleMissed:
                continue
        return None

    return once


def on_separate(round_: Round, schedule: Schedule, space: StateSpace) -> Once:
    """The schedule on an instance for each actor; where it was explored, with the very statements of then."""
    separate = SeparateInstances(round_, habits=space.habits)
    known = next((run for run in space.executions if run.schedule == schedule), None)

    def once() -> Execution | None:
        if known is not None:
            return follow(separate, known)
        try:
            separate.restart()
            for actor in schedule:
                if actor not in separate.enabled():
                    return None
                separate.step(actor)
            return separate.finish() if not separate.enabled() else None
        except ScheduleMissed:
            return None

    return once
