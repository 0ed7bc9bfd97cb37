"""Servers with one fault, or one oddity, that are steered: no wrong RACE, no wrong PASS."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.model.errors import ScheduleMissed
from mailrace.model.operation import ServerOptions
from mailrace.model.request import Steering
from mailrace.model.result import Verdict
from mailrace.scenario import Plan, scenario_from
from mailrace.steer import SteerRequest, steer
from mailrace.steer.surveying import Surveying
from mailrace.targets import parse_target

TWO_SENDERS = {
    "name": "two",
    "title": "two senders",
    "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}],
}
A_DELETION = {
    "name": "deletion",
    "title": "a sender beside the deletion of another mail, with a third that nobody touches",
    "given": [{"name": "old", "tags": ["{run}-old"]}, {"name": "other", "tags": ["{run}-other"]}],
    "actors": [{"send": {"count": 1, "tags": ["{run}-{round}"]}}, {"delete": {"messages": ["old"]}}],
}


@pytest.mark.slow
@pytest.mark.parametrize("given", [TWO_SENDERS, A_DELETION], ids=lambda g: g["name"])
def test_work_after_the_reply_is_no_hang(
    given: dict[str, object], faulty: Callable[..., str], tmp_path: Path
) -> None:
    found = steer(scenario_from(given, tmp_path), faulty("statement_after_the_reply"))
    assert found.verdict is Verdict.PASS, found.reason
    assert "hang" not in found.anomalies


@pytest.mark.slow
def test_late_work_is_looked_for_behind_each_kind_of_operation_that_one_server_is_asked_for(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    servers = Surveying(parse_target(faulty("statement_long_after_an_edit")), ServerOptions(), tmp_path)
    try:
        for given in (TWO_SENDERS, A_DELETION):
            looked = servers.look(Plan(scenario_from(given, tmp_path), 1, "mrlatework").round(0))
            assert (looked.causes, looked.doubt) == ({}, "")
    finally:
        servers.stop()


@pytest.mark.slow
def test_work_that_came_late_is_looked_for_in_the_next_scenario_of_a_session_as_well(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    target, request = faulty("statement_long_after_an_edit"), SteerRequest()
    found = [steer(scenario_from(A_DELETION, tmp_path), target, request) for _ in range(2)]
    assert [one.verdict for one in found] == [Verdict.PASS] * 2, found[-1].reason
    last = [texts[-1] for _, kind, *texts in request.looked_behind if kind == "delete"]
    assert last == ["DELETE FROM settings WHERE Key = ?"]


@pytest.mark.slow
def test_what_breaks_without_a_race_is_neither_race_nor_pass(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    found = steer(scenario_from(TWO_SENDERS, tmp_path), faulty("stores_nothing"))
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason
    assert "accepted_but_missing" in found.broken_serially
    assert "a broken promise, not a race" in found.reason


@pytest.mark.slow
def test_an_edit_excuses_only_what_it_touches(faulty: Callable[..., str], tmp_path: Path) -> None:
    found = steer(scenario_from(A_DELETION, tmp_path), faulty("older_mail_shortened"))
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason
    assert "older_changed" in found.broken_serially


@pytest.mark.slow
def test_a_page_that_is_still_shown_of_a_deleted_message_is_seen(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    found = steer(scenario_from(A_DELETION, tmp_path), faulty("page_stays_of_what_is_deleted_beside_a_mail"))
    assert found.verdict is Verdict.RACE, found.reason
    assert set(found.anomalies) == {"views_disagree"}
    assert "GET /api/v1/message/" in found.witnesses[0].anomaly.proof


@pytest.mark.slow
def test_what_is_undone_behind_the_reply_is_no_second_view_and_no_pass(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    """30 ms after the reply, and only where two mails met: no serial order shows that there is such work."""
    found = steer(scenario_from(TWO_SENDERS, tmp_path), faulty("undone_behind_the_reply_where_two_meet"))
    assert found.verdict is not Verdict.PASS, found.reason
    assert "views_disagree" not in found.anomalies


@pytest.mark.slow
def test_a_subject_of_another_sender_is_seen_on_every_schedule(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    given = {**TWO_SENDERS, "target": {"instances": 1}}
    found = steer(scenario_from(given, tmp_path), faulty("swapped_subjects", meeting="memory"))
    assert found.verdict is not Verdict.PASS, found.reason


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["lists_fail_after_a_race", "searches_fail_after_a_race"])
def test_what_only_the_memory_of_one_instance_holds_is_seen_where_its_actors_share_it(
    fault: str, faulty: Callable[..., str], tmp_path: Path
) -> None:
    found = steer(scenario_from(TWO_SENDERS, tmp_path), faulty(fault, meeting="memory"))
    assert found.verdict is Verdict.RACE, found.reason
    assert set(found.anomalies) == {"views_disagree"}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["lists_are_empty", "lists_drip"])
def test_a_server_that_hides_its_store_from_its_users_is_not_clean(
    fault: str, faulty: Callable[..., str], tmp_path: Path
) -> None:
    result = steer(scenario_from(TWO_SENDERS, tmp_path), faulty(fault))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "REST could not be read" in result.reason


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["release", "pop3_retrieve"])
def test_half_a_mail_that_leaves_the_server_is_a_race(
    kind: str, tmp_path: Path, faulty: Callable[..., str]
) -> None:
    given = {
        "name": "half",
        "given": [{"name": "old"}],
        "actors": [{kind: {"message": "old"}}, {"delete": {"messages": ["old"]}}],
    }
    scenario = scenario_from(given, tmp_path)
    result = steer(scenario, faulty("half_a_source_beside_a_deletion", of="1.33.1"))
    assert (result.verdict, set(result.anomalies)) == (Verdict.RACE, {"not_serializable"})
    assert steer(scenario, "embedded@1.33.1").verdict is Verdict.PASS


TWO_MAILS = {"name": "two", "actors": [{"send": {"count": 2, "tags": ["{run}-{round}-{sender}"]}}]}
TWO_MAILS_MORE = {**TWO_MAILS, "given": [{"name": "old"}]}
TWO_READS = {
    "name": "reads",
    "given": [{"name": "one"}, {"name": "two"}],
    "actors": [{"read_message": {"message": "one"}}, {"read_message": {"message": "two"}}],
}
MAIL_BESIDE_A_DELETION = {
    "name": "deletion",
    "given": [{"name": "old"}],
    "actors": [{"send": {}}, {"delete": {"messages": ["old"]}}],
}
TWO_FETCHES = {
    "name": "fetches",
    "given": [{"name": "a"}, {"name": "b"}],
    "actors": [{"pop3_retrieve": {"message": "a"}}, {"pop3_retrieve": {"message": "b"}}],
}
MAIL_BESIDE_A_FETCH = {
    "name": "fetch",
    "given": [{"name": "old"}],
    "actors": [{"send": {}}, {"pop3_retrieve": {"message": "old"}}],
}
MAIL_BESIDE_A_QUIT = {
    "name": "quit",
    "given": [{"name": "old"}],
    "actors": [{"send": {}}, {"pop3_delete": {"messages": ["old"]}}],
}
MAIL_BESIDE_A_READER = {"name": "reader", "actors": [{"send": {}}, {"read": {"path": "/api/v1/messages"}}]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "given", "found"),
    [
        ("subject_index_is_overwritten", TWO_MAILS, "views_disagree"),
        ("unread_count_is_overwritten", TWO_MAILS, "views_disagree"),
        ("list_is_reversed_after_a_race", TWO_MAILS_MORE, "order_wrong"),
        ("attachment_counted_that_is_not_there", TWO_MAILS, "content_mixed"),
        ("listed_under_another_name", TWO_MAILS, "content_mixed"),
        ("tag_in_capitals", TWO_MAILS, "content_mixed"),
        ("not_found_by_its_text", TWO_MAILS, "search_wrong"),
        ("lost_in_an_empty_store_only", TWO_MAILS, "accepted_but_missing"),
        ("page_shows_what_another_reads", TWO_READS, "not_serializable"),
        ("pop3_shows_what_another_fetches", TWO_FETCHES, "id_mixed"),
        ("lost_where_three_statements_come_within", MAIL_BESIDE_A_DELETION, "accepted_but_missing"),
        ("lost_where_a_reader_looks", MAIL_BESIDE_A_READER, "accepted_but_missing"),
    ],
)
def test_what_one_view_or_one_order_shows_is_a_race(
    fault: str, given: dict[str, object], found: str, faulty: Callable[..., str], tmp_path: Path
) -> None:
    result = steer(scenario_from(given, tmp_path), faulty(fault))
    assert (result.verdict, found in result.anomalies) == (Verdict.RACE, True), result.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "given", "why"),
    [
        ("pop3_retrieves_by_place", MAIL_BESIDE_A_FETCH, "id_mixed shows when the operations run one after"),
        ("pop3_deletes_by_place", MAIL_BESIDE_A_QUIT, "accepted_but_missing shows when the operations run"),
        ("link_ends_where_two_meet", TWO_MAILS, "the link of send.1 ended before its reply was whole"),
    ],
)
def test_what_no_promise_forbids_in_a_serial_order_is_no_pass_all_the_same(
    fault: str, given: dict[str, object], why: str, faulty: Callable[..., str], tmp_path: Path
) -> None:
    result = steer(scenario_from(given, tmp_path), faulty(fault))
    assert (result.verdict, why in result.reason) == (Verdict.INCONCLUSIVE, True), result.reason


@pytest.mark.slow
def test_who_is_answered_late_does_not_hang(faulty: Callable[..., str], tmp_path: Path) -> None:
    result = steer(scenario_from(TWO_MAILS, tmp_path), faulty("second_is_answered_late", meeting="memory"))
    assert "hang" not in {**result.anomalies, **result.broken_serially}
    assert result.verdict is not Verdict.RACE, result.reason


def test_a_server_that_no_schedule_can_be_run_on_is_undecided_and_no_bug_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missed(*_: object) -> None:
        raise ScheduleMissed("the server did not become quiet within 2 s")

    monkeypatch.setattr("mailrace.steer.steering.explore", missed)
    result = steer(scenario_from(TWO_SENDERS, tmp_path), "embedded")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "did not become quiet" in result.reason


TWO_DELETIONS = {
    "name": "deletions",
    "title": "two deletions of lists that overlap, which may hang in any order",
    "given": [{"name": "first"}, {"name": "both"}, {"name": "last"}],
    "actors": [{"delete": {"messages": ["first", "both"]}}, {"delete": {"messages": ["both", "last"]}}],
    "target": {"fresh": True},
}


@pytest.mark.slow
def test_a_deletion_that_hangs_by_itself_is_no_race(faulty: Callable[..., str], tmp_path: Path) -> None:
    request = SteerRequest(steering=Steering(budget=3))
    result = steer(scenario_from(TWO_DELETIONS, tmp_path), faulty("deletions_unanswered"), request)
    assert result.verdict is Verdict.INCONCLUSIVE, result.reason
    assert "hang" in result.broken_serially, result.reason
