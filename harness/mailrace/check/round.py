"""Takes an executed round; gives its anomalies, by both oracles where the serial outcomes are at hand."""

from collections.abc import Sequence

from mailrace.check.outcome import SerialOutcome
from mailrace.check.promises import broken_promises
from mailrace.check.serial import serial_anomalies
from mailrace.check.touched import has_edits, touched
from mailrace.model.anomaly import Anomaly
from mailrace.model.attempt import Loss, RoundRecord
from mailrace.model.operation import ServerOptions


def check_round(
    record: RoundRecord, options: ServerOptions, serial: Sequence[SerialOutcome] | None = None
) -> tuple[Anomaly, ...]:
    """The round's anomalies, the gravest first.

    serial   the outcomes of the round's serial orders (`orders`, `outcome_of`). None or empty: only promises
             are judged. For what the round itself may delete or retag, those are only the promises that hold
             in every order, so that nothing is a false alarm; `left_open` says so.
    """
    return serial_anomalies(record, serial or (), broken_promises(record, options), options)


def not_looked(record: RoundRecord) -> str:
    """Why the round counts as lost, in a sentence; "" if it was looked at."""
    if record.loss is Loss.UNVERIFIED:
        return f"round {record.index} was not verified: {record.lost}"
    if record.lost:
        return f"round {record.index} could not be exercised: {record.lost}"
    released = {
        a.actor for a in record.attempts if a.actor >= 0 and a.number == 1 and a.released_ns is not None
    }
    if len(record.plan.operations) > 1 and len(released) < 2:
        return f"round {record.index}: fewer than two operations were wholly sent, so nothing raced"
    if record.stored is None:
        return f"round {record.index}: the store was not read, so nothing is known of its copies"
    if record.against:
        return f"round {record.index} says nothing in favour of the server: {'; '.join(record.against)}"
    return ""


def left_open(
    record: RoundRecord, options: ServerOptions, serial: Sequence[SerialOutcome] | None = None
) -> str:
    """What was not judged in a round that was looked at, in a sentence; "" where everything was judged.

    It depends on the scenario's operations alone, so callers say it once for each scenario.
    """
    if serial or record.stored is None or not has_edits(record):
        return ""
    messages = ", ".join(sorted(touched(record, options))) or "none of its messages"
    return (
        f"round {record.index} deletes or retags {messages}: without its serial orders, a loss "
        "there and a tag without a message could not be judged"
    )
