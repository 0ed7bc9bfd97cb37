"""Which messages a round may delete or retag, how many copies it promises, and what stays open."""

import pytest
from mailrace.check import check_round, expected_copies, left_open, touched
from mailrace.check.touched import could_match, deletable, markable
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import Outcome, Word
from mailrace.model.operation import (
    Delete,
    DeleteAll,
    DeleteSearch,
    DeleteTag,
    Operation,
    Read,
    ReadMessage,
    RenameTag,
    SetRead,
    SetTags,
)

from tests.check.rounds import IGNORING, PLAIN, copy, executed, mail, send, tried

SENT, GIVEN, OTHER = mail("s01", "T"), mail("g01", "T"), mail("g02", "U")


@pytest.mark.parametrize(
    ("edit", "keys"),
    [
        (Delete(key="delete.1", messages=(GIVEN.key,)), {GIVEN.key}),
        (DeleteAll(key="delete_all.1"), {SENT.key, GIVEN.key, OTHER.key}),
        (DeleteSearch(key="delete_search.1", query="tag:t"), {SENT.key, GIVEN.key}),
        (DeleteSearch(key="delete_search.1", query=f"from:{OTHER.sender}"), {OTHER.key}),
        (SetTags(key="set_tags.1", messages=(OTHER.key,), tags=("V",)), {OTHER.key}),
        (RenameTag(key="rename_tag.1", tag="t", to="V"), {SENT.key, GIVEN.key}),
        (DeleteTag(key="delete_tag.1", tag="u"), {OTHER.key}),
    ],
)
def test_touched_by(edit: Operation, keys: set[str]) -> None:
    operations = (send(SENT), edit)
    attempts = (tried(operations[0], 250, 1), tried(edit.key, 200, 1, actor=1))
    copies = (copy(SENT, "T"), copy(GIVEN, "T"), copy(OTHER, "U"))
    record = executed(operations, attempts, copies, given=(GIVEN, OTHER))
    assert touched(record, PLAIN) == keys
    assert left_open(record, PLAIN).startswith(f"round 41 deletes or retags {', '.join(sorted(keys))}: ")
    # What it touches raises no false alarm when it is gone; the rest still keeps its promise.
    gone = executed(operations, attempts, (), given=(GIVEN, OTHER))
    missing = {a.message for a in check_round(gone, PLAIN)}
    assert missing == {SENT.key, GIVEN.key, OTHER.key} - keys


@pytest.mark.parametrize(
    ("mark", "keys"),
    [
        (ReadMessage(key="m", message=GIVEN.key), {GIVEN.key}),
        (SetRead(key="m", read=True, messages=(GIVEN.key, OTHER.key)), {GIVEN.key, OTHER.key}),
        (SetRead(key="m", read=False, query="tag:t"), {SENT.key, GIVEN.key}),
        (SetRead(key="m", read=True), {SENT.key, GIVEN.key, OTHER.key}),
        (Read(key="m", path="/api/v1/message/latest", times=1), {SENT.key, GIVEN.key, OTHER.key}),
        (Delete(key="m", messages=(GIVEN.key,)), set()),
    ],
)
def test_marked_by(mark: Operation, keys: set[str]) -> None:
    operations = (send(SENT), mark)
    record = executed(operations, (tried(operations[0], 250, 1),), (), given=(GIVEN, OTHER))
    assert markable(record, PLAIN) == keys
    if not isinstance(mark, Delete):
        assert touched(record, PLAIN) == set(), "a mark excuses no loss"


def test_an_edit_that_was_never_sent_touches_nothing() -> None:
    operations = (send(SENT), DeleteAll(key="delete_all.1"))
    refused = tried(
        "delete_all.1", None, 1, actor=1, word=Word.CONNECT_REFUSED, outcome=Outcome.FAIL, released_ms=None
    )
    record = executed(operations, (tried(operations[0], 250, 1), refused), ())
    assert touched(record, PLAIN) == frozenset()
    assert left_open(record, PLAIN) == ""
    assert [a.name for a in check_round(record, PLAIN)] == [AnomalyName.ACCEPTED_BUT_MISSING]


def test_what_is_never_cleared_is_found_on_touched_messages_too() -> None:
    operations = (send(SENT), DeleteAll(key="delete_all.1"))
    attempts = (tried(operations[0], 451, 1), tried("delete_all.1", 200, 1, actor=1))
    leaking = copy(SENT, "T", "T", cc=("x@y.test",))
    found = check_round(executed(operations, attempts, (leaking,), tags=("r00041-ghost",)), PLAIN)
    assert [a.name for a in found] == [
        AnomalyName.REJECTED_BUT_STORED,
        AnomalyName.ENVELOPE_LEAKED,
        AnomalyName.TAG_DUPLICATED,
        AnomalyName.TAG_GHOST,
    ]


def test_a_tag_without_a_message_is_left_open_only_where_an_edit_can_leave_it() -> None:
    sent, given = mail("s01", "r00041-own"), mail("g01", "r00041-old")
    operations = (send(sent), Delete(key="delete.1", messages=(given.key,)))
    attempts = (tried(operations[0], 451, 1), tried("delete.1", 200, 1, actor=1))
    listed = executed(operations, attempts, (), tags=("r00041-own", "r00041-old"), given=(given,))
    assert [(a.name, a.tags) for a in check_round(listed, PLAIN)] == [
        (AnomalyName.TAG_GHOST, ("r00041-own",))
    ]
    deleted = (*operations, DeleteTag(key="delete_tag.1", tag="R00041-OWN"))
    attempts = (*attempts, tried("delete_tag.1", 200, 1, actor=2))
    assert check_round(executed(deleted, attempts, (), tags=("r00041-own",), given=(given,)), PLAIN) == ()


def test_an_edit_that_was_answered_before_a_mail_was_sent_does_not_touch_it() -> None:
    operations = (send(SENT), DeleteAll(key="delete_all.1"))
    deletion = tried("delete_all.1", 200, 1, actor=1)
    before, after = tried(operations[0], 250, 5, released_ms=2), tried(operations[0], 250, 5, released_ms=1)
    lost = executed(operations, (deletion, before), ())
    assert touched(lost, PLAIN) == frozenset()
    assert [a.name for a in check_round(lost, PLAIN)] == [AnomalyName.ACCEPTED_BUT_MISSING]
    assert expected_copies(lost, PLAIN) == (1, 1)
    assert touched(executed(operations, (deletion, after), ()), PLAIN) == {SENT.key}
    # One without an answer may take effect at any time.
    open_ended = tried("delete_all.1", None, 1, actor=1)
    assert touched(executed(operations, (open_ended, before), ()), PLAIN) == {SENT.key}


def test_a_rename_may_lead_to_another() -> None:
    operations = (
        send(SENT),
        RenameTag(key="rename_tag.1", tag="T", to="U"),
        RenameTag(key="rename_tag.2", tag="U", to="V"),
        DeleteSearch(key="delete_search.1", query="tag:v"),
    )
    record = executed(operations, (tried(operations[0], 250, 1),), ())
    assert deletable(record, PLAIN) == {SENT.key}


def test_with_ignored_duplicates_a_deletion_touches_all_of_its_message_id() -> None:
    given, sent = mail("g01", message_id="same@x"), mail("s01", message_id="same@x")
    operations = (send(sent), Delete(key="delete.1", messages=(given.key,)))
    attempts = (tried(operations[0], 250, 1), tried("delete.1", 200, 1, actor=1))
    record = executed(operations, attempts, (), given=(given,))
    assert touched(record, IGNORING) == {given.key, sent.key}
    assert check_round(record, IGNORING) == ()
    assert expected_copies(record, IGNORING) == (0, 1)


def test_expected_copies() -> None:
    two = mail("s02")
    operations = (send(SENT), send(two))
    ok, fail, unknown = (
        tried(operations[0], 250, 1),
        tried(operations[1], 451, 1),
        tried(operations[1], None, 9),
    )
    assert expected_copies(executed(operations, (ok, fail), ()), PLAIN) == (1, 1)
    assert expected_copies(executed(operations, (ok, unknown), (), given=(OTHER,)), PLAIN) == (2, 3)
    assert expected_copies(executed(operations, (ok,), None), PLAIN) == (0, 0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tag:T", True),
        ('tag:"t"', True),
        ("tag:other", False),
        ("tag:late", True),
        ("!tag:other", True),
        ("-tag:other", True),
        ("to:r00041.s01", True),
        ("to:r00041.s02", False),
        ("to:r00041_s02", True),
        ("subject:mailrace tag:T", True),
        ("subject:nothing", False),
        ("anything at all", False),
        ("quick fox", True),
        ('"r00041 s01"', True),
        ('"r00041 s02"', False),
        ("any_hing", True),
        ("is:unread", True),
    ],
)
def test_could_match(query: str, expected: bool) -> None:
    assert could_match(query, SENT, frozenset({"t", "late"})) is expected
