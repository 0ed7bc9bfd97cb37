"""The folder of a run: its name, `latest`, and what is kept of the older ones."""

import subprocess
from pathlib import Path

import pytest
from mailrace.history import (
    RECORD,
    RECORD_DOCUMENT,
    InUse,
    Journal,
    make_latest,
    new_folder,
    prune,
    write_whole,
)
from mailrace.history.folder import is_in_use
from mailrace.history.plan import PLAN
from mailrace.model.errors import OutputError, UsageError
from mailrace.record.file import RecordFile


def latest_of(reports: Path) -> Path:
    return reports / (reports / "latest").readlink()


def test_folders_of_one_second_are_told_apart_and_latest_is_the_one_that_looked(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    made = [new_folder(reports, "shared tag-http://127.0.0.1:8025") for _ in range(3)]
    assert len({folder.name for folder in made}) == 3
    assert all(folder.is_dir() and folder.name.endswith("shared-tag-http-127.0.0.1-8025") for folder in made)
    assert not (reports / "latest").exists(), "until one is known to look at something"
    make_latest(made[1])
    assert latest_of(reports) == made[1]
    assert sorted(f.name for f in reports.iterdir()) == sorted(
        [*(f.name for f in made), ".gitignore", "latest"]
    )


def test_a_reports_folder_that_we_make_is_left_alone_by_git_and_another_s_is_as_it_was(
    tmp_path: Path,
) -> None:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "mine").mkdir()
    for reports in (tmp_path / "reports", tmp_path / "a" / "deep", tmp_path / "mine"):
        (new_folder(reports, "x") / "run.json").write_text("{}")
        new_folder(reports, "y")
    said = subprocess.run(
        [*git, "status", "--porcelain", "-uall"], check=True, capture_output=True, encoding="utf-8"
    )
    (seen,) = said.stdout.split("\n")[:-1]
    assert seen.startswith("?? mine/")
    assert not (tmp_path / "mine" / ".gitignore").exists()


def test_latest_that_leads_nowhere_is_moved_and_a_folder_of_one_s_own_is_never_latest(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("gone", target_is_directory=True)
    first = new_folder(tmp_path, "x")
    make_latest(first)
    make_latest(new_folder(tmp_path, "x", out=tmp_path / "mine"))
    assert latest_of(tmp_path) == first


def old_run(reports: Path, stamp: str) -> Path:
    """The folder of a run that was begun at that time."""
    folder = reports / f"{stamp}-x"
    folder.mkdir()
    (folder / PLAN).write_text("{}")
    return folder


def test_the_newest_are_kept_and_only_folders_of_runs_are_removed(tmp_path: Path) -> None:
    ours = [old_run(tmp_path, f"20200101-0000{n:02d}") for n in range(12)]
    theirs = tmp_path / "20190101-000000-notes"
    theirs.mkdir()
    (tmp_path / "keep").mkdir()
    make_latest(ours[-1])
    said = prune(tmp_path, 10)
    assert [folder for folder in ours if not folder.exists()] == ours[:2]
    assert all(folder.name in said for folder in ours[:2]), "what is removed is said"
    assert theirs.exists()
    assert (tmp_path / "keep").exists()
    assert (prune(tmp_path, 10), len(list(tmp_path.iterdir()))) == ("", 13)


def test_runs_of_one_second_are_removed_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    numbers = ["", *(f"-{number}" for number in range(1, 12))]
    ours = [old_run(tmp_path, f"20200101-000000{number}") for number in numbers]
    prune(tmp_path, 3)
    assert [folder for folder in ours if folder.exists()] == ours[-3:]


def test_nothing_is_removed_through_a_link(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    ours = [old_run(mine, f"20200101-00000{n}") for n in range(3)]
    (tmp_path / "reports").symlink_to(mine)
    assert prune(tmp_path / "reports", 1) == ""
    assert all(folder.exists() for folder in ours)
    assert prune(mine, 1)


def test_a_folder_in_use_is_never_removed(tmp_path: Path) -> None:
    ours = [old_run(tmp_path, f"20200101-00000{n}") for n in range(3)]
    in_use = InUse(ours[0])
    assert is_in_use(ours[0])
    assert not is_in_use(ours[1])
    prune(tmp_path, 1)
    assert [folder.exists() for folder in ours] == [True, False, True]
    in_use.let_go()
    in_use.let_go()
    prune(tmp_path, 1)
    assert [folder.exists() for folder in ours] == [False, False, True]


RACES = {
    "run.json": '{"mailrace": "0",\n "verdict": "RACE"}',
    "new/run.json": '{\n "scenarios": [\n  {"verdict": "RACE"}]}',
    "natively/new/run.json": '{"verdict": "RACE"}',
    "gate.json": '{"verdict": "RACE"}',
    "history.jsonl": '{"kind":"judged","lane":"target","is_race":true,"index":3}\n',
    "01/history.jsonl": '{"kind":"run","lane":""}\n{"kind":"witness","lane":"","anomaly":{}}\n',
}
NO_RACES = {
    "run.json": '{"verdict": "INCONCLUSIVE"}',
    "history.jsonl": '{"kind":"judged","lane":"control","is_race":true,"index":3}\n',
    "server.log": '"verdict": "RACE"',
}


@pytest.mark.parametrize("name", RACES)
def test_a_race_is_never_removed_whether_the_run_came_to_its_end_or_not(tmp_path: Path, name: str) -> None:
    old = old_run(tmp_path, "20200101-000000")
    (old / name).parent.mkdir(parents=True, exist_ok=True)
    (old / name).write_text(RACES[name])
    old_run(tmp_path, "20200102-000000")
    prune(tmp_path, 1)
    assert old.exists()


@pytest.mark.parametrize("name", NO_RACES)
def test_what_is_no_race_of_the_target_s_is_removed(tmp_path: Path, name: str) -> None:
    old = old_run(tmp_path, "20200101-000000")
    (old / name).write_text(NO_RACES[name])
    old_run(tmp_path, "20200102-000000")
    prune(tmp_path, 1)
    assert not old.exists()


def old_record(reports: Path, stamp: str, happened: str = "[]") -> Path:
    """The folder of a suite's record that was made at that time."""
    folder = reports / f"{stamp}-record-x"
    folder.mkdir()
    (folder / RECORD).write_text("{}")
    overlaps = '"overlaps": [{"verdict": "RACE"}]'
    (folder / RECORD_DOCUMENT).write_text(f'{{"happened": {happened}, {overlaps}}}')
    return folder


def test_a_record_is_removed_like_a_run_unless_something_happened_in_it(tmp_path: Path) -> None:
    plain, cut, steered, in_use = (old_record(tmp_path, f"2020010{n}-000000") for n in range(1, 5))
    happened = old_record(tmp_path, "20200105-000000", '[\n {"name": "tag_lost"}]')
    (cut / RECORD_DOCUMENT).unlink()
    (steered / "scenarios" / "a").mkdir(parents=True)
    (steered / "scenarios" / "a" / "run.json").write_text('{"verdict": "RACE"}')
    writing = RecordFile(in_use / RECORD)
    old_run(tmp_path, "20200106-000000")
    assert "20200101-000000-record-x" in prune(tmp_path, 1)
    assert [one.exists() for one in (plain, cut, steered, in_use, happened)] == [
        False,
        True,
        True,
        True,
        True,
    ]
    writing.close()
    prune(tmp_path, 1)
    assert not in_use.exists()


def test_folders_dated_in_the_future_are_neither_counted_nor_removed(tmp_path: Path) -> None:
    future = [old_run(tmp_path, f"2999010{n}-000000") for n in range(1, 6)]
    past = [old_run(tmp_path, f"2020010{n}-000000") for n in range(1, 4)]
    prune(tmp_path, 2)
    assert all(folder.exists() for folder in future)
    assert [folder.exists() for folder in past] == [False, True, True]


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


def test_a_full_disk_is_said_with_the_next_step_and_leaves_the_old_file_whole(tmp_path: Path) -> None:
    journal = Journal(Path("/dev/full"))
    with pytest.raises(OutputError, match=r"/dev/full: cannot be written \(No space left on device\); free"):
        journal.study("anything", {})
    journal.close()
    old = tmp_path / "run.json"
    old.write_text("whole")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole(tmp_path / "file" / "run.json", b"x")
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole(tmp_path, b"a folder stands there")
    assert (old.read_text(), sorted(f.name for f in tmp_path.iterdir())) == ("whole", ["file", "run.json"])
