"""Broken promises in a record, one planted for each branch, and what is not judged since somebody deleted."""

from dataclasses import replace
from typing import Any

import pytest
from mailrace.model.attempt import Outcome
from mailrace.record.findings import findings_of
from mailrace.record.happened import happened
from mailrace.record.http import WEB_SOCKET_WORDS
from mailrace.record.recorded import Held, NotSeen, Recorded
from mailrace.record.suite import Suite
from mailrace.studies.recording import Counted

from tests.record.traffic import BEGUN, ENDED, op, send, suite

OTHERS = replace(BEGUN, is_ours=False)
"""A record in front of a server that is not ours, to which others may talk as well."""


def names(whole: Suite) -> list[str]:
    """The names of what happened."""
    return [one.name for one in happened(whole).found]


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        (suite([send(1, "a")], held=["a"]), []),
        (suite([send(1, "a")]), ["accepted_but_missing"]),
        (suite([send(1, "a", code=451)], held=["a"]), ["rejected_but_stored"]),
        (suite([send(1, "a", code=451), send(5, "a")], held=["a"]), []),
        (suite([send(1, "a", code=451), send(5, "a")], held=["a", "a"]), ["rejected_but_stored"]),
        (suite([send(1, "a")], held=["a", "a"]), ["duplicated"]),
        (suite([send(1, "a"), send(5, "a")], held=["a", "a"]), ["retried_after_yes"]),
        (suite([send(1, "a", tags=("t",))], held=["a"]), ["tag_lost"]),
        (suite([send(1, "a", tags=("t",))], held=["a"], tags=["T"]), []),
        (suite([send(1, "a", tags=("t",)), op("set_tags", 5, ids=("ID-a",), code=200)], held=["a"]), []),
        (suite([send(1, "a", tags=("t",)), op("delete_tag", 5, tags=("t",), code=200)], held=["a"]), []),
    ],
)
def test_each_promise_that_is_broken_is_named_once(whole: Suite, expected: list[str]) -> None:
    assert names(whole) == expected


@pytest.mark.parametrize(
    "deletion",
    [
        op("delete", 5, ids=("ID-a",), code=200),
        op("delete_all", 5, code=200),
        op("delete_search", 5, query="to:a@a.test", code=200),
        op("delete_search", 5, query="subject:unknown", code=200),
    ],
    ids=lambda one: one.kind + one.query,
)
def test_what_somebody_may_have_deleted_is_not_judged_and_that_is_counted(deletion: object) -> None:
    whole = happened(suite([send(1, "a"), deletion]))  # type: ignore[list-item]
    assert (whole.found, whole.judged, whole.not_judged) == ((), 0, 1)


def test_a_deletion_that_was_refused_or_came_before_excuses_nothing() -> None:
    assert names(suite([send(1, "a"), op("delete_all", 5, code=400)])) == ["accepted_but_missing"]
    assert names(suite([op("delete_all", 1, code=200), send(5, "a")])) == ["accepted_but_missing"]


def test_the_operation_that_overlapped_is_named() -> None:
    beside = op("delete", 1.5, connection=2, ids=("ID-other",), code=200)
    (one,) = happened(suite([send(1, "a", code=451), beside], held=["a"])).found
    assert one.beside == (beside,)
    assert "delete of ID-other" in one.sentence


def judged(whole: Suite) -> tuple[list[str], int, int, int]:
    """The names of what happened, and how many mails were judged, not judged, and doubts there were."""
    seen = happened(whole)
    assert not seen.untold
    return [one.name for one in seen.found], seen.judged, seen.not_judged, len(seen.doubts)


@pytest.mark.parametrize(
    "deletion",
    [
        op("delete_all", 5, code=500),
        op("delete_all", 5, code=0, outcome=Outcome.UNKNOWN),
        op("delete", 5, ids=("ID-a",), code=0, outcome=Outcome.UNKNOWN),
        op("delete", 5, ids=("number 1",), code=200),
        op("delete_search", 5, query="tag:x", code=200),
        op("delete_search", 5, query="to:%", code=200),
    ],
    ids=lambda one: f"{one.kind} {one.query} {one.code} {one.outcome}",
)
def test_a_deletion_that_may_have_taken_the_mail_leaves_it_unjudged(deletion: Recorded) -> None:
    assert judged(suite([send(1, "a"), deletion])) == ([], 0, 1, 0)


@pytest.mark.parametrize("query", ['to:"b@a.test"', "to:b@a.test tag:x", "message-id:other@x"])
def test_a_search_for_another_address_excuses_nothing(query: str) -> None:
    deletion = op("delete_search", 5, query=query, code=200)
    assert judged(suite([send(1, "a"), deletion])) == (["accepted_but_missing"], 1, 0, 0)


@pytest.mark.parametrize("to", [("*",), ("a@a.test", "*"), ("a@a.test", "b@a.test")])
def test_a_search_by_a_header_that_is_not_known_whole_may_have_found_the_mail(to: tuple[str, ...]) -> None:
    deletion = op("delete_search", 5, query='to:"b@a.test"', code=200)
    assert judged(suite([send(1, "a", to=to), deletion])) == ([], 0, 1, 0)


def test_without_a_server_id_a_mail_is_known_by_a_message_id_that_no_other_has() -> None:
    """Releases before 1.18.1 do not tell the ID in their reply."""
    old = send(1, "a", queued_as="")
    assert judged(suite([old], held=["a"])) == ([], 1, 0, 0)
    assert judged(suite([old])) == (["accepted_but_missing"], 1, 0, 0)
    for mails in ([old, send(3, "a", queued_as="", digest="other")], [replace(old, message_id="")]):
        unknown = happened(suite(mails))
        assert (unknown.found, unknown.judged, unknown.not_judged, unknown.untold) == ((), 0, 0, len(mails))


def test_a_mail_without_a_message_id_that_was_refused_may_be_stored_all_the_same() -> None:
    refused = send(1, "a", code=451, message_id="")
    seen = happened(suite([refused, send(1, "b", message_id="")], held=["a", "b"]))
    assert (seen.found, seen.judged, seen.untold) == ((), 1, 1)
    assert findings_of(suite([refused], held=["a"])).status(counts_hazards=False) == 3
    assert happened(suite([refused, op("delete_all", 5, code=200)])).untold == 1, "it may have been there"
    never_sent = suite([replace(refused, digest=""), op("delete_all", 5, code=200)])
    assert happened(never_sent).untold == 0
    assert findings_of(suite([refused, send(1, "b")], held=["b"])).status(counts_hazards=False) == 0


def test_of_a_mail_without_a_message_id_a_second_copy_is_not_told_clean() -> None:
    once = send(1, "a", message_id="")
    assert happened(suite([once], held=["a"])).untold == 0
    assert happened(suite([once], held=["a", "b"])).untold == 1
    assert happened(suite([replace(once, queued_as="")], held=["a"])).untold == 1, "counted once"
    unanswered = send(5, "b", message_id="", queued_as="", outcome=Outcome.UNKNOWN, code=0)
    assert happened(suite([once, unanswered], held=["a", "b"])).untold == 0


def test_copies_of_one_mail_to_several_recipients_are_no_retries() -> None:
    two = [send(1, "a"), send(5, "a", recipients=("b@a.test",), queued_as="ID-b")]
    held = [Held(id=i, message_id="a@x") for i in ("ID-a", "ID-b")]
    assert judged(suite(two, more=held)) == ([], 2, 0, 0)


UNSEEN = [
    {"ended": None},
    {"ended": replace(ENDED, is_store_known=False)},
    {"more": [NotSeen(connection=1, t_ns=0, why="a reply without a code")]},
    {"more": [NotSeen(connection=9, t_ns=0, why="STARTTLS: what follows is encrypted")]},
    {"ended": replace(ENDED, accepted=3)},
    {"ended": replace(ENDED, failures=("the relay was ended from outside",))},
    {"begun": OTHERS},
    {"begun": OTHERS, "ended": replace(ENDED, deleted=1)},
]


@pytest.mark.parametrize("unseen", UNSEEN, ids=str)
@pytest.mark.parametrize("held", [[], ["a"], ["a", "a"]])
def test_where_somebody_may_have_acted_unseen_no_promise_is_called_broken_or_kept(
    unseen: dict[str, Any], held: list[str]
) -> None:
    assert judged(suite([send(1, "a", tags=("t",))], held=held, **unseen)) == ([], 0, 1, 1)


def test_a_web_socket_hides_nothing() -> None:
    note = NotSeen(connection=1, t_ns=0, why=WEB_SOCKET_WORDS)
    assert judged(suite([send(1, "a")], more=[note])) == (["accepted_but_missing"], 1, 0, 0)


def test_what_another_s_server_held_before_is_no_doing_of_the_suite() -> None:
    counted = replace(ENDED, deleted=0, accepted=0)
    before = [Held(id="OLD", message_id="a@x", was_there=True), Held(id="OLD", message_id="a@x")]
    assert judged(suite([send(1, "a", code=451)], more=before, begun=OTHERS, ended=counted)) == ([], 0, 0, 0)
    once = replace(ENDED, deleted=0, accepted=1)
    assert judged(suite([send(1, "a")], held=["a"], more=before, begun=OTHERS, ended=once)) == ([], 1, 0, 0)


def test_a_deletion_that_the_record_explains_leaves_no_doubt() -> None:
    gone = Held(id="OLD", message_id="o@x", was_there=True)
    whole = [send(1, "a"), op("delete", 5, ids=("ID-a",), code=200), send(7, "b")]
    ended = replace(ENDED, deleted=2, accepted=2)
    assert judged(suite(whole, more=[gone], begun=OTHERS, ended=ended)) == (["accepted_but_missing"], 1, 1, 0)


def test_tags_of_a_server_that_tags_nothing_are_not_called_lost() -> None:
    mails = [send(1, "a", tags=("t",)), send(3, "b", tags=("u",))]
    ended = replace(ENDED, deleted=0, accepted=2)
    assert judged(suite(mails, held=["a", "b"], begun=OTHERS, ended=ended))[0] == []
    one_has_it = suite(mails, held=["a", "b"], tags=["t"], begun=OTHERS, ended=ended)
    assert judged(one_has_it)[0] == ["tag_lost"]


@pytest.mark.parametrize(("up_s", "is_another"), [(160, False), (158, False), (5, True), (-1, False)])
def test_a_server_that_was_started_anew_is_known_by_its_uptime(up_s: int, is_another: bool) -> None:
    """What it counts since is no more than what it counted before, but its store may be another."""
    before = Counted(0, accepted=0, deleted=0, up_s=100)
    after = Counted(60 * 10**9, accepted=3, deleted=0, up_s=up_s)
    assert after.is_another_since(before) is is_another
    assert after.since(before) == (3, 0)
    assert Counted(1, accepted=1, deleted=-1, up_s=1).since(Counted(0, 2, 0, 0)) == (-1, -1)
