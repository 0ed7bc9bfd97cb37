"""What a reader is told, and what a relay gets, is compared with the serial orders; reading marks as read."""

import json
from dataclasses import replace

import pytest
from mailrace.check import check_round, is_about_replies_only, outcome_of
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Relayed, RoundRecord
from mailrace.model.operation import (
    Delete,
    DeleteSearch,
    Message,
    Pop3Retrieve,
    Read,
    ReadMessage,
    Release,
    SetTags,
    ViewLatest,
)

from tests.check.rounds import DOMAIN, PLAIN, copy, mail
from tests.check.serial_rounds import GIVEN, SEND, SENT, names, ran, serial

READ = ReadMessage(key="read_message.1", message=GIVEN.key)
UNREAD = DeleteSearch(key="delete_search.1", query="is:unread")


def page(message: Message, *tags: str) -> str:
    return json.dumps({"ID": "x", "From": {"Address": message.sender}, "Tags": tags})


def test_a_mail_that_was_read_and_is_deleted_as_unread_is_in_no_serial_order() -> None:
    """With one message the search acts on that one, so the outcome is compared as a whole."""
    shown = page(GIVEN, "T")
    read_first = ran(
        (READ, UNREAD), (200, 200), (copy(GIVEN, "T", read=True),), texts=(shown, ""), given=(GIVEN,)
    )
    deleted_first = ran((READ, UNREAD), (404, 200), (), texts=("404 page not found", ""), given=(GIVEN,))
    both = (
        serial("read_message.1, delete_search.1", read_first),
        serial("delete_search.1, read_message.1", deleted_first),
    )
    assert check_round(read_first, PLAIN, both) == check_round(deleted_first, PLAIN, both) == ()
    gone = ran((READ, UNREAD), (200, 200), (), texts=(shown, ""), given=(GIVEN,))
    assert names(check_round(gone, PLAIN, both)) == [AnomalyName.NOT_SERIALIZABLE]
    unread = ran((READ, UNREAD), (200, 200), (copy(GIVEN, "T"),), texts=(shown, ""), given=(GIVEN,))
    assert names(check_round(unread, PLAIN, both)) == [AnomalyName.NOT_SERIALIZABLE]


def test_which_message_a_reply_shows_is_part_of_the_outcome_and_its_tags_are_not() -> None:
    other = mail("g02")
    copies = (copy(GIVEN, "T", read=True), copy(other))

    def shows(text: str) -> RoundRecord:
        return ran((READ, SEND), (200, 451), copies, texts=(text, ""), given=(GIVEN, other), tags=("T",))

    right = (serial("read_message.1, send.1", shows(page(GIVEN, "T"))),)
    assert check_round(shows(page(GIVEN, "T")), PLAIN, right) == ()
    assert names(check_round(shows(page(GIVEN)), PLAIN, right)) == [AnomalyName.TORN_READ]
    for wrong in (page(other), "no JSON", json.dumps({"From": None}), json.dumps([])):
        found = names(check_round(shows(wrong), PLAIN, right))
        broken = AnomalyName.ID_MIXED if wrong == page(other) else AnomalyName.NOT_SERIALIZABLE
        assert broken in found, wrong


def test_who_asked_for_one_message_and_is_shown_another_was_promised_something_else() -> None:
    """Also where a serial order shows it: a server may count from the newest mail, also in a POP3 session."""
    fetch = Pop3Retrieve(key="pop3_retrieve.1", message=GIVEN.key)
    text = f"+OK\nX-Mailrace: run=r; message={SENT.key}\n\nbody"
    copies = (copy(GIVEN, "T"), copy(SENT, "T"))
    one = ran((SEND, fetch), (250, 200), copies, texts=("", text), given=(GIVEN,), tags=("T",))
    (found,) = check_round(one, PLAIN, (serial("send.1, pop3_retrieve.1", one),))
    assert (found.name, found.message) == (AnomalyName.ID_MIXED, GIVEN.key)
    assert found.proof == (
        f"id_mixed, round 41, message {GIVEN.key}: pop3_retrieve.1 was told 200 at 3.000 ms, and was shown "
        f"message {SENT.key} instead."
    )
    # Its ID may be another's once it is deleted, and a refusal shows nothing.
    delete = Delete(key="delete.1", messages=(GIVEN.key,))
    gone = ran((SEND, fetch, delete), (250, 200, 200), copies[1:], texts=("", text, ""), given=(GIVEN,))
    assert check_round(gone, PLAIN) == ()
    refused = ran((SEND, fetch), (250, 404), copies, texts=("", text), given=(GIVEN,), tags=("T",))
    assert check_round(refused, PLAIN, (serial("send.1, pop3_retrieve.1", refused),)) == ()


def test_the_newest_is_known_by_the_address_that_a_reader_is_sent_to() -> None:
    other, view = mail("g02"), ViewLatest(key="view_latest.1")
    delete = Delete(key="delete.1", messages=(other.key,))

    def looks(code: int, text: str) -> RoundRecord:
        return ran(
            (view, delete), (code, 200), (copy(GIVEN, "T", server_id="IDg01a1"),), texts=(text, ""),
            given=(GIVEN, other), tags=("T",),
        )  # fmt: skip

    both = tuple(
        serial(order, looks(302, f'<a href="/view/{shown}">Found</a>.'))
        for order, shown in (("view_latest.1, delete.1", "IDg02a1"), ("delete.1, view_latest.1", "IDg01a1"))
    )
    assert check_round(looks(302, '<a href="/view/IDg02a1">Found</a>.'), PLAIN, both) == ()
    assert names(check_round(looks(302, '<a href="/">Found</a>.'), PLAIN, both)) == [
        AnomalyName.NOT_SERIALIZABLE
    ]
    assert names(check_round(looks(404, "no messages"), PLAIN, both)) == [AnomalyName.SPURIOUS_REJECTION]


def test_a_torn_read_is_reported_and_fails_nothing() -> None:
    read = Read(key="read.1", path="/api/v1/messages", times=1)

    def shown(*tags: str) -> RoundRecord:
        rows = [{"ID": "x", "From": {"Address": SENT.sender}, "Tags": list(tags)}, {"From": None}]
        text = json.dumps({"total": 7, "messages": rows})
        return ran((SEND, read), (250, 200), (copy(SENT, "T"),), tags=("T",), texts=("", text))

    nothing = ran((SEND, read), (250, 200), (copy(SENT, "T"),), tags=("T",), texts=("", '{"messages": []}'))
    allowed = (outcome_of(shown("T")), outcome_of(nothing))
    assert check_round(shown("T"), PLAIN, allowed) == ()
    assert check_round(shown(), PLAIN, allowed) == (
        Anomaly(
            name=AnomalyName.TORN_READ,
            round=41,
            proof="torn_read, round 41: a reader was shown 'ROUNDs01 []', which no serial order shows; "
            "by design (S9).",
        ),
    )


@pytest.mark.parametrize("tags", [5, True, {"a": 1}, "T", 1.5, [None, {}]])
def test_a_row_whose_tags_are_no_list_of_names_is_shown_as_it_is(tags: object) -> None:
    read = Read(key="read.1", path="/api/v1/messages", times=1)
    text = json.dumps({"messages": [{"ID": "x", "From": {"Address": SENT.sender}, "Tags": tags}]})
    shown, nothing = (
        ran((SEND, read), (250, 200), (copy(SENT, "T"),), tags=("T",), texts=("", answer))
        for answer in (text, '{"messages": []}')
    )
    (torn,) = check_round(shown, PLAIN, (outcome_of(nothing),))
    assert torn.name is AnomalyName.TORN_READ


def test_what_a_relay_got_is_part_of_the_outcome() -> None:
    release = Release(key="release.1", message=GIVEN.key)
    delete = Delete(key="delete.1", messages=(GIVEN.key,))

    def releases(code: int, *got: Relayed) -> RoundRecord:
        record = ran((release, delete), (code, 200), (), given=(GIVEN,))
        assert record.stored is not None
        return replace(record, stored=replace(record.stored, relayed=got))

    whole, half = Relayed(key=GIVEN.key), Relayed(key=GIVEN.key, difference="3 bytes")
    first, last = releases(200, whole), releases(404)
    both = (serial("release.1, delete.1", first), serial("delete.1, release.1", last))
    assert check_round(first, PLAIN, both) == check_round(last, PLAIN, both) == ()
    for wrong in (releases(200), releases(200, half), releases(200, whole, whole), releases(404, whole)):
        assert names(check_round(wrong, PLAIN, both)) == [AnomalyName.NOT_SERIALIZABLE]


def test_a_retrieved_message_is_compared_by_its_body_and_not_by_its_head() -> None:
    pop3 = Pop3Retrieve(key="pop3_retrieve.1", message=GIVEN.key)

    def retrieves(head: str, body: str) -> RoundRecord:
        mark = f"X-Mailrace: run={DOMAIN}; message={GIVEN.key}; attempt=1"
        text = f"+OK 9 octets\n{head}\n{mark}\n\n{body}"
        return ran(
            (pop3, SEND), (200, 451), (copy(GIVEN, "T"),), texts=(text, ""), given=(GIVEN,), tags=("T",)
        )

    right = (serial("pop3_retrieve.1, send.1", retrieves("Date: x", f"{GIVEN.key} fox")),)
    same = check_round(retrieves("Date: y", f"{GIVEN.key} fox"), PLAIN, right)
    assert AnomalyName.NOT_SERIALIZABLE not in names(same)
    half = check_round(retrieves("Date: x", GIVEN.key), PLAIN, right)
    assert AnomalyName.NOT_SERIALIZABLE in names(half)


def test_what_is_about_one_message_is_of_one_order_beside_a_bulk_operation_too() -> None:
    """A search deletes two messages, of which one is read meanwhile: each part is so in some order."""
    other = mail("g02")
    shown = page(GIVEN, "T")
    both_given = (GIVEN, other)
    read_first = ran(
        (READ, UNREAD), (200, 200), (copy(GIVEN, "T", read=True),), texts=(shown, ""), given=both_given
    )
    deleted_first = ran((READ, UNREAD), (404, 200), (), texts=("404 page not found", ""), given=both_given)
    both = (
        serial("read_message.1, delete_search.1", read_first),
        serial("delete_search.1, read_message.1", deleted_first),
    )
    assert check_round(read_first, PLAIN, both) == check_round(deleted_first, PLAIN, both) == ()
    gone = ran((READ, UNREAD), (200, 200), (), texts=(shown, ""), given=both_given)
    assert names(check_round(gone, PLAIN, both)) == [AnomalyName.NOT_SERIALIZABLE]
    assert is_about_replies_only(gone, both)
    # The other message has an order of its own: that it is still there while one is gone is none's fault.
    left = ran((READ, UNREAD), (404, 200), (copy(other),), texts=("404 page not found", ""), given=both_given)
    kept = (*both, serial("nothing", ran((READ, UNREAD), (404, 200), (copy(other),), given=both_given)))
    assert check_round(left, PLAIN, kept) == ()


def test_a_tag_that_was_cleared_and_a_mail_that_is_deleted_by_it_are_of_no_one_order() -> None:
    other = mail("g02", "T")
    clear = SetTags(key="set_tags.1", messages=(GIVEN.key,), tags=())
    by_tag = DeleteSearch(key="delete_search.1", query="tag:T")
    given = (GIVEN, other)
    refused = "404 message not found"
    cleared_first = ran((clear, by_tag), (200, 200), (copy(GIVEN),), given=given)
    deleted_first = ran((clear, by_tag), (404, 200), (), texts=(refused, ""), given=given)
    both = (
        serial("set_tags.1, delete_search.1", cleared_first),
        serial("delete_search.1, set_tags.1", deleted_first),
    )
    assert check_round(cleared_first, PLAIN, both) == check_round(deleted_first, PLAIN, both) == ()
    gone = ran((clear, by_tag), (200, 200), (), given=given)
    assert names(check_round(gone, PLAIN, both)) == [AnomalyName.NOT_SERIALIZABLE]


def test_what_a_relay_got_and_its_reply_are_of_one_order_beside_a_bulk_deletion() -> None:
    other = mail("g02")
    release = Release(key="release.1", message=GIVEN.key)
    two = Delete(key="delete.1", messages=(GIVEN.key, other.key))

    def round_of(code: int, *relayed: Relayed) -> RoundRecord:
        text = "" if code == 200 else "404 not found"
        record = ran((release, two), (code, 200), (), texts=(text, ""), given=(GIVEN, other))
        return replace(record, stored=replace(record.stored, relayed=relayed))

    got = Relayed(key=GIVEN.key)
    both = (serial("release.1, delete.1", round_of(200, got)), serial("delete.1, release.1", round_of(404)))
    assert check_round(round_of(200, got), PLAIN, both) == check_round(round_of(404), PLAIN, both) == ()
    assert names(check_round(round_of(404, got), PLAIN, both)) == [AnomalyName.NOT_SERIALIZABLE]
