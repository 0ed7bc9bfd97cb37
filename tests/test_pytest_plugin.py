"""The pytest plugin in a project of a user's own: scenario files as tests, the fixtures, and `-n 2`."""

import json
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from mailrace.model.errors import TargetError
from mailrace.pytest_plugin import ScenarioItem
from mailrace.scenario import shipped

pytestmark = pytest.mark.slow

pytest_plugins = ["pytester"]

LEAK = (shipped() / "no-rset-after-failure.race.yaml").read_text().replace("rounds: 100", "rounds: 22")
# Two senders of their own messages, which every version serves; what fires beside them, always, is the leak.
# 21 pairs are wanted, for four verdicts share the confidence: a busy machine may delay the releases of half
# of the 34.
CLEAN = """
name: clean
title: Two senders that share nothing
actors:
  - send: {count: 2, tags: ["{run}-{round}-{sender}"]}
rounds: 34
"""
FILES = {
    "leak.race.yaml": LEAK,
    "clean.race.yaml": CLEAN + "controls: [{scenario: no-rset-after-failure}]\n",
    "open.race.yaml": CLEAN.replace("name: clean", "name: open"),
    "later.race.yaml": CLEAN.replace("name: clean", "name: later") + 'needs: ">=9.0.0"\n',
}


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with one scenario of each outcome on embedded@1.30.5."""
    monkeypatch.delenv("MAILRACE_TARGET", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    folder = pytester.mkdir("scenarios")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return pytester


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_each_scenario_is_a_test_with_its_outcome(project: pytest.Pytester, workers: int) -> None:
    many = ["-n", str(workers)] if workers else []
    done = project.runpytest_subprocess("scenarios", "--mail-target=embedded@1.30.5", "-rs", "-v", *many)
    done.assert_outcomes(passed=1, failed=2, skipped=1)
    text = done.stdout.str()
    for name, outcome in (("clean", "PASSED"), ("leak", "FAILED"), ("open", "FAILED"), ("later", "SKIPPED")):
        assert any(f"{name}.race.yaml::{name}" in line and outcome in line for line in done.outlines), name
    assert "no-rset-after-failure: RACE: 22 of 22 rounds hit" in text
    assert "envelope_leaked, round " in text, "the proof"
    assert "again: mailrace replay " in text, "the command that replays it"
    assert "open: INCONCLUSIVE: no hit in" in text
    assert "it needs Mailpit >=9.0.0, and this is 1.30.5" in text
    assert "Traceback" not in text
    assert "def runtest" not in text, "a failure shows what the server did, not our stack"
    folders = [f for f in (project.path / "reports").iterdir() if f.is_dir() and not f.is_symlink()]
    assert len(folders) == 4
    rules = [json.loads((f / "run.json").read_text())["rule"] for f in folders]
    assert {rule["verdicts"] for rule in rules} == {4}, "the session is one question"


def test_without_a_target_no_scenario_is_collected(project: pytest.Pytester) -> None:
    done = project.runpytest_inprocess("scenarios", "--co")
    assert done.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    done = project.runpytest_inprocess("scenarios", "--co", "-q", "--mail-target=embedded")
    assert [line for line in done.outlines if "::" in line] == [
        f"scenarios/{name}.race.yaml::{name}" for name in ("clean", "later", "leak", "open")
    ]


def test_the_target_may_come_from_the_environment(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILRACE_TARGET", "embedded")
    words = ["scenarios/clean.race.yaml", "--mail-rounds=2", "--mail-seed=77"]
    project.runpytest_inprocess(*words).assert_outcomes(failed=1)
    document = json.loads((project.path / "reports/latest/run.json").read_text())
    assert (document["target"]["name"], document["seed"]) == ("embedded@fixed", 77)
    (one,) = document["scenarios"]
    assert one["rounds"] + one["rounds_lost"] == 2


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("name: x\ntitle: t\nactors:\n  - send: {cuont: 2}\n", [], "x.race.yaml:4:12: actors.0.send.cuont"),
        (CLEAN, ["--mail-target=postfix"], "no such kind of target"),
    ],
)
def test_a_mistake_of_the_user_is_a_sentence(
    pytester: pytest.Pytester, text: str, words: list[str], said: str
) -> None:
    (pytester.path / "x.race.yaml").write_text(text)
    done = pytester.runpytest_inprocess("x.race.yaml", "--mail-target=embedded", *words)
    done.assert_outcomes(failed=1)
    assert said in done.stdout.str()
    assert "Traceback" not in done.stdout.str()
    assert "harness/" not in done.stdout.str()


def test_a_text_of_a_server_s_is_no_command_to_a_terminal_and_to_a_ci_job() -> None:
    raised = SimpleNamespace(value=TargetError("it says \x1b[31m\n::error::x"))
    said = ScenarioItem.repr_failure(None, raised)  # type: ignore[arg-type]
    assert said == "it says \\x1b[31m\n\\x3a:error::x"


OWN_TESTS = """
import os, smtplib
from pathlib import Path
from types import SimpleNamespace
import pytest
from mailrace.targets import Api

@pytest.mark.parametrize("number", [1, 2])
def test_mine(mail_target, number):
    host, port = mail_target.addresses.smtp_host, mail_target.addresses.smtp_port
    with smtplib.SMTP(host, port) as client:
        client.sendmail("a@x.test", ["b@x.test"], b"From: a@x.test\\r\\nSubject: mine\\r\\n\\r\\nhello\\r\\n")
    (one,) = mail_target.stored("x.test").messages
    assert one.sender == "a@x.test"
    Path(f"pid-{number}-{mail_target.pid()}").touch()

def test_race_by_file(race):
    result = race(Path("scenarios/leak.race.yaml"), target="embedded@1.30.5", rounds=2)
    assert (result.verdict, result.hits) == ("RACE", 2)

def test_race_by_mapping(race):
    result = race({"name": "m", "title": "t", "actors": [{"send": {"count": 2}}]}, rounds=2, control=False)
    assert result.verdict == "INCONCLUSIVE"
    assert result.anomalies == {}
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_tests_of_one_s_own_have_a_server_each(project: pytest.Pytester, workers: int) -> None:
    project.makepyfile(test_own=OWN_TESTS.replace("from mailrace.targets import Api\n", ""))
    many = ["-n", str(workers)] if workers else []
    done = project.runpytest_subprocess("test_own.py", "-W", "error", *many)
    done.assert_outcomes(passed=4)
    pids = [int(Path(name).name.rpartition("-")[2]) for name in project.path.glob("pid-*")]
    assert len(set(pids)) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids), "a server is left"
    rules = [json.loads(file.read_text())["rule"] for file in project.path.glob("reports/2*/run.json")]
    assert [rule["verdicts"] for rule in rules] == [2, 2], "two tests race, whatever their scenarios"


@pytest.mark.slow
def test_the_message_file_of_a_mapping_stands_in_the_rootdir(project: pytest.Pytester) -> None:
    (project.path / "mail").mkdir()
    (project.path / "mail" / "own.eml").write_bytes(b"Subject: own\nX-Tags: team\n\nhello\n")
    project.makepyfile(
        """
        def test_it(race):
            send = {"count": 2, "file": "mail/own.eml"}
            result = race({"name": "m", "actors": [{"send": send}]}, rounds=2, control=False)
            # A busy machine may spoil a round: that counts as lost, and says nothing of the file.
            assert result.rounds + result.rounds_lost == 2
            assert any("each round's own" in said for said in result.not_looked), result.not_looked
        """
    )
    project.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


@pytest.mark.slow
def test_scenarios_can_be_steered(project: pytest.Pytester) -> None:
    (project.path / "s.race.yaml").write_text((shipped() / "shared-new-tag.race.yaml").read_text())
    for target, outcome in (("embedded@1.17.0", "failed"), ("embedded", "passed")):
        done = project.runpytest_subprocess("s.race.yaml", f"--mail-target={target}", "--mail-mode=steer")
        done.assert_outcomes(**{outcome: 1})


@pytest.mark.parametrize("option", ["--mail-rounds=0", "--mail-rounds=nan", "--mail-seed=-1"])
def test_a_number_that_cannot_be_meant_is_refused(project: pytest.Pytester, option: str) -> None:
    done = project.runpytest_inprocess("scenarios", "--mail-target=embedded@1.30.5", option)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*argument {option.partition('=')[0]}: *"])


def test_the_fixture_refuses_what_the_options_refuse(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        from mailrace.model.errors import UsageError

        WRONG = {"rounds": 0, "confidence": 1.5, "theta": float("nan"), "until": "x"}

        @pytest.mark.parametrize("name", WRONG)
        def test_it(race, name):
            with pytest.raises(UsageError, match=rf"^race\\({name}="):
                race("scenarios/clean.race.yaml", **{name: WRONG[name]})
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=4)
