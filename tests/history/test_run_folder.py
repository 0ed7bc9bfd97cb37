"""The folder of a run: its name, `latest`, and what is kept of the older ones."""

import json
from pathlib import Path

import pytest
from mailrace.history import PLAN, make_latest, new_folder
from mailrace.history.folder import KEPT
from mailrace.model.errors import UsageError


def latest_of(reports: Path) -> Path:
    return reports / (reports / "latest").readlink()


def run_json(folder: Path, *scenarios: tuple[str, int]) -> None:
    """A run document with these verdicts and rounds, so far as `latest` depends on it."""
    found = [{"verdict": verdict, "rounds": rounds, "schedules": None} for verdict, rounds in scenarios]
    (folder / "run.json").write_text(json.dumps({"scenarios": found}))


def test_folders_of_one_second_are_told_apart_and_latest_is_the_newest(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    made = [new_folder(reports, "shared tag-http://127.0.0.1:8025") for _ in range(3)]
    assert len({folder.name for folder in made}) == 3
    assert all(folder.is_dir() and folder.name.endswith("shared-tag-http-127.0.0.1-8025") for folder in made)
    assert latest_of(reports) == made[0], "until another is known to look at something"
    make_latest(made[-1])
    assert latest_of(reports) == made[-1]
    assert sorted(f.name for f in reports.iterdir()) == sorted([*(f.name for f in made), "latest"])


@pytest.mark.parametrize(
    ("scenarios", "is_kept"),
    [
        ((("PASS", 20),), True),
        ((("FAILED", 0), ("FAILED", 7)), True),
        ((("NOT_APPLICABLE", 0),), True),
        ((("FAILED", 0), ("FAILED", 0)), False),
    ],
)
def test_latest_is_left_to_a_run_that_looked_at_something(
    scenarios: tuple[tuple[str, int], ...], is_kept: bool, tmp_path: Path
) -> None:
    before = new_folder(tmp_path, "x")
    run_json(before, *scenarios)
    after = new_folder(tmp_path, "x")
    assert latest_of(tmp_path) == (before if is_kept else after)


def test_latest_that_leads_nowhere_is_moved_and_a_folder_of_one_s_own_is_never_latest(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("gone", target_is_directory=True)
    first = new_folder(tmp_path, "x")
    make_latest(new_folder(tmp_path, "x", out=tmp_path / "mine"))
    assert latest_of(tmp_path) == first


def test_the_newest_are_kept_and_only_folders_of_runs_are_removed(tmp_path: Path) -> None:
    ours = [tmp_path / f"20200101-0000{n:02d}-x" for n in range(KEPT + 4)]
    for folder in ours:
        folder.mkdir()
        (folder / PLAN).write_text("{}")
    theirs = tmp_path / "20200101-000000-notes"
    theirs.mkdir()
    (tmp_path / "keep").mkdir()
    fresh = new_folder(tmp_path, "x")
    gone = [folder for folder in ours if not folder.exists()]
    assert gone == ours[: len(gone)]
    assert 4 <= len(gone) <= 5
    assert theirs.exists()
    assert (tmp_path / "keep").exists()
    assert fresh.exists()


def test_a_folder_of_one_s_own_must_be_empty(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert new_folder(tmp_path, "x", out=out) == out
    (out / PLAN).write_text("{}")
    with pytest.raises(UsageError, match="holds something already"):
        new_folder(tmp_path, "x", out=out)
    with pytest.raises(UsageError, match="holds something already"):
        new_folder(tmp_path, "x", out=out / "plan.json")
    with pytest.raises(UsageError, match="cannot be made"):
        new_folder(out / "plan.json", "x")
