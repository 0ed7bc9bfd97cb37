"""The same 160 steps and more with a server alone, and with one behind the recorder: equal answers."""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mailrace.history import RECORD
from mailrace.model.operation import ServerOptions
from mailrace.model.target import api_address
from mailrace.record.file import read_record
from mailrace.record.recorded import Ended, NotSeen, Recorded
from mailrace.studies.recording import Recording, RecordRequest
from mailrace.targets import open_target, parse_target

from tests.embedded.conversation import LIMIT_S, Pop3, Speaker, Step
from tests.embedded.conversation_steps import SMTP_STEPS, STEPS

WEB_SOCKET = (
    b"GET /api/events HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
LOGIN = ("USER mailrace", "PASS recorded")
POP3_STEPS = (
    Pop3("before a login", ("CAPA", "STAT", "LIST", "NOOP", "QUIT")),
    Pop3("a wrong login", ("USER mailrace", "PASS wrong", "STAT", "QUIT")),
    Pop3("what there is", (*LOGIN, "STAT", "LIST", "LIST 1", "UIDL", "UIDL 2", "NOOP", "QUIT")),
    Pop3("two mails, one in part", (*LOGIN, "RETR 1", "TOP 2 1", "RETR 3", "QUIT")),
    Pop3("what there is not", (*LOGIN, "RETR 999", "DELE x", "LIST 0", "NONSENSE", "QUIT")),
    Pop3("a deletion taken back", (*LOGIN, "DELE 1", "DELE 1", "RETR 1", "RSET", "STAT", "QUIT")),
    Pop3("two deletions", (*LOGIN, "UIDL", "DELE 2", "DELE 4", "QUIT")),
    Pop3("what is left", (*LOGIN, "STAT", "UIDL", "QUIT")),
)
"""Of the real server: the reference has no POP3."""


@contextmanager
def plain(name: str, folder: Path) -> Iterator[Speaker]:
    """A server of its own, spoken to directly; the real one with POP3."""
    folder.mkdir()
    (folder / "login").write_text("mailrace:recorded\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    flags = ("--pop3", f"127.0.0.1:{port}", "--pop3-auth-file", str(folder / "login"))
    options = ServerOptions(extra=flags if name.startswith("mailpit") else ())
    target = open_target(name, options, folder=folder)
    try:
        target.start()
        at = target.addresses
        yield Speaker((at.smtp_host, at.smtp_port), at.api, ("127.0.0.1", port))
    finally:
        target.stop()


@contextmanager
def recorded(name: str, folder: Path) -> Iterator[Speaker]:
    """The same behind the recorder, as `mailrace record` starts it."""
    recording = Recording(RecordRequest(target=parse_target(name)), folder)
    try:
        recording.start()
        at = recording.places
        pop3 = (at.get("pop3_host", ""), int(at.get("pop3_port", 0)))
        yield Speaker((at["smtp_host"], int(at["smtp_port"])), at["http"], pop3)
        recording.finish()
    finally:
        recording.close()


def greeted_by_web_socket(api: str) -> list[bytes]:
    """The lines of the reply to a web socket's request, without its date, in any order."""
    with socket.create_connection(api_address(api), LIMIT_S) as link, link.makefile("rb") as reader:
        link.sendall(WEB_SOCKET)
        lines = iter(reader.readline, b"\r\n")
        return sorted(line for line in lines if not line.lower().startswith(b"date"))


@pytest.mark.parametrize(
    "name", ["embedded@1.33.1", pytest.param("mailpit@1.33.1", marks=pytest.mark.mailpit)]
)
def test_160_steps_are_answered_alike_with_and_without_the_recorder(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    steps: tuple[Step, ...] = STEPS
    if name.startswith("mailpit"):
        request.getfixturevalue("real_mailpit")(name.partition("@")[2])
        steps = (*SMTP_STEPS, *POP3_STEPS, *STEPS[len(SMTP_STEPS) :])
    with plain(name, tmp_path / "plain") as one, recorded(name, tmp_path) as other:
        answers = [(step.name, one.say(step), other.say(step)) for step in steps]
        answers.append(("web socket", greeted_by_web_socket(one.api), greeted_by_web_socket(other.api)))
    assert len(answers) >= 160
    assert [answer for answer in answers if answer[1] != answer[2]] == []
    seen = [*read_record(tmp_path / RECORD)]
    assert [line.failures for line in seen if isinstance(line, Ended)] == [()]
    kinds = Counter(line.kind for line in seen if isinstance(line, Recorded))
    assert kinds.total() >= 140
    if steps is not STEPS:
        assert (kinds["retrieve"], kinds["mark_deleted"]) == (5, 5)
    lost = [line.why for line in seen if isinstance(line, NotSeen)]
    assert {why for why in lost if "web socket" not in why} == set()
