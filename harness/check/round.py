"""One executed round to its anomalies, by both oracles where the serial outcomes are at hand."""

from harness.check.promises import broken_promises, is_left_to_serial
from harness.model.anomaly import Anomaly
from harness.model.attempt import RoundRecord
from harness.model.operation import ServerOptions


def check_round(record: RoundRecord, options: ServerOptions) -> tuple[Anomaly, ...]:
    """The round's anomalies, the gravest first.

    What only serial equivalence may judge is left out: no false alarm; `not_looked` says so.
    """
    return tuple(a for a in broken_promises(record, options) if not is_left_to_serial(a, record, options))


def not_looked(record: RoundRecord) -> str:
    """What could not be looked at in this round, in a sentence; "" if all was."""
    if record.lost:
        return f"round {record.index} could not be exercised: {record.lost}"
    if record.stored is None:
        return f"round {record.index}: the store was not read, so nothing is known of its copies"
    return ""
