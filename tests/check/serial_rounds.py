"""Rounds with an edit, and what their serial orders come to, typed in."""

from mailrace.check import SerialOutcome, outcome_of
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord, StoredMessage
from mailrace.model.operation import DeleteAll, Operation

from tests.check.rounds import copy, executed, mail, send, tried

SENT, GIVEN = mail("s01", "T"), mail("g01", "T")
SEND = send(SENT)
ALL = DeleteAll(key="delete_all.1")


def ran(
    operations: tuple[Operation, ...],
    codes: tuple[int | None, ...],
    copies: tuple[StoredMessage, ...],
    *,
    texts: tuple[str, ...] = (),
    **more: object,
) -> RoundRecord:
    """A round whose operations were all released at once and told those codes."""
    texts = texts or ("",) * len(codes)
    attempts = tuple(
        tried(operation if operation.kind == "send" else operation.key, code, 2.0 + i, actor=i, text=text)
        for i, (operation, code, text) in enumerate(zip(operations, codes, texts, strict=True))
    )
    return executed(operations, attempts, copies, **more)


def serial(order: str, record: RoundRecord) -> SerialOutcome:
    return outcome_of(record, order)


def names(found: tuple[Anomaly, ...]) -> list[AnomalyName]:
    return [anomaly.name for anomaly in found]


DELETED_LAST = serial("send.1, delete_all.1", ran((SEND, ALL), (250, 200), ()))
DELETED_FIRST = serial("delete_all.1, send.1", ran((SEND, ALL), (250, 200), (copy(SENT, "T"),), tags=("T",)))
BOTH_ORDERS = (DELETED_LAST, DELETED_FIRST)
