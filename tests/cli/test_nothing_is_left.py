"""However the command ends, no process and no temporary file is left, and the folder has what there was."""

import json
import re
import signal
import socket
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from mailrace.scenario import shipped

from tests.running import Running, mailrace, wait_until

SCENARIO = shipped() / "shared-new-tag.race.yaml"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_an_ended_run_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "out"
    history = out / "history.jsonl"
    words = ["run", SCENARIO, "-t", "embedded", "--rounds", 50_000, "--out", out]
    with Running(*words, cwd=tmp_path) as running:
        wait_until(lambda: history.is_file() and '"kind":"stored"' in history.read_text())
        family = running.family()
        # Its two servers, and what watches over them should it be killed.
        assert len(family) >= 2
        assert list(running.temporary.iterdir()), "its servers have their files there"
        running.process.send_signal(number)
        status = running.process.wait(20)
        assert not running.left(family)
        wait_until(lambda: not list(running.temporary.iterdir()))
    assert status == (130 if number != signal.SIGKILL else -9)
    assert "Traceback" not in running.err.read_text()
    assert running.out.read_text() == ""
    assert json.loads((out / "plan.json").read_text())["target"] == "embedded@fixed"
    again = mailrace("report", out, cwd=tmp_path)
    assert again.returncode == 0
    assert json.loads((out / "run.json").read_text())["cut_off"] is True


def test_a_run_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    done = mailrace("run", SCENARIO, "-t", "mailpit:/bin/true", "--rounds", 1, cwd=tmp_path)
    assert done.returncode == 4
    assert "is it another program?" in done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_and_ends(number: signal.Signals, tmp_path: Path) -> None:
    words = ["serve", "embedded@1.17.0", "--smtp", "127.0.0.1:0", "--listen", "127.0.0.1:0"]
    with Running(*words, cwd=tmp_path) as running:
        wait_until(lambda: "[http] accessible via" in running.out.read_text() + running.err.read_text())
        log = running.out.read_text() + running.err.read_text()
        smtp = re.search(r"\[smtpd\] starting on 127\.0\.0\.1:(\d+)", log)
        rest = re.search(r"accessible via (http://127\.0\.0\.1:\d+/)", log)
        assert smtp is not None
        assert rest is not None
        with socket.create_connection(("127.0.0.1", int(smtp[1])), 5) as link:
            assert link.recv(1_000).startswith(b"220 ")
            link.sendall(b"QUIT\r\n")
        with urlopen(rest[1] + "api/v1/info", timeout=5) as answer:
            # The embedded reference says which version it stands for.
            assert json.load(answer)["Version"] == "v1.17.0"
        family = [psutil.Process(running.process.pid), *running.family()]
        running.process.send_signal(number)
        running.process.wait(20)
        assert not running.left(family)
    assert list(running.temporary.iterdir()) == []
    assert "Traceback" not in running.err.read_text()
