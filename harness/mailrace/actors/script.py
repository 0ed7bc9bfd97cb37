"""The words for an operation on the wire, without IO: commands to write, replies to them, one ending.

An operation is a generator: it yields a `Command`, is sent the `Reply` to it, and returns an `Ending`.
It knows no socket and no clock; `Conversation` drives it.
"""

from collections.abc import Generator
from dataclasses import dataclass

from mailrace.model.attempt import Outcome, Stage, Word


@dataclass(frozen=True, slots=True)
class Command:
    """Bytes to write, and the stage that their reply ends.

    is_last      its last byte is the last of the operation: from there on a lost link means unknown
    held_bytes   how many bytes at its end wait for the release, where this command is held
    """

    stage: Stage
    data: bytes
    is_last: bool = False
    held_bytes: int = 1


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply: an SMTP code or an HTTP status, and its text (lines joined by "\\n")."""

    code: int
    text: str
    will_close: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended; goes into its `Attempt`."""

    outcome: Outcome
    word: Word
    code: int | None
    text: str


Script = Generator[Command, Reply, Ending]


class Garbage(Exception):
    """Bytes that are no reply of the protocol; caught by `Conversation`, never seen by a user."""


def ending_of(reply: Reply) -> Ending:
    """The ending that a final reply means: 2xx accepts, 421 shuts down, anything else refuses."""
    if 200 <= reply.code < 300:
        return Ending(Outcome.OK, Word.ACCEPTED, reply.code, reply.text)
    word = Word.SHUT_DOWN if reply.code == 421 else Word.REFUSED
    return Ending(Outcome.FAIL, word, reply.code, reply.text)
