"""The one function that joins the flow: from scenarios and a request to a RunResult and its folder of files.

scenario files → plans → [race | steer] × target → checkers → verdicts → run.json and the reports
"""

from collections.abc import Sequence
from contextlib import nullcontext

from mailrace.listener import Listener
from mailrace.model.request import Output, Racing, RunRequest, ServerUse, Steering
from mailrace.race import LIMITS, Limits
from mailrace.scenario import Scenario
from mailrace.session import Alone, Run, session


def run(
    scenarios: Sequence[Scenario],
    request: RunRequest,
    listener: Listener | None = None,
    limits: Limits = LIMITS,
    alone: Alone = nullcontext,
) -> Run:
    """Look at the scenarios on the target, one after the other, each on a server of its own.

    A target that fails in one scenario gives that one the verdict FAILED, and the next is tried. On
    KeyboardInterrupt all servers are ended, and the folder holds what there was. `reports/latest` becomes
    this run's once one of its servers has started; a run that could not look at anything leaves it alone.

    alone   is entered while rounds are raced natively, because anything beside them would change their times
    """
    with session(scenarios, request, listener, limits=limits, alone=alone) as now:
        for scenario in scenarios:
            now.look(scenario)
        return now.finish()


__all__ = ["Listener", "Output", "Racing", "Run", "RunRequest", "ServerUse", "Steering", "run"]
