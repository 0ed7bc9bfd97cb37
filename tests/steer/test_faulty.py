"""Servers with one fault, or one oddity, that are steered: no wrong RACE, no wrong PASS."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.model.result import Verdict
from mailrace.scenario import scenario_from
from mailrace.steer import steer

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


def test_what_breaks_without_a_race_is_neither_race_nor_pass(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    found = steer(scenario_from(TWO_SENDERS, tmp_path), faulty("stores_nothing"))
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason
    assert "accepted_but_missing" in found.broken_serially
    assert "a broken promise, not a race" in found.reason


def test_an_edit_excuses_only_what_it_touches(faulty: Callable[..., str], tmp_path: Path) -> None:
    found = steer(scenario_from(A_DELETION, tmp_path), faulty("older_mail_shortened"))
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason
    assert "older_changed" in found.broken_serially


@pytest.mark.slow
def test_a_subject_of_another_sender_is_seen_on_every_schedule(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    given = {**TWO_SENDERS, "target": {"instances": 1}}
    found = steer(scenario_from(given, tmp_path), faulty("swapped_subjects", meeting="memory"))
    assert found.verdict is not Verdict.PASS, found.reason


@pytest.mark.slow
def test_a_server_that_hides_its_store_from_its_users_is_not_clean(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    result = steer(scenario_from(TWO_SENDERS, tmp_path), faulty("lists_are_empty"))
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
