"""Takes attempts, copies and times; gives the words of a proof."""

from collections.abc import Sequence

from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Attempt, Outcome, RoundRecord, StoredMessage, Word
from mailrace.model.operation import Send, protocol_of
from mailrace.model.phrases import listed

_WITHOUT_REPLY = {
    Word.CONNECT_REFUSED: "was refused a connection",
    Word.TIMED_OUT: "had no reply",
    Word.LINK_LOST: "lost its link",
    Word.CUT_SHORT: "got a reply that was cut short",
    Word.SHUT_DOWN: "was told that the server closes",
    Word.GARBAGE: "got bytes that are no reply",
    Word.GATEWAY: "was answered by a proxy",
    Word.NOT_SENT: "sent nothing",
    Word.REFUSED: "was refused",
    Word.ACCEPTED: "was accepted",
}

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def instant(record: RoundRecord, t_ns: int) -> str:
    """A time as it stands in proofs, ms after the round's release: `at 2.113 ms`."""
    ms = (t_ns - record.released_ns) / 1e6
    return f"at {ms:.3f} ms" if ms >= 0 else f"{-ms:.3f} ms before the release"


def who(record: RoundRecord, attempt: Attempt) -> str:
    """Who made the attempt: `sender 2`, `the retry of sender 2`, `the lead message of sender 2`."""
    if attempt.actor < 0:
        return "the given message"
    operation = record.plan.operations[attempt.actor]
    if not isinstance(operation, Send):
        return operation.key
    senders = [i for i, o in enumerate(record.plan.operations) if isinstance(o, Send)]
    sender = f"sender {senders.index(attempt.actor) + 1}"
    if operation.lead is not None and attempt.message == operation.lead.key:
        return f"the lead message of {sender}"
    return sender if attempt.number == 1 else f"retry {attempt.number - 1} of {sender}"


def told(record: RoundRecord, attempt: Attempt) -> str:
    """What the attempt was told and when: `was told 451 at 2.113 ms`."""
    if attempt.actor < 0:
        return "was stored before the round"
    when = instant(record, attempt.completed_ns)
    if not attempt.said:
        return f"{_WITHOUT_REPLY[attempt.word]} {when}"
    if attempt.code is None:
        return f"was told {attempt.said} {when}"
    return f"was told {'HTTP ' if _is_http(record, attempt) else ''}{attempt.code} {when}"


def promise(record: RoundRecord, attempt: Attempt) -> str:
    """What the outcome of the attempt promises, as a clause that follows `told`."""
    if attempt.outcome is Outcome.OK:
        return (
            "which promises one copy"
            if _is_http(record, attempt)
            else "which promises one copy (RFC 5321 4.2.5)"
        )
    if attempt.outcome is Outcome.UNKNOWN:
        return "after its final dot, which promises no copy or one"
    if _is_http(record, attempt):
        return "which says that nothing was stored"
    if attempt.refused_at_dot:
        return "which promises that nothing was stored (RFC 5321 4.2.1)"
    return "before its final dot was complete, which promises that nothing was stored (RFC 5321 4.1.1.4)"


def copies_in_words(copies: Sequence[StoredMessage]) -> str:
    """`one copy, ID a`, `two copies, IDs a and b`, `no copy`."""
    ids = [copy.id for copy in copies]
    if not ids:
        return "no copy"
    if len(ids) == 1:
        return f"one copy, ID {ids[0]}"
    return f"{count(len(ids))} copies, IDs {listed(ids)}"


def tags_in_words(tags: Sequence[str]) -> str:
    """`tag 'a'`, `tags 'a' and 'b'`, `no tag`."""
    if not tags:
        return "no tag"
    return f"{'tag' if len(tags) == 1 else 'tags'} {listed([repr(tag) for tag in tags])}"


def count(number: int) -> str:
    """A small number as a word, a larger one in figures."""
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def times(number: int) -> str:
    """`twice`, `three times`."""
    return "twice" if number == 2 else f"{count(number)} times"


def finding(
    name: AnomalyName,
    record: RoundRecord,
    proof: str,
    *,
    message: str | None = None,
    attempts: Sequence[int] = (),
    copies: Sequence[StoredMessage] = (),
    tags: Sequence[str] = (),
) -> Anomaly:
    """The anomaly with those witnesses; its proof begins `rejected_but_stored, round 41, message m3: `."""
    about = f", message {message}" if message else ""
    return Anomaly(
        name=name,
        round=record.index,
        message=message,
        attempts=tuple(attempts),
        copies=tuple(copy.id for copy in copies),
        tags=tuple(tags),
        proof=f"{name.value}, round {record.index}{about}: {proof}",
    )


def about_copy(
    name: AnomalyName, record: RoundRecord, copy: StoredMessage, proof: str, *, tags: Sequence[str] = ()
) -> Anomaly:
    """The anomaly of one copy of one of the round's messages; the proof begins with that copy's ID."""
    return finding(
        name,
        record,
        f"its copy, ID {copy.id}, {proof}",
        message=copy.key,
        attempts=[copy.attempt] if copy.attempt else [],
        copies=[copy],
        tags=tags,
    )


def _is_http(record: RoundRecord, attempt: Attempt) -> bool:
    if attempt.actor < 0:
        return False
    operation = record.plan.operations[attempt.actor]
    return protocol_of(operation) == "http"
