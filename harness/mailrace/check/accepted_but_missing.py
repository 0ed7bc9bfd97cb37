"""`accepted_but_missing`: an accepted message without a copy in the store."""

from collections.abc import Iterator

from mailrace.check.evidence import units_of
from mailrace.check.wording import finding, promise, told, who
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions


def accepted_but_missing(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each accepted attempt without a copy; with ignore_duplicate_ids for each Message-ID.

    A given message counts as accepted. Whether a deletion of the same round explains it, `check_round`
    decides.
    """
    for unit in units_of(record, options):
        if not unit.accepted or unit.copies:
            continue
        first = unit.accepted[0]
        shared = f" of Message-ID {unit.message_id}" if options.ignore_duplicate_ids else ""
        told_first = f"{who(record, first.attempt)} {told(record, first.attempt)}"
        promised = "" if first.attempt.actor < 0 else f", {promise(record, first.attempt)}"
        yield finding(
            AnomalyName.ACCEPTED_BUT_MISSING,
            record,
            f"{told_first}{promised}; the store holds no copy{shared}.",
            message=first.message.key,
            attempts=[first.attempt.number],
        )
