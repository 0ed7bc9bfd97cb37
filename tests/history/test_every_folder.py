"""Whatever command made a folder: `report`, `replay`, `bundle` and `merge` take it, or say what to name."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.history import contents

from tests.history.printed import commands_in, one_line
from tests.running import mailrace

pytestmark = pytest.mark.slow
RACE = ["no-rset-after-failure"]
"""It hits in every round of 1.30.5, and in none of 1.17.0."""
STEERED = ["send-delete-last-holder"]
ON = ["-t", "embedded@1.30.5", "--no-control"]
RACED = ["--mode", "race", "--rounds", 6, "--seed", 3]
MADE: dict[str, list[list[object]]] = {
    "run": [["run", *RACE, *ON, "--rounds", 4, "--seed", 3]],
    "steer": [["steer", *STEERED, "-t", "embedded@1.30.5", "--seed", 3]],
    "gate raced": [["gate", *RACE, "--from", "embedded@1.17.0", "--to", "embedded@1.30.5", *RACED]],
    "gate steered": [
        ["gate", *STEERED, "--from", "embedded@1.17.0", "--to", "embedded@1.30.5", "--mode", "steer"]
    ],
    "matrix": [["matrix", "--versions", "embedded@1.30.5,embedded@fixed", "--scenarios", *RACE, *RACED]],
    "bisect": [["bisect", *RACE, "--good", "embedded@1.27.11", "--bad", "embedded@1.30.5", *RACED]],
    "retries": [["retries", "shared-new-tag", "-t", "embedded@1.17.0", "--rounds", 12, "--seed", 3]],
    "merge": [
        *(["run", *RACE, *ON, "--rounds", 3, "--seed", seed, "--out", f"r{seed}"] for seed in (3, 4)),
        ["merge", "r3", "r4"],
    ],
}
SEVERAL = {"retries"}
"""Those of which more than one run shows a race, so that one must be named."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder that a kind of command leaves, each made once, in a place of its own."""
    found: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in found:
            place = tmp_path_factory.mktemp(kind.replace(" ", "-"))
            for words in MADE[kind]:
                done = mailrace(*words, cwd=place, limit_s=200)
                assert "Traceback" not in done.stderr, done.stderr
                assert done.returncode in (0, 1, 3), done.stderr
            found[kind] = (place / "reports" / "latest").resolve()
        return found[kind]

    return folder


@pytest.mark.parametrize("kind", MADE)
def test_the_command_that_a_report_prints_replays_it(kind: str, made: Callable[[str], Path]) -> None:
    folder = made(kind)
    commands = commands_in(folder)
    assert commands, "it shows no race"
    for words in commands[:2]:
        done = mailrace(*words, *(["--rounds", 40] if "steer" not in kind else []), cwd=folder.parent.parent)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "STILL FAILS" in done.stdout


@pytest.mark.parametrize("kind", MADE)
def test_the_folder_itself_is_reported_replayed_and_bundled(kind: str, made: Callable[[str], Path]) -> None:
    folder = made(kind)
    place = folder.parent.parent
    done = mailrace("report", folder, cwd=place)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "RACE" in done.stdout
    # Not reports/latest: by now that may be the folder of another test's replay.
    again = mailrace("replay", folder, "--rounds", 40, cwd=place)
    packed = mailrace("bundle", folder, "-o", "b.zip", cwd=place)
    if kind in SEVERAL:
        named = re.search(r"name one: (\S+)", one_line(again))
        assert named is not None
        assert one_line(packed) == one_line(again)
        again = mailrace("replay", named[1], "--rounds", 40, cwd=place)
        packed = mailrace("bundle", named[1], "-o", "b.zip", cwd=place)
    assert (again.returncode, again.stdout.split(":")[0]) == (1, "STILL FAILS"), again.stdout + again.stderr
    assert packed.returncode == 0, packed.stderr
    assert (place / "b.zip").is_file()


@pytest.mark.parametrize("kind", MADE)
def test_merge_takes_a_run_and_says_of_a_study_what_to_name(kind: str, made: Callable[[str], Path]) -> None:
    folder = made(kind)
    done = mailrace("merge", folder, "--out", folder.parent.parent / "merged", cwd=folder.parent.parent)
    if len(contents(folder).runs) == 1:
        assert done.returncode in (0, 1, 3), done.stderr
    else:
        assert "name one: " in one_line(done)


def test_a_folder_of_nobody_s_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in ("report", "replay", "bundle", "merge"):
        one_line(mailrace(command, "empty", cwd=tmp_path))
        one_line(mailrace(command, "nowhere", cwd=tmp_path))
