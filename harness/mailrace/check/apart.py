"""Takes a round's anomalies, and what the same operations broke in turn; gives those that need a race.

Where a server breaks a promise also when nothing runs in parallel, the cause is its setup or a fault of
another kind. That is told as a broken promise and never called a race.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from mailrace.check.orders import constraints, first_attempts
from mailrace.check.promises import broken_serially
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import PlannedRound, Send, ServerOptions

Break = tuple[AnomalyName, str, frozenset[str]]
"""A broken promise as it is the same in every round: its name, whose message, which tags."""
_OWN_MARKS = re.compile(r"r\d{5}|[sgl]\d{2}(?!\d)")


def serial_breaks(
    records: Iterable[RoundRecord], options: ServerOptions
) -> tuple[tuple[Break, Anomaly], ...]:
    """Promises broken in rounds whose operations ran one after the other; each kind with its first anomaly.

    An envelope that leaks is left out where the scenario sends a lead: such a scenario asks what a session
    leaves behind for the next mail, so the leak is what it looks for.
    """
    found: dict[Break, Anomaly] = {}
    for record in records:
        has_lead = any(isinstance(o, Send) and o.lead is not None for o in record.plan.operations)
        for anomaly in (*broken_serially(record, options), *_refusals(record)):
            if not (has_lead and anomaly.name is AnomalyName.ENVELOPE_LEAKED):
                found.setdefault(break_of(anomaly, record.plan), anomaly)
    return tuple(found.items())


def _refusals(record: RoundRecord) -> Iterator[Anomaly]:
    """Operations that were refused although nothing ran beside them: such a refusal needs no race."""
    for attempt in first_attempts(record).values():
        if attempt.refused_at_dot:
            proof = f"{attempt.operation} was refused: {attempt.said}"
            yield Anomaly(
                name=AnomalyName.SPURIOUS_REJECTION,
                round=record.index,
                message=attempt.message,
                attempts=(attempt.number,),
                proof=proof,
            )


def apart(
    record: RoundRecord, anomalies: Sequence[Anomaly], breaks: Iterable[Break]
) -> tuple[tuple[Anomaly, ...], tuple[Anomaly, ...]]:
    """The anomalies of a raced round that need a race, and those that `breaks` shows without one.

    A kind that also shows without a race is never called one, however often it shows in either way: a server
    may fail more often under load. Where the serial orders themselves break promises, an outcome that differs
    from theirs is no race either: it may be the right one.
    """
    known = frozenset(breaks)
    races = tuple(a for a in anomalies if needs_race(break_of(a, record.plan), known))
    return races, tuple(a for a in anomalies if a not in races)


def needs_race(kind: Break, breaks: Collection[Break]) -> bool:
    """Whether an anomaly of that kind needs a race, by what shows without one; see `apart`."""
    # A refusal in one serial order is no broken promise: the operation may have nothing left to act on.
    is_judge_at_fault = any(name is not AnomalyName.SPURIOUS_REJECTION for name, _, _ in breaks)
    return kind not in breaks and not (is_judge_at_fault and kind[0] is AnomalyName.NOT_SERIALIZABLE)


def break_of(anomaly: Anomaly, planned: PlannedRound) -> Break:
    """The kind of an anomaly: equal in two rounds of one plan where only names and marks differ."""
    tags = frozenset(_OWN_MARKS.sub("", tag.lower()) for tag in anomaly.tags)
    return anomaly.name, _role(anomaly.message, planned), tags


def _role(message: str | None, planned: PlannedRound) -> str:
    """Whose message it is, alike for senders that may be exchanged; "" where it is about no planned one."""
    if message is None:
        return ""
    kinds = constraints(planned).kind
    for index, operation in enumerate(planned.operations):
        if isinstance(operation, Send):
            if operation.message.key == message:
                return f"sender of kind {kinds[index]}"
            if operation.lead is not None and operation.lead.key == message:
                return f"lead of kind {kinds[index]}"
    if not message.startswith(planned.token):
        return "message of an earlier round"
    return "given " + message.removeprefix(planned.token)
