"""Servers that mix up what they store, raced by the command: each is found, and nothing else."""

import json
from pathlib import Path

import pytest
from faulty.planted import planted
from running import mailrace

SCENARIOS = Path(__file__).parents[2] / "scenarios"
ROUNDS = 24
"""Both mails are under way at once in most rounds: the rarest of these faults showed in 11 of 30."""


def raced(fault: str, scenario: str, folder: Path) -> tuple[str, set[str]]:
    """The verdict and the anomalies of a race on a server with that fault, without a control."""
    file, target = SCENARIOS / f"{scenario}.race.yaml", planted(fault, folder)
    mailrace("run", file, "--target", target, "--rounds", ROUNDS, "--no-control", cwd=folder)
    (result,) = json.loads((folder / "reports" / "latest" / "run.json").read_text())["scenarios"]
    return result["verdict"], set(result["anomalies"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("body", {"content_mixed"}),
        ("subject", {"content_mixed"}),
        ("message-id", {"content_mixed"}),
        ("snippet", {"content_mixed"}),
        ("size", {"content_mixed"}),
        ("search-text", {"search_wrong"}),
        ("search-lost", {"search_wrong"}),
        ("search-misses", {"search_wrong"}),
        ("arrival", {"order_wrong"}),
        ("oldest-first", {"order_wrong"}),
        ("no-sender", {"accepted_but_missing", "foreign_row", "id_mixed"}),
        ("other-sender", {"accepted_but_missing", "foreign_row", "id_mixed"}),
        ("no-recipient", {"envelope_leaked"}),
        ("same-id", {"id_mixed"}),
        ("no-such-id", {"id_mixed"}),
    ],
)
def test_what_two_mails_do_to_each_other_is_found(fault: str, found: set[str], tmp_path: Path) -> None:
    assert raced(fault, "distinct-tags", tmp_path) == ("RACE", found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "found"), [("older-altered", "older_changed"), ("older-gone", "older_changed")]
)
def test_what_happens_to_older_mail_is_found(fault: str, found: str, tmp_path: Path) -> None:
    verdict, seen = raced(fault, "distinct-tags", tmp_path)
    assert verdict == "RACE"
    assert found in seen


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["lost-beside-edit", "lost-after-edit"])
def test_mail_that_no_edit_touches_is_not_lost_beside_one(fault: str, tmp_path: Path) -> None:
    verdict, seen = raced(fault, "send-retag-unrelated", tmp_path)
    assert (verdict, "accepted_but_missing" in seen) == ("RACE", True)


def test_the_same_server_without_a_fault_has_no_anomaly(tmp_path: Path) -> None:
    assert raced("none", "distinct-tags", tmp_path) == ("INCONCLUSIVE", set())
