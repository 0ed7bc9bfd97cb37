"""Takes an executed round; gives its broken promises: what each outcome promised, compared with the store."""

from collections.abc import Callable, Iterator

from mailrace.check.accepted_but_missing import accepted_but_missing
from mailrace.check.content_mixed import content_mixed
from mailrace.check.duplicated import duplicated, retry_duplicate
from mailrace.check.envelope_leaked import envelope_leaked
from mailrace.check.foreign_row import foreign_row
from mailrace.check.id_mixed import id_mixed
from mailrace.check.liveness import crash, hang
from mailrace.check.older_changed import older_changed
from mailrace.check.order_wrong import order_wrong
from mailrace.check.rejected_but_stored import rejected_but_stored
from mailrace.check.search_wrong import search_wrong
from mailrace.check.tag_duplicated import tag_duplicated
from mailrace.check.tag_ghost import tag_ghost
from mailrace.check.tag_lost import tag_lost
from mailrace.check.tags import tag_keys
from mailrace.check.touched import touched, touched_tags
from mailrace.check.views_disagree import views_disagree
from mailrace.model.anomaly import Anomaly, AnomalyName, Weight
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions

Checker = Callable[[RoundRecord, ServerOptions], Iterator[Anomaly]]

CHECKERS: tuple[Checker, ...] = (
    crash,
    hang,
    rejected_but_stored,
    accepted_but_missing,
    duplicated,
    foreign_row,
    content_mixed,
    envelope_leaked,
    id_mixed,
    older_changed,
    tag_lost,
    tag_duplicated,
    tag_ghost,
    search_wrong,
    order_wrong,
    views_disagree,
    retry_duplicate,
)
"""One property each, in the order of a round's findings: the gravest first."""

CLEARABLE = frozenset({AnomalyName.ACCEPTED_BUT_MISSING, AnomalyName.TAG_LOST, AnomalyName.TAG_GHOST})
"""What a serial order may explain where the round itself edits the message or the tag."""


def broken_promises(record: RoundRecord, options: ServerOptions) -> tuple[Anomaly, ...]:
    """Every broken promise of the round, before serial equivalence clears any."""
    return tuple(anomaly for checker in CHECKERS for anomaly in checker(record, options))


def is_left_to_serial(anomaly: Anomaly, record: RoundRecord, options: ServerOptions) -> bool:
    """Whether serial equivalence judges it: it is clearable, and about what an edit of the round may touch.

    What no edit touches must keep its promise in every order. A serial order that breaks the promise too then
    explains nothing: the server breaks it without a race (`broken_serially`).
    """
    if anomaly.name not in CLEARABLE:
        return False
    if anomaly.message is not None:
        return anomaly.message in touched(record, options)
    return tag_keys(anomaly.tags) <= touched_tags(record, options)


def broken_serially(record: RoundRecord, options: ServerOptions) -> tuple[Anomaly, ...]:
    """The promises broken in a round whose operations ran one after the other: none of them needs a race.

    What an edit of the round touches is not judged by a promise: a mail that is sent and then deleted is
    gone.
    """
    return tuple(
        anomaly
        for anomaly in broken_promises(record, options)
        if anomaly.name.weight is Weight.RACE and not is_left_to_serial(anomaly, record, options)
    )
