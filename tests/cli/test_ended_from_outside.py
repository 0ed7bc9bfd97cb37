"""Signals, and surroundings that are gone or were never there: a status and a sentence, no bug of ours."""

import signal
import socket
import subprocess
from pathlib import Path

import pytest
from mailrace.model.errors import Interrupted
from mailrace.report import render

from tests.cli.in_process import Here
from tests.report.report_results import native
from tests.running import COMMAND, environment


def command(script: str, *words: str, cwd: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    """The command with these words, started by a shell that has run this script before."""
    given = environment(cwd, **changed)
    return subprocess.run(
        ["/bin/sh", "-c", f'{script} exec "$@"', "sh", *COMMAND, *words],
        cwd=cwd,
        env={name: value for name, value in given.items() if value != GONE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


GONE = "gone"
"""A variable that is not there."""


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("when", ["command", "_say_what_there_is"])
def test_an_interruption_has_its_status_whenever_it_comes(
    when: str, here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a command has begun, and once more while is said what an interrupted one had found."""

    def ended() -> None:
        raise Interrupted(tmp_path)

    monkeypatch.setattr("mailrace.cli.command", lambda: lambda **_: ended())
    monkeypatch.setattr(f"mailrace.cli.{when}", interrupted)
    assert here("run") == (130, "", "")


def test_a_bug_of_ours_quotes_a_stranger_s_text_as_text(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(**_: object) -> None:
        raise ValueError("\x1b[31m\n::error::x")

    monkeypatch.setattr("mailrace.cli.command", lambda: buggy)
    status, _, err = here("run")
    assert (status, "a bug of mailrace" in err, "Traceback" in err) == (4, True, True)
    assert "\x1b" not in err
    assert "\n::error" not in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "suite", "status"),
    [
        ("", "kill -HUP $PPID; exec sleep 60", 128 + signal.SIGHUP),
        ("trap '' HUP;", "kill -HUP $PPID; exit 7", 7),
    ],
    ids=["terminal gone", "nohup"],
)
def test_a_terminal_that_is_gone_ends_the_suite_and_the_record_stays(
    script: str, suite: str, status: int, tmp_path: Path
) -> None:
    words = ("record", "-t", "embedded", "--minutes", "0", "--out", "r", "--", "sh", "-c", suite)
    done = command(script, *words, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert (tmp_path / "r" / "record.json").is_file()


@pytest.mark.parametrize("words", [("run", "distinct-tags"), ("plan", "distinct-tags"), ("merge", "x", "y")])
def test_a_folder_that_is_gone_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = command("cd gone; rmdir ../gone;", *words, cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert done.stderr.endswith("is gone; call it in another\n") or words[0] == "merge"


@pytest.mark.slow
def test_a_user_without_a_home_folder_is_served(tmp_path: Path) -> None:
    """As in a container whose user is a mere number: no name, and no HOME."""
    (tmp_path / "sitecustomize.py").write_text(
        "import pwd\n\ndef none(_):\n    raise KeyError\n\npwd.getpwuid = none\n"
    )
    here = {"HOME": GONE, "MAILRACE_CACHE_DIR": GONE, "XDG_CACHE_HOME": GONE, "PYTHONPATH": str(tmp_path)}
    (tmp_path / "run").mkdir()
    render(native(hits=2), tmp_path / "run", ("json",))
    for words, status in (
        (("targets",), 0),
        (("doctor",), 0),
        (("bundle", "run"), 0),
        (("record", "-t", "embedded", "--minutes", "0", "--", "true"), 3),
        (("run", "distinct-tags", "-t", "http://127.0.0.1:9?smtp=127.0.0.1:9"), 4),
        (("run", "distinct-tags", "-t", "mailpit:~nobody-at-all/mailpit"), 4),
    ):
        done = command("", *words, cwd=tmp_path, **here)
        assert done.returncode == status, (words, done.stderr)
        assert "Traceback" not in done.stderr
    done = command("", "install", "mailpit@1.30.5", cwd=tmp_path, **here)
    assert done.returncode == 4
    assert "set MAILRACE_CACHE_DIR to a folder that can be written" in done.stderr


@pytest.mark.slow
def test_a_port_that_is_taken_is_no_race(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = command("", "serve", "--smtp", place, "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert done.returncode == 4
    assert "address already in use" in done.stdout + done.stderr
