"""What a client does after a failure: takes a policy; makes the further attempts, paced by tenacity."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_fixed

from mailrace.model.attempt import Attempt, Outcome
from mailrace.model.operation import Message

Policy = Literal["none", "naive", "new-id", "reconcile"]


def resent(message: Message, number: int, policy: Policy) -> Message:
    """The message as attempt `number` sends it: by policy `new-id` each retry has a Message-ID of its own."""
    if policy != "new-id" or number < 2:
        return message
    return replace(message, message_id=f"again{number}.{message.message_id}")


def further_attempts(
    raced: Attempt,
    send: Callable[[int], Attempt],
    *,
    policy: Policy,
    on: tuple[str, ...],
    attempts: int,
    wait_ms: float,
) -> tuple[Attempt, ...]:
    """The attempts after the raced one, in order; none where it need not, or must not, be tried again.

    send      makes attempt number 2, 3, … by the policy, and gives its record
    on        "4xx", "5xx", "unknown": outcomes after which the client tries again
    attempts  tries in all, the raced one included
    """
    if policy == "none":
        return ()
    made: list[Attempt] = []

    # tenacity counts the raced attempt as the first of its tries, so the first call gives it back.
    def once() -> Attempt:
        made.append(send(made[-1].number + 1) if made else raced)
        return made[-1]

    def last(_: RetryCallState) -> Attempt:
        return made[-1]

    Retrying(
        retry=retry_if_result(lambda attempt: _wants_another(attempt, on)),
        stop=stop_after_attempt(attempts),
        wait=wait_fixed(wait_ms / 1000),
        retry_error_callback=last,
    )(once)
    return tuple(made[1:])


def _wants_another(attempt: Attempt, on: tuple[str, ...]) -> bool:
    if attempt.outcome is Outcome.OK:
        return False
    if attempt.outcome is Outcome.UNKNOWN:
        return "unknown" in on
    return attempt.reply_class in on if attempt.code else "4xx" in on
