"""What was explored in, why its clean schedules may say nothing of the server's promises out."""

from collections.abc import Sequence

from mailrace.check import unanswered
from mailrace.model.attempt import Outcome
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.judge import Judge
from mailrace.steer.explore.state_space import StateSpace
from mailrace.verdict import promised_nothing


def why_not_put_to_the_test(space: StateSpace) -> str:
    """Why clean schedules say nothing: promises break anyhow, were never made, or replies lack; else ""."""
    never = promised_nothing(never_accepted(space))
    return space.judge.without_a_race or never or without_promise(space.judge, space.executions)


def without_promise(judge: Judge, executions: Sequence[Execution]) -> str:
    """What breaks without a race, or else which replies lack where no server hung; "" where neither is so."""
    alive = [run for run in executions if not run.has_ended_badly]
    lacking = dict.fromkeys(clause for run in alive for clause in unanswered(run.record))
    return judge.without_a_race or "; ".join(lacking)


def never_accepted(space: StateSpace) -> tuple[str, ...]:
    """The kinds of the operations that were refused in every schedule."""
    accepted = {
        run.record.plan.operations[a.actor].kind
        for run in space.executions
        for a in run.record.attempts
        if a.outcome is Outcome.OK
    }
    operations = space.executions[0].record.plan.operations
    return tuple(dict.fromkeys(o.kind for o in operations if o.kind not in accepted))
