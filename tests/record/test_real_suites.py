"""Real suites through the recorder, as a user runs them: clean ones stay clean, each planted hazard is found.

The suites stand in tests/suites. Those in Python run under pytest-xdist, those in JavaScript under Node's own
test runner with four workers.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mailrace.record.hazards import HAZARDS
from mailrace.scenario import load

from tests.absent import lacking
from tests.running import mailrace

SUITES = Path(__file__).parent.parent / "suites"
NODE = SUITES / "node"
LIMIT_S = 240
PLACES = ("shared-sent", "shared-sent-too", "counted", "one-more", "unread-sent", "emptied")
PLACES += ("found", "found-too", "gone", "tagged", "untagged")
TARGETS = ["embedded", pytest.param("mailpit@1.33.1", marks=pytest.mark.mailpit)]
RACES = {"rejected_but_stored", "tag_lost", "tag_ghost"}
"""What 1.33.1 itself may do to a suite whose mails have tags and whose tests delete, as the suites' do."""


def recorded(target: str, folder: Path, *command: str) -> tuple[int, dict[str, Any], str]:
    """Run `mailrace record` over a suite's command: its exit status, record.json, and what it printed."""
    meeting = folder / "meeting"
    meeting.mkdir()
    for place in PLACES:
        os.mkfifo(meeting / place)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mailrace", "record", "--target", target, "--minutes", "0"),
            *("--out", str(folder / "record"), "--", *command),
        ],
        env=os.environ | {"MEETING_PLACE": str(meeting), "PYTHONPATH": str(SUITES / "python")},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    text = done.stdout + done.stderr
    assert (folder / "record" / "record.json").is_file(), text
    return done.returncode, json.loads((folder / "record" / "record.json").read_text()), text


def in_python(*files: str) -> list[str]:
    """pytest with a worker for each file, and none of this project's own settings."""
    suite = SUITES / "python"
    own = ["-c", os.devnull, "--rootdir", str(suite), "--confcutdir", str(suite), "-p", "no:cacheprovider"]
    paths = [str(suite / file) for file in files]
    return [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        *own,
        "-n",
        str(max(2, len(files))),
        "--dist",
        "loadfile",
        *paths,
    ]


def in_node(*files: str) -> list[str]:
    """Node's test runner with four workers, a process for each file."""
    return ["node", "--test", "--test-concurrency=4", *(str(NODE / file) for file in files)]


@pytest.fixture(scope="session")
def node_packages() -> None:
    """nodemailer and mailpit-api, installed beside the suites where they are missing."""
    if shutil.which("node") is None:
        lacking("no Node, for the suites in JavaScript")
    if not (NODE / "node_modules").is_dir():
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=NODE, check=True, timeout=LIMIT_S
        )


def names(found: dict[str, Any], group: str) -> set[str]:
    """The names of the findings of a group."""
    return {one["name"] for one in found[group]}


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_clean_suite_in_python_has_no_hazard(target: str, tmp_path: Path) -> None:
    _, found, text = recorded(target, tmp_path, *in_python("test_clean.py"), "--dist", "load")
    assert names(found, "hazards") == set(), text
    assert names(found, "happened") <= (RACES if target != "embedded" else set())
    assert (found["operations"], found["processes"]) == (96, 2) or found["child_status"]


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_each_hazard_that_two_files_plant_is_found_with_its_remedy(target: str, tmp_path: Path) -> None:
    status, found, text = recorded(target, tmp_path, *in_python("test_left.py", "test_right.py"))
    assert status == 0, text
    assert names(found, "hazards") == {hazard.name for hazard in HAZARDS}
    for hazard in HAZARDS:
        assert hazard.remedy in text
    assert "by process" in text


@pytest.mark.slow
@pytest.mark.usefixtures("node_packages")
@pytest.mark.parametrize("target", TARGETS)
def test_a_clean_suite_in_node_has_no_hazard(target: str, tmp_path: Path) -> None:
    files = [f"clean/{worker}.test.mjs" for worker in ("one", "two", "three", "four")]
    _, found, text = recorded(target, tmp_path, *in_node(*files))
    assert names(found, "hazards") == set(), text
    assert names(found, "happened") <= (RACES if target != "embedded" else set())
    assert (found["operations"], found["processes"]) == (96, 4) or found["child_status"]


@pytest.mark.slow
@pytest.mark.usefixtures("node_packages")
@pytest.mark.parametrize("target", TARGETS)
def test_hazards_planted_in_node_are_found_and_their_overlaps_become_scenarios(
    target: str, tmp_path: Path
) -> None:
    planted = ["hazards/left.test.mjs", "hazards/right.test.mjs"]
    files = [*planted, "clean/one.test.mjs", "clean/two.test.mjs"]
    _, found, text = recorded(target, tmp_path, *in_node(*files))
    expected = {"deleted_unread", "delete_all_beside_others", "read_latest_beside_others", "unfiltered_list"}
    expected |= {"search_too_wide", "same_message_id", "shared_recipient", "shared_tag"}
    assert expected <= names(found, "hazards"), text
    assert_steered_as_it_is(found, tmp_path / "record" / "scenarios", target)


def assert_steered_as_it_is(found: dict[str, Any], scenarios: Path, target: str) -> None:
    """Each file is a scenario, and `mailrace steer` decides the most frequent one of two writers."""
    files = [scenarios / one["file"] for one in found["overlaps"] if one["file"]]
    assert sorted(files) == sorted(scenarios.glob("*.race.yaml"))
    assert [load(file).name for file in files] == [file.name.removesuffix(".race.yaml") for file in files]
    writers = [file for file in files if re.match(r"(send|delete)-(send|delete)-", file.name)]
    done = mailrace(
        *("steer", str(writers[0]), "--target", target, "--time-limit", "120", "--quiet", "--out", "steered"),
        cwd=scenarios,
    )
    assert done.returncode in (0, 1), done
    (one,) = json.loads((scenarios / "steered" / "run.json").read_text())["scenarios"]
    assert (one["name"], one["verdict"]) == (load(writers[0]).name, ("PASS", "RACE")[done.returncode])
