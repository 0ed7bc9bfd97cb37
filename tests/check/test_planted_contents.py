"""Servers that mix up what they store, raced by the command: each is found, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faulty.faulty_program import faulty_program
from tests.running import mailrace

SCENARIOS = Path(__file__).parents[2] / "scenarios"
ROUNDS = 24
"""Both mails are under way at once in most rounds: the rarest of these faults showed in 11 of 30."""


def raced(fault: str, scenario: str, folder: Path) -> tuple[str, set[str]]:
    """The verdict and the anomalies of a race on a server with that fault, without a control."""
    file, target = SCENARIOS / f"{scenario}.race.yaml", faulty_program(folder, fault)
    mailrace("run", file, "--target", target, "--rounds", ROUNDS, "--no-control", cwd=folder)
    return result(folder)["verdict"], set(result(folder)["anomalies"])


def result(folder: Path) -> dict[str, Any]:
    """What run.json says of the one scenario that was raced last."""
    (found,) = json.loads((folder / "reports" / "latest" / "run.json").read_text())["scenarios"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("swapped_bodies", {"content_mixed"}),
        ("swapped_subjects", {"content_mixed"}),
        ("empty_from", {"accepted_but_missing", "foreign_row", "id_mixed"}),
        ("body_in_source_only", {"content_mixed"}),
        ("subject_in_lists_only", {"content_mixed"}),
        ("message_id_in_lists_only", {"content_mixed"}),
        ("snippet_of_another", {"content_mixed"}),
        ("size_wrong", {"content_mixed"}),
        ("found_by_the_words_of_another", {"search_wrong"}),
        ("found_by_no_words", {"search_wrong"}),
        ("not_found_by_its_text", {"search_wrong"}),
        ("subject_index_is_overwritten", {"views_disagree"}),
        ("arrival_an_hour_early", {"order_wrong"}),
        ("no_sender_in_lists", {"accepted_but_missing", "foreign_row", "id_mixed"}),
        ("other_sender_in_lists", {"accepted_but_missing", "foreign_row", "id_mixed"}),
        ("no_recipient_in_lists", {"envelope_leaked"}),
        ("same_id_told_twice", {"id_mixed"}),
        ("no_such_id_told", {"id_mixed"}),
    ],
)
def test_what_two_mails_do_to_each_other_is_found(fault: str, found: set[str], tmp_path: Path) -> None:
    verdict, seen = raced(fault, "distinct-tags", tmp_path)
    # A search for the words of a body that was swapped is wrong as well.
    assert (verdict, seen - {"search_wrong"}) == ("RACE", found - {"search_wrong"})
    assert found <= seen


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "found"), [("older_mail_altered", "older_changed"), ("older_mail_deleted", "older_changed")]
)
def test_what_happens_to_older_mail_is_found(fault: str, found: str, tmp_path: Path) -> None:
    verdict, seen = raced(fault, "distinct-tags", tmp_path)
    assert verdict == "RACE"
    assert found in seen


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["untouched_mail_lost_beside_an_edit", "mail_lost_soon_after_an_edit"])
def test_mail_that_no_edit_touches_is_not_lost_beside_one(fault: str, tmp_path: Path) -> None:
    verdict, seen = raced(fault, "send-retag-unrelated", tmp_path)
    assert (verdict, "accepted_but_missing" in seen) == ("RACE", True)


MANY_KINDS = """
name: six-kinds
title: Six operations, each of another kind, so that they have 720 serial orders
given: [{name: old}, {name: other}]
actors:
  - send: {tags: ["{run}-a"]}
  - send: {tags: ["{run}-b"]}
  - send: {tags: ["{run}-c", "{run}-d"]}
  - send: {recipients: 2}
  - delete: {messages: [old]}
  - set_tags: {messages: [other], tags: ["{run}-e"]}
"""


@pytest.mark.slow
def test_what_only_serial_orders_can_judge_speaks_for_nobody_where_they_are_too_many(tmp_path: Path) -> None:
    """Its deletions do nothing beside a mail, and nobody can say that they should have."""
    (tmp_path / "six.race.yaml").write_text(MANY_KINDS)
    target = faulty_program(tmp_path, "deletion_does_nothing_beside_a_mail")
    mailrace("run", "six.race.yaml", "--target", target, "--rounds", 12, "--no-control", cwd=tmp_path)
    seen = result(tmp_path)
    assert (seen["verdict"], seen["rounds"], seen["anomalies"]) == ("INCONCLUSIVE", 0, {})
    assert "without its serial orders, a loss there" in " ".join(seen["not_looked"])
    file = SCENARIOS / "send-delete-last-holder.race.yaml"
    mailrace("run", file, "--target", target, "--rounds", ROUNDS, "--no-control", cwd=tmp_path)
    assert set(result(tmp_path)["anomalies"]) == {"not_serializable"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "scenario", "found"),
    [
        ("mail_lost_after_an_edit", "send-retag-unrelated", "accepted_but_missing"),
        ("oldest_first", "distinct-tags", "order_wrong"),
        ("search_misses_the_newest", "distinct-tags", "search_wrong"),
        ("newest_listed_without_tags", "distinct-tags", "tag_lost"),
        ("newest_listed_without_tags", "shared-new-tag", "tag_lost"),
    ],
)
def test_what_needs_no_race_is_a_broken_promise(
    fault: str, scenario: str, found: str, tmp_path: Path
) -> None:
    assert raced(fault, scenario, tmp_path) == ("INCONCLUSIVE", set())
    assert found in result(tmp_path)["broken_serially"]


@pytest.mark.slow
def test_the_same_server_without_a_fault_has_no_anomaly(tmp_path: Path) -> None:
    assert raced("no_fault", "distinct-tags", tmp_path) == ("INCONCLUSIVE", set())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "scenario"),
    [
        ("stored_after_the_answer", "distinct-tags"),
        ("ids_are_used_again", "send-delete-unrelated"),
        ("pages_of_three", "distinct-tags"),
        ("order_within_a_second_is_any", "distinct-tags"),
    ],
)
def test_a_server_that_is_only_odd_is_not_accused(fault: str, scenario: str, tmp_path: Path) -> None:
    """What is odd is when it stores, by which ID, and how it lists; that breaks no promise."""
    assert raced(fault, scenario, tmp_path) == ("INCONCLUSIVE", set())
    assert result(tmp_path)["broken_serially"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["header_is_sorted", "header_is_shuffled", "message_id_is_rewritten"])
def test_a_server_that_rewrites_each_mail_does_so_without_a_race(fault: str, tmp_path: Path) -> None:
    assert raced(fault, "distinct-tags", tmp_path) == ("INCONCLUSIVE", set())
    assert set(result(tmp_path)["broken_serially"]) == {"content_mixed"}


@pytest.mark.slow
def test_a_server_that_keeps_only_so_many_mails_took_none_in_a_race(tmp_path: Path) -> None:
    assert raced("oldest_go_past_twenty", "distinct-tags", tmp_path) == ("INCONCLUSIVE", set())
    assert result(tmp_path)["rounds_refused"]
    assert "it keeps no more than 20 mails" in " ".join(result(tmp_path)["not_looked"])
