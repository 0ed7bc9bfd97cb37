"""Values that tests type in: each kind is built in one place, and a test says only what it is about."""

from typing import Any

from mailrace.model.attempt import Attempt, Outcome, RoundRecord, Stage, StoredMessage, Word
from mailrace.model.operation import Message, Operation, PlannedRound
from mailrace.model.result import ControlResult


def attempt(operation: str = "send.1", outcome: Outcome = Outcome.OK, **more: Any) -> Attempt:
    """The first attempt of actor 0 in round 0, answered: 250, or 451 where it was refused."""
    is_ok = outcome is Outcome.OK
    values = {
        "round": 0,
        "actor": 0,
        "message": None,
        "number": 1,
        "word": Word.ACCEPTED if is_ok else Word.REFUSED,
        "code": 250 if is_ok else 451,
        "text": "",
        "stage": Stage.REPLY,
        "marks": (),
        "invoked_ns": 1,
        "released_ns": 2,
        "completed_ns": 3,
    }
    return Attempt(operation=operation, outcome=outcome, **{**values, **more})


def record(
    operations: tuple[Operation, ...] = (), *, index: int = 0, given: tuple[Message, ...] = (), **more: Any
) -> RoundRecord:
    """A round that was released at 1 ns; `more` may give another plan."""
    values = {
        "plan": PlannedRound(index=index, token=f"r{index:05d}", given=given, operations=operations),
        "ids": {},
        "attempts": (),
        "offsets_us": (),
        "skew_us": 1.0,
        "decoys": 0,
        "released_ns": 1,
    }
    return RoundRecord(index=index, **{**values, **more})


def row(message: Message, *tags: str, number: int = 1, **more: Any) -> StoredMessage:
    """A copy of the message by its attempt of that number, as the list shows it, with those tags."""
    values = {
        "id": f"id-{message.key}",
        "message_id": message.message_id,
        "sender": message.sender,
        "to": message.to,
        "cc": (),
        "bcc": message.bcc,
        "reply_to": (message.reply_to(number),),
        "subject": message.subject,
        "tags": tags,
        "read": False,
        "size": 500,
    }
    return StoredMessage(**{**values, **more})


def control(pairs_fired: int, *, kind: int = 1, pairs: int = 100, **more: Any) -> ControlResult:
    """A control that fired in that many pairs."""
    values = {"target": "c", "scenario": "s", "why": "", "confidence": 0.99, "bound": None}
    return ControlResult(
        kind=kind, pairs=pairs, pairs_fired=pairs_fired, hits=pairs_fired, **{**values, **more}
    )
