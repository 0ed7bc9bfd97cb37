"""One executed round to its broken promises: what each outcome promised, held against the store."""

from collections.abc import Callable

from mailrace.check.accepted_but_missing import accepted_but_missing
from mailrace.check.duplicated import duplicated, retry_duplicate
from mailrace.check.envelope_leaked import envelope_leaked
from mailrace.check.liveness import crash, hang
from mailrace.check.rejected_but_stored import rejected_but_stored
from mailrace.check.tag_duplicated import tag_duplicated
from mailrace.check.tag_ghost import tag_ghost
from mailrace.check.tag_lost import tag_lost
from mailrace.check.touched import has_edits, touched
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions

Checker = Callable[[RoundRecord, ServerOptions], tuple[Anomaly, ...]]

CHECKERS: tuple[Checker, ...] = (
    crash,
    hang,
    rejected_but_stored,
    accepted_but_missing,
    duplicated,
    envelope_leaked,
    tag_lost,
    tag_duplicated,
    tag_ghost,
    retry_duplicate,
)
"""One property each, in the order of a round's findings: the gravest first."""

CLEARABLE = frozenset({AnomalyName.ACCEPTED_BUT_MISSING, AnomalyName.TAG_LOST, AnomalyName.TAG_GHOST})
"""What a serial order may explain, in rounds with a deletion or a tag edit (DESIGN.md, "Anomalies")."""


def broken_promises(record: RoundRecord, options: ServerOptions) -> tuple[Anomaly, ...]:
    """Every broken promise of the round, before serial equivalence has its say."""
    return tuple(anomaly for checker in CHECKERS for anomaly in checker(record, options))


def is_clearable(anomaly: Anomaly, record: RoundRecord) -> bool:
    """Whether a serial order may explain it away."""
    return anomaly.name in CLEARABLE and has_edits(record)


def is_left_to_serial(anomaly: Anomaly, record: RoundRecord, options: ServerOptions) -> bool:
    """Whether only serial equivalence may judge it: clearable, and about what the round itself edits.

    A listed tag without a message is always about that: `PUT /tags` on a deleted message leaves one.
    """
    if not is_clearable(anomaly, record):
        return False
    return anomaly.message is None or anomaly.message in touched(record, options)
