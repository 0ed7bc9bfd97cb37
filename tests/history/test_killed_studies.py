"""Steer and studies that are killed leave what they had found: `report` renders it, and a RACE stays one.

Each is ended by SIGKILL as soon as its history holds a certain line, so nothing here waits for a time.
"""

import json
import signal
from pathlib import Path

import pytest

from tests.running import Running, mailrace, wait_until

pytestmark = pytest.mark.slow
STEER = ["steer", "shared-new-tag", "-t", "embedded@1.17.0", "--seed", 3]
GATE = ["gate", "shared-new-tag", "--from", "embedded@1.17.1", "--to", "embedded@1.17.0", "--seed", 3]
RETRIES = ["retries", "shared-new-tag", "-t", "embedded@1.17.0", "--rounds", 200, "--seed", 3]
MATRIX = ["matrix", "--versions", "embedded@1.17.0,embedded@fixed", "--scenarios", "shared-new-tag"]
BISECT = ["bisect", "shared-new-tag", "--good", "embedded@fixed", "--bad", "embedded@1.17.0"]
FOUND = '"kind":"witness"'
HIT = '"kind":"judged","lane":"target","is_race":true'


def killed(words: list[object], line: str, cwd: Path) -> Path:
    """The folder of that command, which was killed once a history in it had that line."""
    reports = cwd / "reports"

    def has_it() -> bool:
        return any(line in file.read_text() for file in reports.rglob("history.jsonl"))

    with Running(*words, cwd=cwd) as running:
        wait_until(lambda: has_it() or running.process.poll() is not None, limit_s=120)
        family = running.family()
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(10)
        assert not running.left(family), "a server outlived it"
    (folder,) = (path for path in reports.iterdir() if path.is_dir() and not path.is_symlink())
    return folder


def reported(folder: Path, cwd: Path) -> str:
    """What `mailrace report` says of it."""
    done = mailrace("report", folder, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("line", "verdict"),
    [('"kind":"run"', "INCONCLUSIVE"), ('"kind":"schedule"', "INCONCLUSIVE"), (FOUND, "RACE")],
)
def test_steer_killed_at_any_moment_says_what_it_had_seen(tmp_path: Path, line: str, verdict: str) -> None:
    folder = killed(STEER, line, tmp_path)
    assert not (folder / "run.json").exists(), "it came to its end before it could be killed"
    said = reported(folder, tmp_path)
    document = json.loads((folder / "run.json").read_text())
    assert document["cut_off"]
    (one,) = document["scenarios"]
    # It is killed soon after the line, so it may have found more than the line says, and never less.
    assert one["verdict"] in {verdict, "RACE"}
    assert one["verdict"] in said
    assert one["rounds"] >= (line != '"kind":"run"')
    if one["verdict"] == "RACE":
        assert one["hits"] == len(one["witnesses"]) > 0
        assert document["target"]["version"] == "1.17.0"


def test_a_race_of_a_killed_steer_is_replayed_and_bundled(tmp_path: Path) -> None:
    folder = killed(STEER, FOUND, tmp_path)
    again = mailrace("replay", folder, cwd=tmp_path)
    assert (again.returncode, again.stdout.split(":")[0]) == (1, "STILL FAILS"), again.stdout + again.stderr
    assert mailrace("bundle", folder, "-o", "b.zip", cwd=tmp_path).returncode == 0


def test_an_interrupted_steer_tells_each_scenario_that_was_begun_and_counts_the_others(
    tmp_path: Path,
) -> None:
    words = ["steer", "shared-new-tag", "distinct-tags", "two-tag-sets", "-t", "embedded@1.17.0"]
    with Running(*words, cwd=tmp_path) as running:
        wait_until(lambda: any(FOUND in file.read_text() for file in tmp_path.rglob("history.jsonl")))
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == 130
        said = running.err.read_text().partition("mailrace: interrupted; found until then:\n")[2].splitlines()
    begun = [line for line in said if line.startswith(("  shared", "  distinct", "  two"))]
    assert any(line.startswith("  shared-new-tag: RACE: ") for line in begun)
    if len(begun) < 3:
        left = 3 - len(begun)
        assert f"  {left} scenario{'s' * (left > 1)} of which nothing is known yet" in said


@pytest.mark.parametrize("mode", ["steer", "race"])
def test_a_killed_gate_shows_the_race_of_the_new_version(tmp_path: Path, mode: str) -> None:
    line = FOUND if mode == "steer" else HIT
    folder = killed([*GATE, "--mode", mode], line, tmp_path)
    assert not (folder / "gate.json").exists()
    said = reported(folder, tmp_path)
    assert "cut off" in said
    assert "shared-new-tag: RACE" in said
    assert "rejected_but_stored" in mailrace("replay", folder, "--rounds", 50, cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [([*MATRIX, "--mode", "race", "--rounds", 400], HIT), (MATRIX, FOUND), (RETRIES, HIT), (BISECT, FOUND)],
    ids=["matrix raced", "matrix steered", "retries", "bisect"],
)
def test_a_killed_study_shows_what_its_runs_had_found(tmp_path: Path, words: list[object], line: str) -> None:
    folder = killed(words, line, tmp_path)
    said = reported(folder, tmp_path)
    assert "cut off" in said
    assert "shared-new-tag: RACE" in said
    document = next((folder / f"{kind}.json" for kind in ("matrix", "retries") if kind == words[0]), None)
    assert document is None or json.loads(document.read_text())
