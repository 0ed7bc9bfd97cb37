"""`hang` and `crash`: requests that are never answered, and a server that ended."""

from mailrace.check.wording import finding, listed
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions


def hang(record: RoundRecord, options: ServerOptions) -> tuple[Anomaly, ...]:
    """One finding where requests stayed unanswered while the server was quiet, or past their limit."""
    if not record.hung:
        return ()
    proof = f"unanswered while the server was quiet, or past the limit: {listed(record.hung)}."
    return (finding(AnomalyName.HANG, record, proof),)


def crash(record: RoundRecord, options: ServerOptions) -> tuple[Anomaly, ...]:
    """One finding where the server's process ended in or after the round."""
    if not record.crashed:
        return ()
    return (finding(AnomalyName.CRASH, record, f"the server's process ended: {record.crashed}."),)
