"""What a stranger's folder leads to by a link is not read, shown, bundled or written as if it were in it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mailrace.history import RecordedPlan, write_plan
from mailrace.model.choices import Study
from mailrace.model.request import RunRequest
from mailrace.recorded import plan_of
from mailrace.report import render
from mailrace.scenario import load, shipped

from tests.report.report_results import native
from tests.running import mailrace

SECRET = "the secret of this machine"


def plan(study: Study) -> RecordedPlan:
    scenario = load(shipped() / "shared-new-tag.race.yaml")
    return plan_of([scenario], RunRequest.of("embedded@1.17.0"), study=study)[0]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The folder of a run of the user's own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    render(native(hits=2), folder, ("json",))
    write_plan(folder, plan("run"))
    (folder / "history.jsonl").touch()
    return folder


def test_a_run_behind_a_link_is_none_of_a_study_s(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    write_plan(tmp_path / "study", plan("gate"))
    (tmp_path / "study" / "new").symlink_to(mine)
    before = {path.name for path in mine.iterdir()}
    assert mailrace("bundle", "study", "-o", "b.zip", cwd=tmp_path).returncode == 2
    assert mailrace("report", "study", cwd=tmp_path).returncode == 0
    assert {path.name for path in mine.iterdir()} == before


@pytest.mark.parametrize("command", ["report", "bundle", "merge"])
@pytest.mark.parametrize(
    ("name", "said"),
    [("run.json", "is a link"), ("plan.json", "no plan.json (is a link)"), ("history.jsonl", "is a link")],
)
def test_a_file_behind_a_link_is_none_of_a_run_s(
    name: str, said: str, command: str, mine: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    write_plan(theirs, plan("run"))
    (theirs / name).unlink(missing_ok=True)
    (theirs / name).symlink_to(mine / name)
    before = {path.name for path in theirs.iterdir()}
    ended = mailrace(command, "theirs", cwd=tmp_path)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended
    assert {path.name for path in theirs.iterdir()} == before


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_run_behind_a_link_is_none_of_a_record_s(is_folder: bool, mine: Path, tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.mkdir()
    racing = {"verdict": "RACE", "why": "tag_lost", "file": "pair.race.yaml"}
    document = {"happened": [], "overlaps": [racing], "target": "embedded", "version": "1.30.5"}
    (record / "record.json").write_text(json.dumps(document))
    (record / "record.jsonl").touch()
    if is_folder:
        mine.rename(tmp_path / "pair.race")
        (record / "scenarios").symlink_to(tmp_path)
    else:
        (record / "scenarios").mkdir()
        (record / "scenarios" / "pair.race").symlink_to(mine)
    ended = mailrace("bundle", "record", cwd=tmp_path)
    assert (ended.returncode, "was not steered here" in ended.stderr) == (2, True), ended


@pytest.mark.slow
def test_a_survey_goes_on_through_no_link(tmp_path: Path) -> None:
    state, elsewhere, secret = tmp_path / "state", tmp_path / "elsewhere", tmp_path / "id_rsa"
    state.mkdir()
    elsewhere.mkdir()
    secret.write_text(SECRET)
    (state / "server.log").symlink_to(secret)
    (state / "causes").symlink_to(elsewhere)
    words = ("survey", "--only", "send", "--state", "state")
    ended = mailrace(*words, cwd=tmp_path)
    assert (ended.returncode, "state/causes: is a link" in ended.stderr) == (2, True), ended.stderr
    (state / "causes").unlink()
    ended = mailrace(*words, cwd=tmp_path)
    assert ended.returncode in (3, 4), ended
    assert "server.log: the server's log cannot be written" in ended.stderr + ended.stdout
    assert secret.read_text() == SECRET


def test_a_trial_that_is_none_is_told(mine: Path, tmp_path: Path) -> None:
    """Its own history is read beside its document, and each trial has one scenario."""
    (tmp_path / "study").mkdir()
    write_plan(tmp_path / "study", plan("retries"))
    run = mine.rename(tmp_path / "study" / "none-off")
    (run / "history.jsonl").write_text('{"kind":"run","lane":"","scenario":[]}\n')
    ended = mailrace("report", "study", cwd=tmp_path)
    assert (ended.returncode, "history.jsonl: is no history of a run" in ended.stderr) == (2, True), ended
    result = native(hits=2)
    render(replace(result, scenarios=result.scenarios * 2), run, ("json",))
    ended = mailrace("report", "study", cwd=tmp_path)
    assert (ended.returncode, "no trial of one scenario" in ended.stderr) == (2, True), ended
