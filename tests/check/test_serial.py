"""The second oracle on typed-in rounds: what serial orders clear, and what only they can name."""

from dataclasses import replace

import pytest
from mailrace.check import SerialOutcome, check_round, outcome_of
from mailrace.check.outcome import Part
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Attempt, RoundRecord, StoredMessage
from mailrace.model.operation import (
    Delete,
    DeleteTag,
    Message,
    SetTags,
)

from tests.check.rounds import DOMAIN, PLAIN, copy, executed, mail, send, tried
from tests.check.serial_rounds import (
    ALL,
    BOTH_ORDERS,
    DELETED_FIRST,
    DELETED_LAST,
    GIVEN,
    SEND,
    SENT,
    names,
    ran,
    serial,
)


def test_a_message_that_the_same_round_deleted_is_no_loss() -> None:
    gone = ran((SEND, ALL), (250, 200), ())
    assert check_round(gone, PLAIN, BOTH_ORDERS) == ()
    assert check_round(gone, PLAIN) == ()


def test_a_loss_that_no_serial_order_shows_keeps_its_name() -> None:
    gone = ran((SEND, ALL), (250, 200), ())
    assert names(check_round(gone, PLAIN, (DELETED_FIRST,))) == [AnomalyName.ACCEPTED_BUT_MISSING]
    untagged = ran((SEND, ALL), (250, 200), (copy(SENT),))
    assert names(check_round(untagged, PLAIN, BOTH_ORDERS)) == [AnomalyName.TAG_LOST]
    ghost = ran((SEND, ALL), (250, 200), (), tags=("r00041-t",))
    assert names(check_round(ghost, PLAIN, BOTH_ORDERS)) == [AnomalyName.TAG_GHOST]


def test_without_an_edit_nothing_is_cleared() -> None:
    other = send(mail("s02", "U"))
    lossy = ran((SEND, other), (250, 250), (copy(SENT), copy(other.message, "U")), tags=("U",))
    assert names(check_round(lossy, PLAIN, (outcome_of(lossy),))) == [AnomalyName.TAG_LOST]


def test_a_tag_deletion_explains_a_lost_tag_and_a_late_retag_a_ghost() -> None:
    untag = DeleteTag(key="delete_tag.1", tag="T")
    lossy = ran((SEND, untag), (250, 200), (copy(SENT),))
    assert check_round(lossy, PLAIN, (serial("send.1, delete_tag.1", lossy),)) == ()
    delete = Delete(key="delete.1", messages=(GIVEN.key,))
    retag = SetTags(key="set_tags.1", messages=(GIVEN.key,), tags=("r00041-late",))
    ghost = ran((delete, retag), (200, 200), (), given=(GIVEN,), tags=("r00041-late",))
    assert check_round(ghost, PLAIN, (serial("delete.1, set_tags.1", ghost),)) == ()
    empty = replace(ghost, stored=replace(ghost.stored, tags=()))
    assert names(check_round(ghost, PLAIN, (outcome_of(empty),))) == [AnomalyName.TAG_GHOST]


def test_an_untouched_message_is_cleared_by_no_deletion_of_another() -> None:
    delete = Delete(key="delete.1", messages=(GIVEN.key,))
    kept = ran((SEND, delete), (250, 200), (copy(SENT, "T"),), given=(GIVEN,), tags=("T",))
    lossy = ran((SEND, delete), (250, 200), (copy(SENT),), given=(GIVEN,))
    orders = (serial("send.1, delete.1", kept), serial("delete.1, send.1", kept))
    assert names(check_round(lossy, PLAIN, orders)) == [AnomalyName.TAG_LOST]
    assert names(check_round(lossy, PLAIN)) == [AnomalyName.TAG_LOST]


@pytest.mark.parametrize(
    ("code", "copies", "name"),
    [
        (451, (copy(SENT, "T"),), AnomalyName.REJECTED_BUT_STORED),
        (250, (copy(SENT, "T", server_id="a"), copy(SENT, "T", server_id="b")), AnomalyName.DUPLICATED),
        (250, (copy(SENT, "T", cc=("x@y.test",)),), AnomalyName.ENVELOPE_LEAKED),
    ],
)
def test_what_a_serial_order_never_clears(
    code: int, copies: tuple[StoredMessage, ...], name: AnomalyName
) -> None:
    record = ran((SEND, ALL), (code, 200), copies, tags=("T",))
    assert names(check_round(record, PLAIN, (outcome_of(record),))) == [name]


def test_hang_and_crash_are_never_cleared() -> None:
    record = ran((SEND, ALL), (250, 200), (copy(SENT, "T"),), hung=("GET /readyz",), crashed="status 2")
    assert names(check_round(record, PLAIN, (outcome_of(record),))) == [AnomalyName.CRASH, AnomalyName.HANG]


def test_spurious_rejection() -> None:
    refused = ran((SEND, ALL), (451, 200), ())
    assert check_round(refused, PLAIN, BOTH_ORDERS) == (
        Anomaly(
            name=AnomalyName.SPURIOUS_REJECTION,
            round=41,
            message=SENT.key,
            attempts=(1,),
            proof="spurious_rejection, round 41, message r00041s01: sender 1 was told 451 at 2.000 ms and "
            "nothing was stored; every serial order accepts it: "
            "(send.1, delete_all.1); (delete_all.1, send.1).",
        ),
    )
    refusing = serial("delete_all.1, send.1", refused)
    assert check_round(refused, PLAIN, (DELETED_LAST, refusing)) == ()


def test_the_refusal_of_a_lead_message_is_no_operations_reply() -> None:
    lead = mail("l01", malformed=True)
    leading = send(SENT, lead=lead)
    record = ran((leading, ALL), (250, 200), ())
    refused = tried(leading, 451, -3, message=lead, released_ms=-4)
    record = replace(record, attempts=(refused, *record.attempts))
    assert check_round(record, PLAIN, (outcome_of(record),)) == ()


def test_a_refused_edit_that_every_order_accepts_is_spurious_too() -> None:
    refused = ran((SEND, ALL), (250, 400), (copy(SENT, "T"),), tags=("T",), texts=("", "missing argument"))
    assert names(check_round(refused, PLAIN, BOTH_ORDERS)) == [AnomalyName.SPURIOUS_REJECTION]


def test_not_serializable_where_no_finer_name_fits() -> None:
    """Two retags of one message: it must end with one's tags or the other's, not with both or none."""
    edits = tuple(
        SetTags(key=f"set_tags.{n}", messages=(GIVEN.key,), tags=(tag,)) for n, tag in ((1, "A"), (2, "B"))
    )
    first = ran(edits, (200, 200), (copy(GIVEN, "A"),), given=(GIVEN,), tags=("A",))
    second = ran(edits, (200, 200), (copy(GIVEN, "B"),), given=(GIVEN,), tags=("B",))
    allowed = (serial("set_tags.2, set_tags.1", first), serial("set_tags.1, set_tags.2", second))
    assert check_round(first, PLAIN, allowed) == ()
    mixed = ran(edits, (200, 200), (copy(GIVEN, "T", "A", "B"),), given=(GIVEN,), tags=("A", "B", "T"))
    assert check_round(mixed, PLAIN, allowed) == (
        Anomaly(
            name=AnomalyName.NOT_SERIALIZABLE,
            round=41,
            proof="not_serializable, round 41: its outcome is that of none of the serial orders "
            "(set_tags.2, set_tags.1); (set_tags.1, set_tags.2); nearest is set_tags.2, set_tags.1, "
            "from which it differs in copies of ROUNDg01 'tags [a, b, t] to [OWN@DOMAIN] unread' "
            "(there 'tags [a] to [OWN@DOMAIN] unread'), "
            "tag b 'on 1' (there 'absent') and tag t 'on 1' (there 'absent').",
        ),
    )
    assert check_round(mixed, PLAIN) == ()


def test_bulk_operations_are_judged_message_by_message() -> None:
    """Delete-all between two sends of unlike messages may take one and leave the other, or either."""
    two = send(mail("s02", "U"))
    operations = (SEND, two, ALL)
    gone = outcome_of(ran(operations, (250, 250, 200), ()))
    kept = outcome_of(
        ran(operations, (250, 250, 200), (copy(SENT, "T"), copy(two.message, "U")), tags=("T", "U"))
    )
    mixed = ran(operations, (250, 250, 200), (copy(two.message, "U"),), tags=("U",))
    assert check_round(mixed, PLAIN, (gone, kept)) == ()
    read = ran(operations, (250, 250, 200), (copy(two.message, "U", read=True),), tags=("U",))
    assert names(check_round(read, PLAIN, (gone, kept))) == [AnomalyName.NOT_SERIALIZABLE]


def test_actors_that_differ_only_in_names_are_exchanged() -> None:
    def pair(*codes: int) -> RoundRecord:
        messages = (mail("s01", "T"), mail("s02", "T"))
        stored = tuple(copy(m, "T") for m, code in zip(messages, codes, strict=True) if code == 250)
        return ran((send(messages[0]), send(messages[1])), codes, stored, tags=("T",))

    assert check_round(pair(451, 250), PLAIN, (outcome_of(pair(250, 451)),)) == ()
    assert names(check_round(pair(451, 451), PLAIN, (outcome_of(pair(250, 451)),))) == [
        AnomalyName.NOT_SERIALIZABLE
    ]


def test_an_unknown_reply_says_nothing_and_its_effect_may_be_there_or_not() -> None:
    kept = ran((SEND, ALL), (None, 200), (copy(SENT, "T"),), tags=("T",))
    left_out = outcome_of(executed((SEND, ALL), (tried("delete_all.1", 200, 3, actor=1),), ()))
    assert check_round(kept, PLAIN, (DELETED_FIRST, left_out)) == ()
    assert check_round(ran((SEND, ALL), (None, 200), ()), PLAIN, (DELETED_FIRST, left_out)) == ()
    assert names(check_round(kept, PLAIN, (left_out,))) == [AnomalyName.NOT_SERIALIZABLE]


def test_a_round_with_retries_is_not_compared_as_a_whole() -> None:
    attempts: tuple[Attempt, ...] = (
        tried(SEND, 451, 2),
        tried("delete_all.1", 200, 3, actor=1),
        tried(SEND, 250, 9, number=2),
    )
    kept = executed((SEND, ALL), attempts, (copy(SENT, "T", attempt=2),), tags=("T",))
    gone = executed((SEND, ALL), attempts, ())
    # The refusal of the first attempt stays what it is; the loss of the second is not for promises to judge.
    assert names(check_round(gone, PLAIN, BOTH_ORDERS)) == [AnomalyName.SPURIOUS_REJECTION]
    refusing = (DELETED_LAST, outcome_of(ran((SEND, ALL), (451, 200), ())))
    assert check_round(kept, PLAIN, refusing) == ()


def test_outcomes_of_other_rounds_and_runs_compare() -> None:
    def elsewhere(domain: str, token: str, stamp: int) -> SerialOutcome:
        def moved(message: Message) -> Message:
            run = domain.partition(".")[0]
            tags = tuple(tag.replace("T", f"{run}-{token}") for tag in message.x_tags)
            to = tuple(f"{token}.{message.key[-3:]}@{domain}" for _ in message.to)
            return replace(message, domain=domain, x_tags=tags, to=to)

        sent = moved(mail("s01", "T", token=token))
        record = ran(
            (send(sent), ALL), (250, 404), (), texts=("", f"no message {'x' * 21}{stamp} at {stamp}")
        )
        stored = replace(record.stored, messages=(copy(sent, *sent.x_tags),), tags=sent.x_tags)
        plan = replace(record.plan, token=token, index=stamp)
        return outcome_of(replace(record, index=stamp, plan=plan, stored=stored))

    here = elsewhere(DOMAIN, "r00041", 41)
    assert here == elsewhere("mrzzzzzzzz.test", "r00007", 7)
    assert here.parts == (
        Part(-1, "server", "lives"),
        Part(-1, "tag RUN-ROUND", "on 1"),
        Part(0, "copies of its message", "tags [RUN-ROUND] to [OWN@DOMAIN] unread"),
        Part(0, "reply", "2xx"),
        Part(1, "reply", "4xx no message id at N"),
    )


def test_the_outcome_of_a_store_that_was_not_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="round 41: its store was not read"):
        outcome_of(executed((SEND,), (), None))


def test_a_tag_that_every_serial_order_takes_away_is_not_what_was_lost() -> None:
    """Two who set one message's tags leave those of both: wrong, but nobody lost the tag of before."""
    from mailrace.check.serial import _TAGS

    held = [", ".join(_TAGS.findall(value)) for value in ("tags [a, b] to [x] read", "tags [] to [] unread")]
    assert held == ["a, b", ""]
