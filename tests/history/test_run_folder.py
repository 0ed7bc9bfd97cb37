"""The folder of a run: its name, `latest`, and what is kept of the older ones."""

from pathlib import Path

import pytest

from harness.history import new_folder, read_plan, write_plan
from harness.history.folder import KEPT
from harness.model.errors import UsageError


def test_folders_of_one_second_are_told_apart_and_latest_is_the_newest(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    made = [new_folder(reports, "shared tag-http://127.0.0.1:8025") for _ in range(3)]
    assert len({folder.name for folder in made}) == 3
    assert all(folder.is_dir() and folder.name.endswith("shared-tag-http-127.0.0.1-8025") for folder in made)
    assert (reports / "latest").resolve() == made[-1].resolve()
    assert sorted(f.name for f in reports.iterdir()) == sorted([*(f.name for f in made), "latest"])


def test_the_newest_are_kept_and_only_folders_of_runs_are_removed(tmp_path: Path) -> None:
    ours = [tmp_path / f"20200101-0000{n:02d}-x" for n in range(KEPT + 4)]
    for folder in ours:
        folder.mkdir()
        write_plan(folder, {})
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
    write_plan(out, {"target": "embedded"})
    assert read_plan(out) == {"target": "embedded"}
    with pytest.raises(UsageError, match="holds something already"):
        new_folder(tmp_path, "x", out=out)
    with pytest.raises(UsageError, match="holds something already"):
        new_folder(tmp_path, "x", out=out / "plan.json")
    with pytest.raises(UsageError, match="cannot be made"):
        new_folder(out / "plan.json", "x")


@pytest.mark.parametrize(("text", "said"), [(None, "no plan.json"), ("{", "no JSON"), ("[]", "not the plan")])
def test_a_folder_without_a_plan_is_no_run_s(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "plan.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_plan(tmp_path)
