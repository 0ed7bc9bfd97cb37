"""Nobody, or another program, at one of the two ports: a sentence that names what answered."""

import json
import socket
import threading
from pathlib import Path

import pytest
from mailrace.model.result import Verdict
from mailrace.verdict import exit_status

from tests.race.raced_here import raced
from tests.scripted_box import HANG, Answer, cut
from tests.scripted_server import ScriptedServer

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def no_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def failed(target: str, tmp_path: Path) -> str:
    """The reason of a scenario that could not even begin."""
    result, rounds = raced(target, tmp_path)
    assert result.verdict is Verdict.FAILED
    assert exit_status([result.verdict]) == 4
    assert rounds == []
    assert "Traceback" not in result.reason
    return result.reason


def test_nobody_listens(tmp_path: Path) -> None:
    assert "no SMTP on" in failed(f"http://127.0.0.1:{no_port()}?smtp=127.0.0.1:{no_port()}", tmp_path)
    with ScriptedServer() as server:
        smtp = server.name.partition("?")[2]
        (tmp_path / "b").mkdir()
        reason = failed(f"http://127.0.0.1:{no_port()}?{smtp}", tmp_path / "b")
    assert "connection refused" in reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [(HANG, "no greeting"), (b"SSH-2.0-OpenSSH\r\n", "no SMTP greeting"), (cut(b""), "no SMTP greeting")],
)
def test_another_program_on_the_smtp_port(said: bytes | Answer, reason: str, tmp_path: Path) -> None:
    with ScriptedServer({"greeting": said}, sessions_good=0) as server:
        assert reason in failed(server.name, tmp_path)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, b"<html>It works!</html>"), "it is not JSON"),
        ((200, b'{"total": 3, "mess'), "it is not JSON"),
        ((200, b'{"total": 3, "messages": "three"}'), "answered, but not as Mailpit does"),
        ((404, b"404 page not found"), "404"),
        ((401, b"who are you?"), "MAILRACE_API_USER"),
        ((500, b"the database is gone"), "the database is gone"),
    ],
)
def test_another_program_on_the_rest_port(answer: tuple[int, bytes], reason: str, tmp_path: Path) -> None:
    with ScriptedServer(rest=lambda path: answer) as server:
        assert reason in failed(server.name, tmp_path)


def test_a_rest_side_that_does_not_answer_in_time(tmp_path: Path) -> None:
    over = threading.Event()

    def slow(path: str) -> None:
        over.wait(20)

    with ScriptedServer(rest=slow) as server:
        reason = failed(server.name, tmp_path)
        over.set()
    assert "no answer within 0.6 s" in reason


@pytest.mark.parametrize("chance", [10**400, float("nan"), 1e308, -1, "many", 20])
def test_a_server_that_tells_of_any_chance_is_raced(chance: object, tmp_path: Path) -> None:
    told = {
        "/api/v1/webui": {"ChaosEnabled": True},
        "/api/v1/chaos": {"Sender": {"ErrorCode": 451, "Probability": chance}},
    }

    def answered(path: str) -> tuple[int, bytes] | None:
        return (200, json.dumps(told[path]).encode()) if path in told else None

    with ScriptedServer(rest=answered) as server:
        result, rounds = raced(server.name, tmp_path)
    assert len(rounds) > 0
    assert any("--enable-chaos: Sender 451 in 20 %" in said for said in result.not_looked) == (chance == 20)
