"""`order_wrong`: the list of mails is not in the order of their arrival."""

from collections.abc import Iterator
from itertools import pairwise

from mailrace.check.evidence import tries_of
from mailrace.check.wording import finding, told, who
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions


def order_wrong(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """At most one finding of each kind: rows not newest first; times of arrival that contradict the replies.

    Rows of one millisecond may stand in any order. A mail that was answered before another was wholly sent
    arrived before it, unless the server was told to show the messages' own dates (`ServerOptions.extra`).
    """
    if record.stored is None:
        return
    for newer, older in pairwise(row for row in record.stored.messages if row.created_ms):
        if newer.created_ms < older.created_ms:
            proof = (
                f"the list is newest first, and ID {newer.id} stands before ID {older.id}, which arrived "
                f"{older.created_ms - newer.created_ms} ms later by the list's own times."
            )
            yield finding(AnomalyName.ORDER_WRONG, record, proof, copies=[newer, older])
            return
    if not options.extra and (found := _against_earlier(record) or _against_replies(record)):
        yield found


def _against_earlier(record: RoundRecord) -> Anomaly | None:
    """The first row that, by the server's times, arrived before a mail of a round that was already over."""
    earlier = record.stored.earlier if record.stored else None
    if earlier is None:
        return None
    for one in tries_of(record):
        for copy in one.copies:
            if 0 < copy.created_ms < earlier.created_ms:
                proof = (
                    f"its copy, ID {copy.id}, arrived {earlier.created_ms - copy.created_ms} ms before "
                    f"ID {earlier.id} by the server's own times, which was stored in a round before."
                )
                copies, message = [copy, earlier], one.message.key
                return finding(AnomalyName.ORDER_WRONG, record, proof, message=message, copies=copies)
    return None


def _against_replies(record: RoundRecord) -> Anomaly | None:
    stored = [
        (one, copy)
        for one in tries_of(record)
        for copy in one.copies
        if one.is_ok and copy.created_ms and one.attempt.released_ns is not None
    ]
    for first, early in stored:
        for second, late in stored:
            released_ns = second.attempt.released_ns
            if released_ns is None or first.attempt.completed_ns >= released_ns:
                continue
            if early.created_ms > late.created_ms:
                proof = (
                    f"{who(record, first.attempt)} {told(record, first.attempt)}, before "
                    f"{who(record, second.attempt)} had sent its mail, and its copy, ID {early.id}, arrived "
                    f"{early.created_ms - late.created_ms} ms after ID {late.id} by the server's own times."
                )
                return finding(AnomalyName.ORDER_WRONG, record, proof, copies=[early, late])
    return None
