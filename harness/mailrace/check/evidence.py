"""One round's record, arranged for the checkers: which message has which attempts and which copies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mailrace.model.attempt import Attempt, Outcome, RoundRecord, Stage, StoredMessage, Word
from mailrace.model.operation import Message, ServerOptions, messages_of


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to send a message, with the copies that bear its mark."""

    message: Message
    attempt: Attempt
    copies: tuple[StoredMessage, ...]

    @property
    def is_ok(self) -> bool:
        """Whether it was accepted."""
        return self.attempt.outcome is Outcome.OK

    @property
    def is_refused(self) -> bool:
        """Whether its outcome promises that nothing was stored."""
        return self.attempt.outcome is Outcome.FAIL


@dataclass(frozen=True, slots=True)
class Unit:
    """What has to be stored once: a message; with ignore_duplicate_ids, all messages of one Message-ID."""

    message_id: str
    tries: tuple[Try, ...]

    @property
    def accepted(self) -> tuple[Try, ...]:
        """The tries that were accepted."""
        return tuple(t for t in self.tries if t.is_ok)

    @property
    def copies(self) -> tuple[StoredMessage, ...]:
        """All copies of the unit, in the order of its tries."""
        return tuple(copy for t in self.tries for copy in t.copies)


def tries_of(record: RoundRecord) -> tuple[Try, ...]:
    """Every attempt to store a message of the round with its copies, in the order of plan and number.

    A given message whose attempt is not in the record counts as accepted where the server gave it an ID.
    Empty where the store was not read.
    """
    if record.stored is None:
        return ()
    copies: dict[tuple[str, int], list[StoredMessage]] = {}
    for copy in record.stored.messages:
        copies.setdefault((copy.key, copy.attempt), []).append(copy)
    attempts: dict[str, list[Attempt]] = {}
    for attempt in record.attempts:
        if attempt.message is not None:
            attempts.setdefault(attempt.message, []).append(attempt)
    found: list[Try] = []
    for key, message in messages_of(record.plan).items():
        if key not in attempts and key in record.ids:
            attempts[key] = [_given(record, key)]
        found += [
            Try(message, attempt, tuple(copies.get((key, attempt.number), ())))
            for attempt in sorted(attempts.get(key, ()), key=lambda a: a.number)
        ]
    return tuple(found)


def units_of(record: RoundRecord, options: ServerOptions) -> tuple[Unit, ...]:
    """The round's tries, grouped by what the server promises one copy of."""
    grouped: dict[str, list[Try]] = {}
    for one in tries_of(record):
        # Without the option two messages that share a Message-ID are distinct, and so are two attempts.
        unit = (
            one.message.message_id
            if options.ignore_duplicate_ids
            else f"{one.message.key}/{one.attempt.number}"
        )
        grouped.setdefault(unit, []).append(one)
    return tuple(Unit(tries[0].message.message_id, tuple(tries)) for tries in grouped.values())


def by_message(record: RoundRecord) -> Mapping[str, tuple[Try, ...]]:
    """The tries of each message, by its key, in the order of their numbers."""
    grouped: dict[str, tuple[Try, ...]] = {}
    for one in tries_of(record):
        grouped[one.message.key] = (*grouped.get(one.message.key, ()), one)
    return grouped


def copies_with_message(record: RoundRecord) -> Iterator[tuple[StoredMessage, Message]]:
    """Each copy found whose sender is a message of this round, with that message, in the store's order."""
    if record.stored is not None:
        messages = messages_of(record.plan)
        yield from ((copy, messages[copy.key]) for copy in record.stored.messages if copy.key in messages)


def _given(record: RoundRecord, key: str) -> Attempt:
    return Attempt(
        round=record.index,
        actor=-1,
        operation="given",
        message=key,
        number=1,
        outcome=Outcome.OK,
        word=Word.ACCEPTED,
        code=250,
        text="",
        stage=Stage.REPLY,
        marks=(),
        invoked_ns=record.released_ns,
        released_ns=record.released_ns,
        completed_ns=record.released_ns,
    )
