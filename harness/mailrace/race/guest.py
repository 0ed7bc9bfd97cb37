"""What a run may do on a server that is not ours: how many rounds fit before it prunes others' mail.

Mailpit keeps 500 messages by default (`--max`) and every minute deletes the oldest of those above. A server
does not tell its setting; but one that already holds more than 500 was not started so.
"""

from collections.abc import Sequence

from mailrace.model.errors import TargetError
from mailrace.model.operation import messages_of
from mailrace.scenario import Scenario, any_round
from mailrace.targets.external import ExternalTarget

KEPT_BY_DEFAULT = 500


def rounds_that_fit(target: ExternalTarget, scenarios: Sequence[Scenario]) -> int | None:
    """Rounds of all `scenarios` together before the server may prune; None: it seems to prune nothing."""
    try:
        held = target.api.info().get("Messages")
    except TargetError:
        return None
    if not isinstance(held, int) or held > KEPT_BY_DEFAULT:
        return None
    each = sum(_stored_by_a_round(scenario) for scenario in scenarios)
    return max(0, (KEPT_BY_DEFAULT - held) // max(1, each))


def _stored_by_a_round(scenario: Scenario) -> int:
    """The most that a round may store: every message, and every retry of it."""
    tries = 1 if scenario.retry.policy == "none" else scenario.retry.attempts
    return len(messages_of(any_round(scenario))) * tries
