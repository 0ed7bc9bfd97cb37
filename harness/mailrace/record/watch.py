"""What the watches of the three protocols share: where they tell what they saw, and when they give up."""

from collections.abc import Callable
from typing import Any

from mailrace.model.attempt import Outcome
from mailrace.record.recorded import TEXT_MAX, NotSeen, Recorded

UNREAD_BYTES_MAX = 1024 * 1024
"""Bytes of one direction that may wait to be understood before a watch gives up."""


class LostTrack(Exception):
    """The bytes are not those of the protocol any more, in words; the connection goes on unwatched."""


class Teller:
    """Gives the operations of one connection their numbers and hands them on.

    tell     takes each operation and each note as it happens
    number   gives the next operation's number in the record
    """

    def __init__(
        self, connection: int, tell: Callable[[Recorded | NotSeen], None], number: Callable[[], int]
    ) -> None:
        self.connection = connection
        self._tell = tell
        self._number = number

    def operation(
        self, kind: str, invoked_ns: int, completed_ns: int, outcome: Outcome, **about: Any
    ) -> None:
        """An operation is over. `about` are fields of `Recorded`."""
        text = about.pop("text", "")[:TEXT_MAX]
        self._tell(
            Recorded(
                number=self._number(),
                connection=self.connection,
                kind=kind,
                invoked_ns=invoked_ns,
                completed_ns=completed_ns,
                outcome=outcome,
                text=text,
                **about,
            )
        )

    def not_seen(self, t_ns: int, why: str) -> None:
        """From now on the connection's bytes are not understood."""
        self._tell(NotSeen(connection=self.connection, t_ns=t_ns, why=why))


def outcome_of_code(code: int) -> Outcome:
    """What a reply promises: 2xx and 3xx accept, 4xx and 5xx refuse, no reply leaves it unknown."""
    if not code:
        return Outcome.UNKNOWN
    return Outcome.OK if code < 400 else Outcome.FAIL
