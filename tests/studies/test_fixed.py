"""FIXED is said of a server that works and does not show the race any more, and of no other."""

from dataclasses import replace
from pathlib import Path

import pytest
from mailrace.model.request import Racing
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.scenario import load, shipped
from mailrace.studies.replay import ROUNDS_MAX, looks_until, rounds_needed, rounds_showing

from tests.faulty.faulty_program import faulty_program
from tests.running import mailrace

DOES_NOT_WORK = ["refuses_everything", "stores_nothing", "lists_are_empty", "lists_fail_after_a_race"]
BREAKS_ANOTHER = ["body_in_source_only", "same_id_told_twice", "older_mail_deleted"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of a server that has the race, `raced`, and one `steered`."""
    folder = tmp_path_factory.mktemp("recorded")
    words = ["shared-new-tag", "-t", "embedded@1.17.0", "--seed", 3, "--out"]
    raced = mailrace("run", *words, "raced", "--rounds", 30, "--no-control", cwd=folder)
    assert raced.returncode == 1, raced.stdout + raced.stderr
    steered = mailrace("steer", *words, "steered", cwd=folder, limit_s=120)
    assert steered.returncode == 1, steered.stdout + steered.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("recorded", ["raced", "steered"])
def test_the_repaired_server_is_fixed(place: Path, recorded: str) -> None:
    done = mailrace("replay", recorded, "-t", "embedded@fixed", cwd=place, limit_s=150)
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "FIXED"), done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("recorded", ["raced", "steered"])
@pytest.mark.parametrize("fault", [*DOES_NOT_WORK, *BREAKS_ANOTHER])
def test_a_server_that_does_not_work_is_never_fixed(
    place: Path, tmp_path: Path, recorded: str, fault: str
) -> None:
    # A fault that asks the store who else is there sends more statements, which have many more schedules.
    meeting = "memory" if recorded == "steered" else "store"
    words = ["replay", recorded, "-t", faulty_program(tmp_path, fault, meeting=meeting), "--rounds", 80]
    done = mailrace(*words, cwd=place, limit_s=200)
    assert done.stdout.split(":")[0] in ("STILL FAILS", "COULD NOT RUN"), done.stdout + done.stderr
    assert done.returncode in (1, 3, 4)
    assert "Traceback" not in done.stderr


def result(hits: int, rounds: int) -> ScenarioResult:
    return ScenarioResult(
        name="x", title="x", file="", mode="race", verdict=Verdict.RACE, reason="", rounds=rounds, hits=hits,
        anomalies={"duplicated": hits},
    )  # fmt: skip


def test_a_rare_race_needs_more_clean_rounds_than_a_frequent_one() -> None:
    # The exact 95 % intervals begin at 39.8 %, 0.0253 % and 2.5 %: log(0.01) / log(1 − low), rounded up.
    assert rounds_needed(result(50, 100), "duplicated", 0.99) == 10
    assert rounds_needed(result(1, 100), "duplicated", 0.99) == 18_190
    assert rounds_needed(result(1, 1), "duplicated", 0.99) == 182


@pytest.mark.parametrize(
    ("hits", "anomalies", "showing"),
    [
        (2, {"duplicated": 16}, 2),  # eight messages of a round
        (40, {"duplicated": 16}, 16),
        (40, {"duplicated": 16, "tag_lost": 30}, 10),  # thirty of the forty may show the other one only
        (40, {"duplicated": 16, "tag_lost": 60}, 0),
        (40, {"duplicated": 40, "torn_read": 90}, 40),
    ],
)
def test_an_anomaly_of_several_messages_is_of_one_round(
    hits: int, anomalies: dict[str, int], showing: int
) -> None:
    found = replace(result(0, 100), hits=hits, anomalies=anomalies)
    assert rounds_showing(found, "duplicated") == showing
    assert rounds_needed(found, "duplicated", 0.99) == rounds_needed(result(showing, 100), "duplicated", 0.99)


class Looks:
    """A session whose second look loses a round, as on a busy machine; with `loses_all` all later ones do."""

    def __init__(self, *, loses_all: bool = False) -> None:
        self.asked: list[int] = []
        self._loses_all = loses_all

    def look(self, scenario: object, racing: Racing) -> ScenarioResult:
        self.asked.append(racing.rounds or 0)
        if len(self.asked) == 1:
            return replace(result(0, 30), verdict=Verdict.PASS)
        lost = 1 if len(self.asked) == 2 or self._loses_all else 0
        return replace(result(0, self.asked[-1] - lost), verdict=Verdict.INCONCLUSIVE, rounds_lost=lost)


def test_a_round_that_is_lost_is_made_up_for() -> None:
    scenario, now = load(shipped() / "shared-new-tag.race.yaml"), Looks()
    looks = looks_until(56, now, scenario, Racing(rounds=1_000))  # type: ignore[arg-type]
    assert now.asked == [1_000, 26, 1]
    assert sum(one.rounds for one in looks) == 56
    never = Looks(loses_all=True)
    looks = looks_until(56, never, scenario, Racing(rounds=60))  # type: ignore[arg-type]
    assert sum(one.rounds + one.rounds_lost for one in looks) == 60, "it is not tried for ever"


def test_where_no_rate_was_recorded_no_number_of_rounds_is_enough() -> None:
    assert rounds_needed(result(0, 0), "duplicated", 0.99) > ROUNDS_MAX
    assert rounds_needed(result(5, 9), "tag_lost", 0.99) > ROUNDS_MAX
