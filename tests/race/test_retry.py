"""Retries: after which outcomes, how often, and that each further attempt is in the history."""

from dataclasses import replace

import pytest
from mailrace.model.attempt import Attempt, Outcome, Word
from mailrace.race.retry import Policy, further_attempts

from tests import built

OK = (Outcome.OK, Word.ACCEPTED, 250)
BUSY = (Outcome.FAIL, Word.REFUSED, 451)
NEVER = (Outcome.FAIL, Word.REFUSED, 554)
LOST = (Outcome.UNKNOWN, Word.LINK_LOST, None)
UNREACHED = (Outcome.FAIL, Word.CONNECT_REFUSED, None)
End = tuple[Outcome, Word, int | None]

RACED = built.attempt(round=3, message="m")


def ended(number: int, end: End) -> Attempt:
    return replace(RACED, number=number, outcome=end[0], word=end[1], code=end[2])


def tried(
    first: End, *then: End, on: tuple[str, ...] = ("4xx",), attempts: int = 3, policy: Policy = "naive"
) -> list[tuple[int, int | None]]:
    """(number, code) of the further attempts, the server answering `then` in turn and 250 after it."""
    answers = iter(then)
    made = further_attempts(
        ended(1, first),
        lambda number: ended(number, next(answers, OK)),
        policy=policy,
        on=on,
        attempts=attempts,
        wait_ms=0,
    )
    return [(attempt.number, attempt.code) for attempt in made]


def test_an_accepted_message_is_not_sent_again() -> None:
    assert tried(OK, on=("4xx", "5xx", "unknown")) == []


def test_a_refused_one_is_sent_until_it_is_accepted() -> None:
    assert tried(BUSY) == [(2, 250)]
    assert tried(BUSY, BUSY) == [(2, 451), (3, 250)]


def test_it_is_given_up_after_so_many_attempts_the_raced_one_included() -> None:
    assert tried(BUSY, BUSY, BUSY, BUSY, attempts=3) == [(2, 451), (3, 451)]
    assert tried(BUSY, BUSY, attempts=1) == []


@pytest.mark.parametrize(
    ("end", "on", "again"),
    [
        (BUSY, ("5xx",), False),
        (BUSY, ("4xx", "5xx"), True),
        (NEVER, ("4xx",), False),
        (NEVER, ("5xx",), True),
        (LOST, ("4xx", "5xx"), False),
        (LOST, ("unknown",), True),
        (UNREACHED, ("4xx",), True),
        (UNREACHED, ("5xx", "unknown"), False),
    ],
)
def test_only_the_outcomes_that_were_named_are_tried_again(
    end: End, on: tuple[str, ...], again: bool
) -> None:
    assert bool(tried(end, on=on)) is again


def test_an_outcome_that_is_not_named_ends_the_trying() -> None:
    assert tried(BUSY, NEVER, attempts=5) == [(2, 554)]


def test_the_policy_none_never_tries_again() -> None:
    assert tried(BUSY, policy="none", on=("4xx", "5xx", "unknown")) == []
