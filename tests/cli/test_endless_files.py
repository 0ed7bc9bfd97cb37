"""A file without an end, as a sparse one costs its sender nothing, is told and never read into memory."""

import zipfile
from pathlib import Path

import pytest
from mailrace.history import HISTORY, RecordedPlan, write_plan
from mailrace.history.folder import has_race
from mailrace.history.regular import BYTES_MAX, read_lines
from mailrace.model.request import RunRequest
from mailrace.report import left_out, render
from mailrace.report.bundle import TEXT_BYTES_MAX
from mailrace.report.unbundle import read_bundle
from mailrace.targets import parse_target

from tests.campaign.cells import need_dask
from tests.cli.in_process import Here
from tests.report.report_results import native

pytestmark = pytest.mark.slow


def sparse(path: Path, size: int = BYTES_MAX + 1) -> None:
    with path.open("wb") as file:
        file.truncate(size)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run that hit, with a plan that names no scenario."""
    folder, target = tmp_path / "run", parse_target("embedded@1.17.0")
    folder.mkdir()
    render(native(hits=2), folder, ("json",))
    plan = RecordedPlan(
        mailrace="1",
        study="run",
        started="",
        run="",
        request=RunRequest.of("embedded@1.17.0"),
        targets=(target,),
        scenarios=(),
    )
    write_plan(folder, plan)
    return folder


@pytest.mark.parametrize("words", [("report", "run"), ("replay", "run"), ("bundle", "run"), ("merge", "run")])
def test_a_history_without_an_end_is_told(words: tuple[str, ...], run: Path, here: Here) -> None:
    (run / "run.json").unlink()
    sparse(run / HISTORY)
    status, _, err = here(*words)
    assert (status, "run/history.jsonl: is no history of a run (has a line over " in err) == (2, True), err


def test_a_record_without_an_end_is_told(here: Here, tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    sparse(tmp_path / "record" / "record.jsonl")
    status, _, err = here("report", "record")
    assert (status, err.startswith("mailrace: record/record.jsonl: has a line over ")) == (2, True), err


def test_a_state_without_an_end_is_none(here: Here, tmp_path: Path) -> None:
    need_dask()
    (tmp_path / "state").mkdir()
    with (tmp_path / "state" / "campaign.json").open("wb") as file:
        file.write(b'{"seed": 3}')
        file.truncate(20_000)
    status, _, err = here("run", "distinct-tags", "--workers", 1, "--state", "state")
    assert (status, "no state of a campaign" in err) == (2, True), err


def test_settings_without_an_end_are_told(here: Here, tmp_path: Path) -> None:
    sparse(tmp_path / "pyproject.toml")
    status, _, err = here("run", "distinct-tags")
    assert (status, "pyproject.toml: cannot be read: over " in err) == (2, True), err


def test_a_bundle_leaves_a_log_out_that_its_reader_would_refuse(
    run: Path, here: Here, tmp_path: Path
) -> None:
    sparse(run / HISTORY, TEXT_BYTES_MAX + 1)
    (run / "server.log").write_text("short\n")
    assert left_out(run) == (run / HISTORY,)
    status, _, err = here("bundle", "run", "-o", "b.zip")
    assert status == 0
    assert "run/history.jsonl: left out, because it is too long for a bundle" in err
    names = zipfile.ZipFile(tmp_path / "b.zip").namelist()
    assert ("server.log" in names, "history.jsonl" in names) == (True, False)
    read_bundle(tmp_path / "b.zip")


def test_a_folder_with_an_endless_file_is_not_cleared_away(run: Path) -> None:
    (run / "run.json").write_text("{}")
    assert not has_race(run)
    sparse(run / HISTORY)
    assert has_race(run), "what cannot be read may be a race"


def test_a_line_as_long_as_the_limit_is_one_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"123\n12\r\n")
    assert [*read_lines(file, 4)] == [b"123\n", b"12\r\n"]
    with pytest.raises(OSError, match="has a line over 3 bytes"):
        [*read_lines(file, 3)]
