"""Takes a round's record; gives the number of stored copies that its promises allow."""

from mailrace.check.evidence import units_of
from mailrace.check.touched import deletable
from mailrace.model.attempt import Outcome, RoundRecord
from mailrace.model.operation import ServerOptions


def expected_copies(record: RoundRecord, options: ServerOptions) -> tuple[int, int]:
    """(least, most) copies that the round's promises allow: ok exactly one, fail none, unknown none or one.

    With ignore_duplicate_ids a Message-ID counts once. What the round itself may delete may be gone.
    (0, 0) where the store was not read.
    """
    may_be_gone = deletable(record, options)
    least = most = 0
    for unit in units_of(record, options):
        if all(one.is_refused for one in unit.tries):
            continue
        most += 1
        certain = any(one.attempt.outcome is Outcome.OK for one in unit.tries)
        least += certain and not any(one.message.key in may_be_gone for one in unit.tries)
    return least, most
