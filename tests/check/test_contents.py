"""The stored mail is the mail that was sent: typed-in rounds, one planted fault for each branch."""

from dataclasses import replace

import pytest
from mailrace.check import broken_serially, check_round
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Changed, RoundRecord, Search, Source, Stored, StoredMessage
from mailrace.model.operation import Delete, DeleteAll, ServerOptions

from tests.check.rounds import DOMAIN, IGNORING, PLAIN, copy, executed, mail, send, tried

ONE, TWO = mail("s01"), mail("s02")
BOTH = (send(ONE), send(TWO))
ROW_1, ROW_2 = copy(ONE, created_ms=1000), copy(TWO, created_ms=1001)
OK_1 = tried(BOTH[0], 250, 1.5, text="2.0.0 Ok: queued as IDs01a1")
OK_2 = tried(BOTH[1], 250, 2.5, text="2.0.0 Ok: queued as IDs02a1")


def stored(*rows: StoredMessage, options: ServerOptions = PLAIN, **more: object) -> tuple[Anomaly, ...]:
    """The findings of a round of two accepted mails after which the store holds those rows."""
    record = executed(BOTH, (OK_1, OK_2), rows)
    assert record.stored is not None
    return check_round(replace(record, stored=replace(record.stored, **more)), options)


def named(name: AnomalyName, message: str | None, proof: str, *copies: str) -> Anomaly:
    about = f", message {message}" if message else ""
    return Anomaly(
        name=name,
        round=41,
        message=message,
        attempts=(1,) if name in (AnomalyName.CONTENT_MIXED, AnomalyName.ID_MIXED) else (),
        copies=copies,
        proof=f"{name.value}, round 41{about}: {proof}",
    )


def test_rows_that_are_what_was_sent_are_clean() -> None:
    compared = replace(ROW_1, source=Source(size_bytes=500, difference=""), snippet="r00041s01 The quick")
    searches = (Search(key=ONE.key, query="q", ids=("IDs01a1",)),)
    older = replace(ROW_1, id="older", created_ms=999)
    assert stored(ROW_2, compared, searches=searches, earlier=older) == ()
    assert stored(ROW_2, compared, options=IGNORING) == ()


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        (
            {"subject": TWO.subject},
            f"has the subject '{TWO.subject}' of message {TWO.key} where '{ONE.subject}' was sent",
        ),
        ({"subject": ""}, f"has the subject '' where '{ONE.subject}' was sent"),
        (
            {"message_id": TWO.message_id},
            f"has the Message-ID '{TWO.message_id}' of message {TWO.key} where '{ONE.message_id}' was sent",
        ),
        (
            {"snippet": "r00041s02 The quick"},
            "has the snippet 'r00041s02 The quick' where the text begins with 'r00041s01'",
        ),
        ({"snippet": ""}, "has the snippet '' where the text begins with 'r00041s01'"),
        ({"size": 100}, "is listed with 100 bytes where a text of 120 bytes was sent"),
        ({"size": 300_000}, "is listed with 300000 bytes where a text of 120 bytes was sent"),
        (
            {"source": Source(size_bytes=501, difference="")},
            "is listed with 500 bytes where its source has 501",
        ),
        (
            {"source": Source(size_bytes=500, difference="'b' is stored where 'a' was sent")},
            "has another source: 'b' is stored where 'a' was sent",
        ),
    ],
)
def test_content_mixed(changed: dict[str, object], complaint: str) -> None:
    assert stored(ROW_2, replace(ROW_1, **changed)) == (
        named(AnomalyName.CONTENT_MIXED, ONE.key, f"its copy, ID IDs01a1, {complaint}.", "IDs01a1"),
    )


def test_a_users_own_message_is_not_compared_with_what_we_would_have_written() -> None:
    file = replace(ONE, file_sha256="0" * 64)
    row = replace(copy(file), subject="theirs", snippet="theirs", size=12)
    assert check_round(executed((send(file),), (OK_1,), (row,)), PLAIN) == ()


def test_a_retry_under_a_new_message_id_is_the_same_mail() -> None:
    attempts = (tried(BOTH[0], None, 9), tried(BOTH[0], 250, 12, number=2))
    again = copy(ONE, attempt=2, message_id=f"again2.{ONE.message_id}")
    assert check_round(executed(BOTH[:1], attempts, (again,)), PLAIN) == ()


TOLD = "sender 1 was told 250 at 1.500 ms with the ID {}, {}."


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("IDs02a1", f"and that is the row of attempt 1 of message {TWO.key}"),
        ("nobody", "and the store holds its copy, ID IDs01a1"),
    ],
)
def test_id_mixed(told: str, wrong: str) -> None:
    first = replace(OK_1, text=f"2.0.0 Ok: queued as {told}")
    second = replace(OK_2, text="2.0.0 Ok: queued")
    assert check_round(executed(BOTH, (first, second), (ROW_2, ROW_1)), PLAIN) == (
        named(AnomalyName.ID_MIXED, ONE.key, TOLD.format(told, wrong), "IDs01a1"),
    )


def test_one_id_told_twice_is_mixed_even_where_both_copies_are_gone() -> None:
    operations = (*BOTH, DeleteAll(key="delete_all.1"))
    first, second = (replace(one, text='{"ID":"same"}') for one in (OK_1, OK_2))
    record = executed(operations, (first, second, tried("delete_all.1", 200, 9, actor=2)), ())
    assert [(a.name, a.message) for a in check_round(record, PLAIN)] == [
        (AnomalyName.ID_MIXED, ONE.key),
        (AnomalyName.ID_MIXED, TWO.key),
    ]
    assert "with the ID same, and so was sender 2." in check_round(record, PLAIN)[0].proof


def test_with_ignored_duplicates_a_reply_may_name_the_row_that_made_it_one() -> None:
    one, two = mail("s01", message_id="shared@x"), mail("s02", message_id="shared@x")
    operations = (send(one), send(two))
    attempts = (
        replace(OK_1, text="2.0.0 Ok: queued as IDs01a1"),
        replace(OK_2, text="2.0.0 Ok: queued as IDs01a1"),
    )
    record = executed(operations, attempts, (copy(one),))
    assert check_round(record, IGNORING) == ()
    assert [a.name for a in check_round(record, PLAIN)][-1] is AnomalyName.ID_MIXED


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"sender": ""}, "its sender, nobody, sent no mail in this round"),
        ({"sender": f"r00040s01@{DOMAIN}"}, f"its sender, r00040s01@{DOMAIN}, sent no mail in this round"),
        (
            {"sender": "r00041s01@elsewhere.test"},
            "its sender, r00041s01@elsewhere.test, sent no mail in this round",
        ),
        (
            {"reply_to": (f"a7@{DOMAIN}",)},
            f"it bears the mark of attempt 7 of message {ONE.key}, which was never made",
        ),
    ],
)
def test_foreign_row(changed: dict[str, object], wrong: str) -> None:
    found = stored(ROW_2, ROW_1, replace(ROW_1, id="stray", **changed))
    row = f"ID stray, Message-ID '{ONE.message_id}', subject '{ONE.subject}', to {ONE.to[0]}"
    proof = f"the store holds a row, {row}, that is no copy of a mail: {wrong}."
    assert [a for a in found if a.name is AnomalyName.FOREIGN_ROW] == [
        named(AnomalyName.FOREIGN_ROW, None, proof, "stray")
    ]


def test_a_copy_without_its_recipient_is_seen() -> None:
    assert [a.name for a in stored(ROW_2, replace(ROW_1, to=()))] == [AnomalyName.ENVELOPE_LEAKED]


OLD = copy(mail("g01", token="r00012"), "T", server_id="old")


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (None, "is gone"),
        (replace(OLD, subject="x"), f"has changed: its subject was '{OLD.subject}' and is 'x'"),
        (replace(OLD, tags=()), "has changed: its tags was 'T' and is empty"),
        (
            replace(OLD, source=Source(size_bytes=1, difference="'b' is stored where 'a' was sent")),
            "has changed: its source has changed: 'b' is stored where 'a' was sent",
        ),
    ],
)
def test_older_changed(after: StoredMessage | None, what: str) -> None:
    proof = f"nothing that ran since it was last looked at touches it, and its copy, ID old, {what}."
    assert stored(ROW_2, ROW_1, changed=(Changed(before=OLD, after=after),)) == (
        named(AnomalyName.OLDER_CHANGED, "r00012g01", proof, "old"),
    )


@pytest.mark.parametrize(
    ("ids", "wrong", "copies"),
    [
        ((), "does not find one copy, ID IDs01a1", ("IDs01a1",)),
        (("IDs01a1", "IDs02a1"), "finds ID IDs02a1, which does not hold them", ()),
        (
            ("IDs02a1",),
            "does not find one copy, ID IDs01a1 and finds ID IDs02a1, which does not hold them",
            ("IDs01a1",),
        ),
    ],
)
def test_search_wrong(ids: tuple[str, ...], wrong: str, copies: tuple[str, ...]) -> None:
    proof = f"a search for words that only this message holds, 'words', {wrong}."
    assert stored(ROW_2, ROW_1, searches=(Search(key=ONE.key, query="words", ids=ids),)) == (
        named(AnomalyName.SEARCH_WRONG, ONE.key, proof, *copies),
    )


def test_the_list_is_newest_first() -> None:
    proof = (
        "the list is newest first, and ID IDs01a1 stands before ID IDs02a1, "
        "which arrived 1 ms later by the list's own times."
    )
    wrong = (named(AnomalyName.ORDER_WRONG, None, proof, "IDs01a1", "IDs02a1"),)
    assert stored(ROW_1, ROW_2) == wrong
    assert stored(ROW_1, ROW_2, options=ServerOptions(extra=("--use-message-dates",))) == wrong
    assert stored(ROW_1, replace(ROW_2, created_ms=1000)) == (), "of one millisecond in any order"
    assert stored(ROW_1, replace(ROW_2, created_ms=0)) == (), "a server that shows no time"


def test_a_mail_that_was_answered_before_another_was_sent_arrived_before_it() -> None:
    late = tried(BOTH[1], 250, 5, released_ms=2)
    early_row, late_row = replace(ROW_1, created_ms=1007), replace(ROW_2, created_ms=1001)
    proof = (
        "sender 1 was told 250 at 1.500 ms, before sender 2 had sent its mail, and its copy, ID IDs01a1, "
        "arrived 6 ms after ID IDs02a1 by the server's own times."
    )
    record = executed(BOTH, (OK_1, late), (early_row, late_row))
    assert check_round(record, PLAIN) == (named(AnomalyName.ORDER_WRONG, None, proof, "IDs01a1", "IDs02a1"),)
    assert check_round(record, ServerOptions(extra=("--use-message-dates",))) == ()
    overlapping = replace(late, released_ns=OK_1.completed_ns)
    assert check_round(executed(BOTH, (OK_1, overlapping), (early_row, late_row)), PLAIN) == ()


def test_a_mail_of_an_earlier_round_arrived_before_those_of_this_one() -> None:
    proof = (
        "its copy, ID IDs01a1, arrived 5 ms before ID old by the server's own times, "
        "which was stored in a round before."
    )
    older = replace(OLD, created_ms=1005)
    assert stored(replace(ROW_2, created_ms=1005), ROW_1, earlier=older) == (
        named(AnomalyName.ORDER_WRONG, ONE.key, proof, "IDs01a1", "old"),
    )


def test_what_breaks_one_after_the_other_needs_no_race() -> None:
    given = mail("g01")
    operations = (BOTH[0], Delete(key="delete.1", messages=(given.key,)))
    deletion = tried("delete.1", 200, 3, actor=1, released_ms=2)
    lost = executed(operations, (OK_1, deletion), (), given=(given,))
    assert [(a.name, a.message) for a in broken_serially(lost, PLAIN)] == [
        (AnomalyName.ACCEPTED_BUT_MISSING, ONE.key)
    ], "what was to be deleted is gone, and the mail that nobody touched is lost"
    assert broken_serially(executed(operations, (OK_1, deletion), (ROW_1,), given=(given,)), PLAIN) == ()
    # A mail that was sent after everything was deleted is there; one that was sent before is gone.
    operations = (BOTH[0], DeleteAll(key="delete_all.1"))
    before, after = tried("delete_all.1", 200, -1, actor=1, released_ms=-2), deletion
    assert [a.name for a in broken_serially(serial(operations, OK_1, before), PLAIN)] == [
        AnomalyName.ACCEPTED_BUT_MISSING
    ]
    assert broken_serially(serial(operations, OK_1, replace(after, operation="delete_all.1")), PLAIN) == ()


def serial(operations: tuple[object, ...], *attempts: object) -> RoundRecord:
    """The record of operations that ran one after the other, and left nothing."""
    record = executed(operations, tuple(sorted(attempts, key=lambda a: a.completed_ns)), ())
    return replace(record, stored=Stored(messages=(), tags=()))
