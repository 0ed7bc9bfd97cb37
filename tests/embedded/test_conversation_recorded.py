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

from tests.embedded.conversation import LIMIT_S, Speaker
from tests.embedded.conversation_steps import NEWER

WEB_SOCKET = (
    b"GET /api/events HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@contextmanager
def plain(name: str, folder: Path) -> Iterator[Speaker]:
    """A server of its own, spoken to directly."""
    folder.mkdir()
    target = open_target(name, ServerOptions(pop3=True), folder=folder)
    try:
        target.start()
        places = target.addresses
        yield Speaker(places.of("smtp")[:2], places.api, places.of("pop3")[:2])
    finally:
        target.stop()


@contextmanager
def recorded(name: str, folder: Path) -> Iterator[Speaker]:
    """The same behind the recorder, as `mailrace record` starts it."""
    recording = Recording(RecordRequest(target=parse_target(name)), folder)
    try:
        recording.start()
        at = recording.places
        smtp, pop3 = ((at[f"{one}_host"], int(at[f"{one}_port"])) for one in ("smtp", "pop3"))
        yield Speaker(smtp, at["http"], pop3)
        recording.finish()
    finally:
        recording.close()


def greeted_by_web_socket(api: str) -> list[bytes]:
    """The lines of the reply to a web socket's request, without its date, in any order."""
    with socket.create_connection(api_address(api), LIMIT_S) as link, link.makefile("rb") as reader:
        link.sendall(WEB_SOCKET)
        lines = iter(reader.readline, b"\r\n")
        return sorted(line for line in lines if not line.lower().startswith(b"date"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["embedded@1.33.1", pytest.param("mailpit@1.33.1", marks=pytest.mark.mailpit)]
)
def test_160_steps_are_answered_alike_with_and_without_the_recorder(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name.startswith("mailpit"):
        request.getfixturevalue("real_mailpit")(name.partition("@")[2])
    with plain(name, tmp_path / "plain") as one, recorded(name, tmp_path) as other:
        answers = [(step.name, one.say(step), other.say(step)) for step in NEWER]
        answers.append(("web socket", greeted_by_web_socket(one.api), greeted_by_web_socket(other.api)))
    assert len(answers) >= 180
    assert [answer for answer in answers if answer[1] != answer[2]] == []
    seen = [*read_record(tmp_path / RECORD)]
    assert [line.failures for line in seen if isinstance(line, Ended)] == [()]
    kinds = Counter(line.kind for line in seen if isinstance(line, Recorded))
    assert kinds.total() >= 160
    assert min(kinds["retrieve"], kinds["mark_deleted"]) >= 5
    lost = [line.why for line in seen if isinstance(line, NotSeen)]
    assert {why for why in lost if "web socket" not in why} == set()
