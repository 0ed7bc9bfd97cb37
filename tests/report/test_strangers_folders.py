"""A stranger's folder brings links, pipes and commands of its own: none is followed, read or shown as one."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mailrace.campaign.kept import Kept
from mailrace.history import RecordedPlan, mail_of, write_plan
from mailrace.model.choices import Study
from mailrace.model.command_line import NOT_OURS, own_command
from mailrace.model.errors import UsageError
from mailrace.model.request import RunRequest
from mailrace.model.result import Verdict
from mailrace.report import FORMATS, bundle, from_json, render, to_json
from mailrace.report.trend import render_index
from mailrace.report.unbundle import read_bundle
from mailrace.studies.pairs import steer_overlaps, steered_before, steered_run
from mailrace.studies.survey.state import STATE, Header, State
from mailrace.studies.surveyed import surveyed_pairs
from mailrace.targets import parse_target

from tests.campaign.cells import cell
from tests.record.test_steered_pairs import two_sends
from tests.report.report_results import native
from tests.running import mailrace

BISECT = ("--good", "embedded@1.17.1", "--bad", "embedded@1.17.0")
SECRET = "the secret of this machine"
HEADER = Header(target="embedded@1.33.1", version="1.33.1", pairs=("a beside b",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run that hit, without its plan."""
    place = tmp_path / "run"
    place.mkdir()
    render(native(hits=2), place, ("json",))
    return place


def hidden(tmp_path: Path) -> Path:
    path = tmp_path / "id_rsa"
    path.write_text(SECRET)
    return path


@pytest.mark.parametrize("name", ["server.log", "history.jsonl", "plan.json", "shared-new-tag.race.yaml"])
def test_a_bundle_takes_in_nothing_that_stands_behind_a_link(name: str, folder: Path, tmp_path: Path) -> None:
    (folder / name).symlink_to(hidden(tmp_path))
    made = bundle(folder, tmp_path / "b.zip")
    assert SECRET.encode() not in b"".join(read_bundle(made).files.values())


@pytest.mark.parametrize(
    "plan",
    [
        "[" * 100_000,
        {"scenarios": {"name": "shared-new-tag"}},
        {"scenarios": [{"name": "shared-new-tag", "target": []}]},
        {"scenarios": [{"name": "shared-new-tag", "target": {"instances": "many"}}]},
        {"scenarios": [{"name": "shared-new-tag", "target": {"tags_disable": [1]}}]},
        {"scenarios": [{"name": "shared-new-tag", "mails": {"a": "../../id_rsa"}}]},
        {"scenarios": [{"name": "shared-new-tag", "title": "\ud800"}]},
    ],
    ids=["deep", "no list", "no options", "no number", "no tags", "a path", "no text"],
)
def test_a_plan_of_anybody_s_is_bundled_or_refused(plan: Any, folder: Path, tmp_path: Path) -> None:
    hidden(tmp_path)
    (folder / "plan.json").write_text(plan if isinstance(plan, str) else json.dumps(plan))
    try:
        made = bundle(folder, tmp_path / "b.zip")
    except UsageError:
        return
    assert SECRET.encode() not in b"".join(read_bundle(made).files.values())


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def deep(path: Path) -> None:
    path.write_text("[" * 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("make", [pipe, endless, deep])
@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("plan.json", ("report", "their"), "no plan.json"),
        ("plan.json", ("replay", "their"), "no plan.json"),
        ("plan.json", ("cleanup", "their", "-t", "http://127.0.0.1:9"), "no plan.json"),
        ("plan.json", ("report", "--index", "."), ""),
        ("baseline.yml", ("check", "shared-new-tag", "--baseline", "their/baseline.yml"), "baseline.yml"),
        ("state", ("bisect", "shared-new-tag", *BISECT, "--state", "their/state"), "holds no bisection"),
        ("record.json", ("bundle", "their"), "no overlap was steered"),
    ],
)
def test_what_never_ends_is_not_waited_for(
    name: str, words: tuple[str, ...], said: str, make: Callable[[Path], None], tmp_path: Path
) -> None:
    their = tmp_path / "their"
    their.mkdir()
    make(their / name)
    before = (their / name).lstat()
    if name == "record.json":
        (their / "record.jsonl").write_text("")
    done = mailrace(*words, cwd=tmp_path)
    assert done.returncode == (2 if said else 0), done.stderr
    assert said in done.stderr or (make is deep and "no JSON" in done.stderr)
    assert "Traceback" not in done.stderr
    if said:
        assert os.path.samestat(before, (their / name).lstat())


@pytest.mark.parametrize("make", [pipe, endless, deep])
def test_a_document_that_never_ends_tells_nothing(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILRACE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "run").mkdir()
    make(tmp_path / "run" / "survey.json")
    assert surveyed_pairs(tmp_path, parse_target("embedded@1.33.1")) == ()
    question = cell("distinct-tags")
    kept = Kept(tmp_path / "state", 3)
    make(tmp_path / "state" / f"{question.key}.json")
    assert kept.outcome(question) is None
    make(tmp_path / "record.json")
    assert (
        steered_before(replace(two_sends("1.30.5"), target="embedded"), tmp_path).overlaps[0].verdict
        != Verdict.RACE
    )


@pytest.mark.parametrize("make", [pipe, endless])
def test_a_mail_that_never_ends_is_none(make: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    make(tmp_path / "mails" / ("0" * 64))
    assert mail_of(tmp_path, "0" * 64) is None


EVIL = ("rm -rf ~", "mailrace replay x; id", "mailrace replay $(id)", "mailrace run\nid", "mailrace x | sh")


@pytest.mark.parametrize("text", EVIL)
def test_a_command_that_is_not_ours_is_shown_nowhere(text: str, folder: Path) -> None:
    document = json.loads(to_json(native(hits=2)))
    document["command"] = text
    for witness in document["scenarios"][0]["witnesses"]:
        witness["replay"] = text
    (folder / "run.json").write_text(json.dumps(document))
    ended = mailrace("report", "run", "--format", ",".join(FORMATS), cwd=folder.parent)
    for shown in (ended.stdout, *((folder / name).read_text() for name, _ in FORMATS.values())):
        assert text not in shown
    assert NOT_OURS in ended.stdout


OURS = ("", "mailrace", "mailrace run 'a b' --rounds 3", "pytest x '--mail-target=http://h:1?smtp=h:2'")


@pytest.mark.parametrize("text", OURS)
def test_a_command_of_ours_stays_as_it_is(text: str) -> None:
    assert own_command(text) == text
    assert from_json(to_json(replace(native(hits=2), command=text))).command == text


@pytest.mark.parametrize(
    "make",
    [
        lambda state, other: state.symlink_to(other),
        lambda state, other: state.write_text(other.read_text()),
        lambda state, other: state.write_text('{"mine": 1'),
        lambda state, other: os.mkfifo(state),
        lambda state, other: state.mkdir(),
    ],
    ids=["link", "no line end", "another's", "pipe", "folder"],
)
def test_a_state_that_is_no_survey_s_is_left_as_it_is(
    make: Callable[[Path, Path], object], tmp_path: Path
) -> None:
    other, state = hidden(tmp_path), tmp_path / "state" / STATE
    state.parent.mkdir()
    make(state, other)
    before = state.read_text() if state.is_file() else ""
    with pytest.raises(UsageError, match="name another folder with --state"):
        State(state.parent, HEADER)
    assert other.read_text() == SECRET
    assert before == (state.read_text() if state.is_file() else "")


@pytest.mark.parametrize("name", ["plan.json", "run.json", "record.jsonl"])
def test_a_survey_goes_on_in_no_folder_of_a_run_or_a_record(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(
        UsageError, match=f"holds something else \\({name}\\); name another folder with --state"
    ):
        State(tmp_path, HEADER)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_no_folder_of_reports_is_told_as_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nope: is no folder of reports"):
        render_index(tmp_path / "nope")


@pytest.mark.parametrize("length", [1, 12, 30])
def test_a_state_that_was_cut_off_in_its_first_line_is_begun_anew(length: int, tmp_path: Path) -> None:
    State(tmp_path, HEADER)
    whole = (tmp_path / STATE).read_bytes()
    (tmp_path / STATE).write_bytes(whole[:length])
    State(tmp_path, HEADER)
    assert (tmp_path / STATE).read_bytes() == whole


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_record_s_scenarios_are_not_written_through_a_link(
    is_folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILRACE_CACHE_DIR", str(tmp_path / "cache"))
    record, elsewhere = tmp_path / "record", tmp_path / "elsewhere"
    record.mkdir()
    elsewhere.mkdir()
    found, target = two_sends("1.30.5"), parse_target("mailpit@1.30.5")
    if is_folder:
        (record / "scenarios").symlink_to(elsewhere)
        with pytest.raises(UsageError, match="is a link"):
            steer_overlaps(found, target, record, 0.0, print)
    else:
        (record / "scenarios").mkdir()
        for one in found.overlaps:
            (record / "scenarios" / one.file).symlink_to(hidden(elsewhere))
        steer_overlaps(found, target, record, 0.0, print)
        assert (elsewhere / "id_rsa").read_text() == SECRET
    assert [path.name for path in elsewhere.iterdir()] == ([] if is_folder else ["id_rsa"])


def test_a_command_of_ours_quotes_a_stranger_s_file_name(tmp_path: Path) -> None:
    racing = {"verdict": "RACE", "why": "tag_lost", "file": "x; rm -rf ~ #.race.yaml"}
    document = {"happened": [], "overlaps": [racing], "target": "embedded", "version": "1.30.5"}
    (tmp_path / "record.json").write_text(json.dumps(document))
    with pytest.raises(
        UsageError, match=r"mailrace steer '[^']*/scenarios/x; rm -rf ~ #\.race\.yaml' --target"
    ):
        steered_run(tmp_path)


@pytest.mark.parametrize("study", ["retries", "matrix", "gate", "bisect"])
def test_a_study_whose_plan_names_no_scenario_is_reported_by_its_runs(study: Study, tmp_path: Path) -> None:
    plan = RecordedPlan(
        mailrace="1",
        study=study,
        started="",
        run="",
        request=RunRequest.of("embedded@1.17.0"),
        targets=(parse_target("embedded@1.17.0"),),
        scenarios=(),
    )
    run = tmp_path / "study" / "none-off"
    run.mkdir(parents=True)
    write_plan(tmp_path / "study", plan)
    write_plan(run, replace(plan, study="run"))
    render(native(hits=2), run, ("json",))
    ended = mailrace("report", "study", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "RACE" in ended.stdout
