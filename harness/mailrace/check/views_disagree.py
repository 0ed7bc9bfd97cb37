"""`views_disagree`: once all is quiet, two views of the store contradict each other."""

from collections.abc import Iterator

from mailrace.check.wording import finding
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions, messages_of


def views_disagree(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each thing about which two views differ; both are witnesses.

    A hung or ended server shows nothing, so nothing is compared there (`mailrace.targets.views` looks).
    """
    known = messages_of(record.plan)
    for two in record.stored.disagreeing if record.stored is not None else ():
        proof = f"after all was quiet {two.one}, and {two.other}."
        message = two.key if two.key in known else None
        yield finding(AnomalyName.VIEWS_DISAGREE, record, proof, message=message)
