"""Names on the command line that cannot be used: a sentence before anything is begun, nothing replaced."""

import json
import os
import zipfile
from pathlib import Path

import pytest
from mailrace.history import write_whole
from mailrace.model.errors import OutputError
from mailrace.record.recorder import Recorder, begun
from mailrace.report import render
from mailrace.report.unbundle import sha256

from tests.cli.in_process import Here
from tests.report.report_results import native

GATE = ("gate", "shared-new-tag", "--from", "embedded@1.17.1", "--to", "embedded@1.17.0")
BISECT = ("--good", "embedded@1.17.1", "--bad", "embedded@1.17.0")


@pytest.fixture(autouse=True)
def names(tmp_path: Path) -> None:
    """A folder, a file and a pipe, by what they are."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    os.mkfifo(tmp_path / "pipe")


@pytest.mark.parametrize("place", ["folder", "nowhere/b.yaml", "file/b.yaml", "pipe"])
def test_a_gate_whose_baseline_could_not_be_written_is_not_begun(
    place: str, here: Here, tmp_path: Path
) -> None:
    status, _, err = here(*GATE, "--write-baseline", place)
    assert status == 2
    assert err.startswith(f"mailrace: --write-baseline {place}: no file can be there (")
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("is_link", [True, False])
def test_what_is_written_takes_no_device_s_and_no_pipe_s_place(is_link: bool, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    link.symlink_to(pipe)
    if is_link:
        write_whole(link, b"new")  # a link of that name is what is replaced, and not what it leads to
        assert link.read_bytes() == b"new"
    else:
        with pytest.raises(OutputError, match="is a device or a pipe"):
            write_whole(pipe, b"new")
    assert pipe.is_fifo()


def test_a_bundle_takes_no_pipe_s_place(here: Here, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    render(native(hits=2), tmp_path / "run", ("json",))
    status, _, err = here("bundle", "run", "-o", "pipe")
    assert (status, (tmp_path / "pipe").is_fifo()) == (2, True)
    assert "mailrace: --out pipe: no file can be there (is a device or a pipe, and no file)" in err


@pytest.mark.parametrize("place", ["folder", "file/b.zip", "nowhere/b.zip", "n" * 300, "/proc/b.zip", ""])
def test_a_bundle_that_could_not_be_written_is_not_begun(place: str, here: Here, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    render(native(hits=2), tmp_path / "run", ("json",))
    status, _, err = here("bundle", "run", "-o", place)
    assert (status, err.startswith("mailrace: --out ")) == (2, True), err
    assert "no file can be there (" in err
    assert "replaced" not in err


@pytest.mark.parametrize("place", ["file", "file/below", "pipe"])
def test_a_state_that_cannot_be_a_folder_is_told(place: str, here: Here, tmp_path: Path) -> None:
    status, _, err = here("survey", "--only", "send", "--state", place)
    assert status == 2
    assert err.count("\n") < 10
    assert f"mailrace: {place}: " in err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_campaign_s_state_below_a_file_is_told(here: Here) -> None:
    pytest.importorskip("distributed")
    status, _, err = here("run", "distinct-tags", "--workers", 1, "--state", "file/below")
    assert status == 2
    assert "mailrace: file/below: cannot be made (Not a directory); name another with --state" in err


@pytest.mark.parametrize("place", ["file/below.json", "n" * 300, "/proc/state.json"])
def test_a_bisection_whose_state_could_not_be_kept_is_not_begun(
    place: str, here: Here, tmp_path: Path
) -> None:
    status, _, err = here("bisect", "distinct-tags", *BISECT, "--state", place)
    assert status == 2, err
    assert "with --state" in err or f"--state {place}: no file can be there" in err
    assert not (tmp_path / "reports" / "latest").exists()


@pytest.mark.parametrize("words", [("retries", "shipped"), ("bisect", "shipped", *BISECT), ("retries", ".")])
def test_of_several_scenarios_none_is_looked_at_unsaid(
    words: tuple[str, ...], here: Here, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        assert here("init", f"{name}.race.yaml")[0] == 0
    status, _, err = here(*words)
    assert status == 2
    assert "and one is looked at; name it: " in err
    assert not (tmp_path / "reports").exists()


def test_init_is_given_a_name_and_shows_it_as_text(here: Here) -> None:
    status, _, err = here("init", "")
    assert (status, err) == (2, "mailrace: .: scenario files end in .race.yaml; name it my.race.yaml\n")
    status, out, _ = here("init", "a \x1b[31m.race.yaml")
    assert status == 0
    assert out.startswith("a \\x1b[31m.race.yaml written; try: mailrace run 'a \\x1b[31m.race.yaml'\n")
    assert here("init", "\udcff.race.yaml")[0] == 0, "Linux names are bytes, and these are no text"
    for place in ("file/a.race.yaml", "/proc/a.race.yaml"):
        assert here("init", place)[0] == 2


def test_a_verdict_does_not_hang_on_the_page_over_all_runs(here: Here, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    os.mkfifo(tmp_path / "reports" / "index.html")
    status, out, err = here("steer", "shared-new-tag", "-t", "embedded@1.17.0", "--budget", 20)
    assert (status, "RACE" in out) == (1, True)
    assert "reports/index.html: cannot be written (is a device or a pipe, and no file)" in err


def test_a_record_whose_first_line_cannot_be_written_is_not_begun(tmp_path: Path) -> None:
    (tmp_path / "record.jsonl").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left on device"):
        Recorder((), tmp_path, begun("embedded", "fixed"))


@pytest.mark.parametrize(
    "place", ["127.0.0.1:\u00b2", "\u202e:0", "a..b:0", "127.0.0.1:" + "9" * 5_000, ":0"]
)
def test_a_place_to_listen_at_that_is_none_is_told_before_anything_starts(
    place: str, here: Here, tmp_path: Path
) -> None:
    status, _, err = here("record", "--smtp", place, "--", "true")
    assert status == 2
    assert "wanted HOST:PORT, such as 127.0.0.1:2025" in err
    assert not (tmp_path / "reports").exists()


def test_a_merge_without_a_plan_leaves_no_folder(here: Here, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    render(native(hits=2), tmp_path / "run", ("json",))
    status, _, err = here("merge", "run", "--out", "merged")
    assert status == 2
    assert "no plan.json" in err
    assert not (tmp_path / "merged").exists()


def test_a_mistake_in_a_bundle_is_told_of_the_bundle(here: Here, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    render(native(hits=2), tmp_path / "run", ("json",))
    assert here("bundle", "run", "-o", "whole.zip")[0] == 0
    with zipfile.ZipFile("whole.zip") as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    for plan, said in (
        (None, "b.zip: no plan.json"),
        (b"[" * 50_000, "b.zip/plan.json: no JSON (it is nested"),
    ):
        held = {**files, **({"plan.json": plan} if plan else {})}
        manifest = json.loads(files["manifest.json"])
        if plan:
            manifest["files"]["plan.json"] = {"sha256": sha256(plan)}
        with zipfile.ZipFile("b.zip", "w") as archive:
            for name, content in {**held, "manifest.json": json.dumps(manifest).encode()}.items():
                archive.writestr(name, content)
        status, _, err = here("replay", "b.zip", "-t", "embedded")
        assert status == 2
        assert err.startswith(f"mailrace: {said}")


@pytest.mark.parametrize("other", ["out", "state"])
def test_a_survey_has_one_folder(other: str, here: Here, tmp_path: Path) -> None:
    status, _, err = here("survey", "--only", "send", "--state", "state", "--out", other)
    assert (status, err.startswith("mailrace: --out: with --state the survey is written into ")) == (2, True)
    assert not (tmp_path / "state").exists()
