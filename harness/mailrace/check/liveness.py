"""`hang` and `crash`: requests that are never answered, and a server that ended."""

from collections.abc import Iterator

from mailrace.check.wording import finding
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions
from mailrace.model.phrases import listed


def hang(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding where requests stayed unanswered while the server was quiet, or past their limit."""
    if record.hung:
        proof = f"{listed(record.hung)} got no answer, and the server did nothing or the time limit was over."
        yield finding(AnomalyName.HANG, record, proof)


def crash(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding where the server's process ended in or after the round."""
    if record.crashed:
        yield finding(AnomalyName.CRASH, record, f"the server's process ended: {record.crashed}.")
