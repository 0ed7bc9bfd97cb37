"""A schedule that was executed in, the same on separate instances again out."""

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.separate_instances import SeparateInstances


def follow(separate: SeparateInstances, run: Execution) -> Execution | None:
    """The very schedule of `run` on separate instances again; None where the servers did not follow it."""
    try:
        separate.restart()
        for step in run.steps:
            if (
                step.actor not in separate.enabled()
                or separate.waiting(step.actor) != step.call.split("; ")[0]
            ):
                return None
            separate.step(step.actor)
        return separate.finish() if not separate.enabled() else None
    except ScheduleMissed:
        return None
