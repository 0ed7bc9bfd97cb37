"""Whole commands: exit status, what stands on stdout and stderr, and one sentence for each mistake."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from mailrace import __version__
from mailrace.report import from_json
from mailrace.scenario import shipped

from tests.cli.in_process import Here, scenario
from tests.running import mailrace
from tests.scripted_server import ScriptedServer

SHOWN = Path(__file__).with_name("shown")
STORE_ANEW = "MAILRACE_STORE_SHOWN"
"""Set it to 1 to store what the commands show now; then read the difference before it is committed."""


def masked(text: str) -> str:
    """Output without what differs from run to run: numbers, IDs, stamps, widths of columns.

    What a busy machine adds goes too: rounds whose releases it delayed, a line of progress after 5 s, and
    the server's log lines, which are read by another thread.
    """
    text = re.sub(r"\n  its log: .*\n.*", "", text)
    text = re.sub(r"\n\d+ rounds? could not be exercised.*", "", text)
    text = re.sub(r"\n.*(the releases spread over|round \d+ of \d+, (\d+ hits|hits \d+)).*", "", text)
    text = re.sub(r" \(\d+ more could not be looked at\)", "", text)
    text = re.sub(r"\n\d+ more of what was not looked at.*", "", text)
    text = re.sub(r"\b(?=\w*[A-Z0-9])(?=\w*[a-z])[0-9A-Za-z]{20,}\b", "ID", text)
    text = re.sub(r"\bmr[0-9a-z]{8,9}\b", "RUN", text)
    text = re.sub(r"\d{8}-\d{6}(-\d+)?", "STAMP", text)
    text = re.sub(r"\br\d{5}", "rN", text)
    text = re.sub(r"\d+(\.\d+)*", "N", text)
    return "".join(re.sub(r" {2,}", "  ", line).rstrip() + "\n" for line in text.splitlines())


def compare(name: str, shown: str) -> None:
    """Against the stored text of that name."""
    file = SHOWN / f"{name}.txt"
    if os.environ.get(STORE_ANEW):
        file.write_text(masked(shown), encoding="utf-8")
    assert masked(shown) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "words", "status"),
    [
        pytest.param(
            "race",
            ["no-rset-after-failure", "-t", "embedded@1.30.5", "--rounds", 3, "--no-control"],
            1,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "pass",
            ["no-rset-after-failure", "-t", "embedded", "--rounds", 90, "--until", "decided"],
            0,
            marks=pytest.mark.slow,
        ),
        ("inconclusive", ["distinct-tags", "-t", "embedded", "--rounds", 8, "--no-control"], 3),
        ("not-applicable", ["send-by-rest", "-t", "embedded@1.17.0", "--rounds", 2], 3),
        ("failed", ["distinct-tags", "-t", "http://127.0.0.1:1?smtp=127.0.0.1:1", "--rounds", 2], 4),
    ],
)
def test_a_run_shows_its_verdict_and_ends_with_its_status(
    name: str, words: list[object], status: int, tmp_path: Path
) -> None:
    done = mailrace("run", scenario(str(words[0])), *words[1:], "--seed", 3, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    compare(f"run-{name}", f"{done.stderr}--- on stdout:{done.stdout}")
    assert list((tmp_path / "tmp").iterdir()) == [], "a temporary file is left"
    if name == "failed":
        assert not (tmp_path / "reports").exists(), "a target that is not available leaves no folder"
        return
    latest = tmp_path / "reports" / "latest"
    assert {f.name for f in latest.iterdir()} >= {
        "plan.json",
        "run.json",
        "report.html",
        "report.md",
        "junit.xml",
    }


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "steer"])
def test_a_target_that_does_not_start_leaves_latest_to_the_run_before(command: str, tmp_path: Path) -> None:
    words = ["--seed", 3, *(["--rounds", 2, "--no-control"] if command == "run" else [])]
    first = mailrace(command, scenario("distinct-tags"), "-t", "embedded", *words, cwd=tmp_path)
    assert first.returncode in (0, 3), first.stderr
    latest = (tmp_path / "reports" / "latest").readlink()
    nothing = tmp_path / "nothing"
    nothing.write_text("#!/bin/sh\nexit 1\n")
    nothing.chmod(0o755)
    done = mailrace(command, scenario("distinct-tags"), "-t", f"mailpit:{nothing}", *words, cwd=tmp_path)
    assert done.returncode == 4
    assert (tmp_path / "reports" / "latest").readlink() == latest
    assert len([f for f in (tmp_path / "reports").iterdir() if f.is_dir() and not f.is_symlink()]) == 1


@pytest.mark.slow
def test_json_gives_the_document_on_stdout_and_nothing_else(tmp_path: Path) -> None:
    words = ["-t", "embedded@1.30.5", "--rounds", 2, "--no-control", "--json", "--out", "out", "--seed", 11]
    done = mailrace("run", scenario("no-rset-after-failure"), *words, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.strip() == (tmp_path / "out" / "run.json").read_text().strip()
    result = from_json(done.stdout)
    assert (result.verdict, result.seed, result.mailrace) == ("RACE", 11, __version__)
    assert result.command.startswith("mailrace run ")
    assert result.target.name == "embedded@1.30.5"


def test_quiet_says_the_verdict_only(tmp_path: Path) -> None:
    done = mailrace("run", scenario("distinct-tags"), "--rounds", 1, "--no-control", "-q", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, "INCONCLUSIVE\n", "")


@pytest.mark.slow
def test_of_several_scenarios_the_gravest_counts(here: Here) -> None:
    words = ["-t", "embedded@1.30.5", "--rounds", 2, "--no-control", "--json"]
    status, out, _ = here("run", scenario("no-rset-after-failure"), scenario("distinct-tags"), *words)
    assert status == 1
    assert [one["verdict"] for one in json.loads(out)["scenarios"]] == ["RACE", "INCONCLUSIVE"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "nowhere.race.yaml"], "no such file"),
        (["run", shipped(), "-k", "zzz"], "no scenario's name holds it"),
        (["run", shipped(), "--rounds", "many"], "--rounds"),
        (["run", shipped(), "--rounds", "0"], "--rounds"),
        (["run", shipped(), "--profile", "fast"], "--profile"),
        (["run", shipped(), "--cleanup", "maybe"], "--cleanup"),
        (["run", shipped(), "--confidence", "1"], "--confidence"),
        (["run", shipped(), "--nope"], "--nope"),
        (["run", shipped(), "-t", "postfix"], "no such kind of target"),
        (["run", shipped(), "-t", "embedded@9"], "embedded@9"),
        (["run", shipped(), "-t", "embedded@[/b]"], "embedded@[/b]"),
        (["run", shipped(), "-t", "http://127.0.0.1:8025"], "?smtp=127.0.0.1:1025"),
        (["run", shipped(), "-t", "http://me:secret@127.0.0.1:8025?smtp=h:1"], "MAILRACE_API_USER"),
        (["frobnicate"], "frobnicate"),
        (["check", "nowhere.race.yaml"], "no such file"),
        (["report", "nowhere"], "is no folder of a run"),
        (["report", "nowhere", "--format", "pdf"], "pdf is none of"),
        (["serve", "mailpit@1.30.5"], "only an embedded version"),
        (["install", "embedded"], "only mailpit@VERSION"),
        (["replay", "nowhere"], "nowhere"),
        (["steer", "nowhere.race.yaml"], "no such file"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(words: list[object], said: str, here: Here) -> None:
    status, out, err = here(*words)
    assert status == 2, err
    assert out == ""
    assert "Traceback" not in err
    assert "secret" not in err
    (last,) = [line for line in err.splitlines() if line.startswith(("mailrace: ", "Error: "))]
    assert said in last
    assert not Path("reports").exists(), "nothing was begun"


def test_wrong_files_are_told_all_at_once_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "a.race.yaml").write_text("name: a\ntitle: t\nactors:\n  - send: {cuont: 2}\nround: 3\n")
    (tmp_path / "b.race.yaml").write_text("name: b\n")
    done = mailrace("check", ".", cwd=tmp_path)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert any(re.match(r"a\.race\.yaml:4:12: .*did you mean count", line) for line in lines), lines
    assert any(re.match(r"a\.race\.yaml:5:1: .*did you mean rounds", line) for line in lines)
    assert any(line.startswith("b.race.yaml:") for line in lines)
    assert mailrace("run", "a.race.yaml", cwd=tmp_path).returncode == 2


def test_check_plan_schema_and_init_need_no_server(here: Here) -> None:
    assert "are right" in here("check", shipped())[1]
    words = ["plan", scenario("two-tag-sets"), "--seed", 5, "--rounds", 3]
    status, drawn, _ = here(*words)
    plan = json.loads(drawn)
    assert (status, plan["seed"]) == (0, 5)
    assert [r["index"] for r in plan["rounds"]] == [0, 1, 2]
    assert here(*words)[1] == drawn, "a plan is drawn with its seed"
    assert json.loads(here("schema")[1])["properties"]["actors"]
    made = Path("new/my.race.yaml")
    status, said, err = here("init", made)
    assert (status, err) == (0, "")
    assert "gate and matrix" not in said, "they look into scenarios/ only"
    assert "gate and matrix" in here("init")[1]
    assert here("check", made)[0] == 0
    before = made.read_text()
    status, _, err = here("init", made)
    assert status == 2
    assert "is there already" in err
    assert made.read_text() == before
    assert not Path("reports").exists()


def test_targets_and_doctor_say_what_is_here(tmp_path: Path) -> None:
    targets = mailrace("targets", cwd=tmp_path)
    doctor = mailrace("doctor", cwd=tmp_path)
    for done in (targets, doctor):
        assert (done.returncode, done.stderr) == (0, "")
        for name in ("embedded@fixed", "embedded@1.17.0", "embedded@1.30.5"):
            assert name in done.stdout
    assert "MAILRACE_MAILPIT_DIR" in doctor.stdout
    assert "CPUs" in doctor.stdout


def test_report_renders_a_run_again(here: Here) -> None:
    words = ["run", scenario("distinct-tags"), "--rounds", 2, "--no-control", "--out", "out"]
    assert here(*words)[0] == 3
    out = Path("out")
    document = (out / "run.json").read_text()
    for name in ("report.html", "report.md", "junit.xml"):
        (out / name).unlink()
    status, said, _ = here("report", out, "--format", "md,junit")
    assert status == 0
    assert said.splitlines()[-2:] == ["out/report.md", "out/junit.xml"]
    assert all((out / name).is_file() for name in ("report.md", "junit.xml"))
    assert not (out / "report.html").exists()
    assert (out / "run.json").read_text() == document
    assert here(*words)[0] == 2, "a folder that holds something is not written over"


@pytest.mark.parametrize(
    ("server", "status", "said"),
    [
        ({}, 3, "no control"),
        # What shows one after the other as well is a broken promise, and no race.
        ({"copies": 2}, 3, "duplicated"),
        ({"script": {"dot": b"451 no\r\n"}, "stores_refused": True}, 3, "rejected_but_stored"),
        ({"script": {"MAIL": b"421 bye\r\n"}}, 3, "nothing could be exercised"),
        ({"rest": lambda path: (200, b"<html>")}, 4, "is another program listening there"),
    ],
)
def test_a_server_that_is_not_ours(server: dict[str, Any], status: int, said: str, here: Here) -> None:
    with ScriptedServer(**server) as scripted:
        ended, out, err = here(
            "run", scenario("distinct-tags"), "-t", scripted.name, "--rounds", 3, "--no-control"
        )
    assert ended == status, err
    assert said in out + err
    assert "Traceback" not in err


def test_who_deletes_must_say_so_on_a_server_that_is_not_ours(here: Here) -> None:
    with ScriptedServer() as scripted:
        for name, more, said in (
            ("two-tag-sets", [], "--allow-deletions"),
            ("send-delete-all", [], "never done"),
            ("send-delete-all", ["--allow-deletions"], "never done"),
        ):
            status, out, err = here("run", scenario(name), "-t", scripted.name, "--rounds", 1, *more)
            assert status == 3, err
            assert said in out
        assert scripted.box.rows == [], "nothing was sent"
