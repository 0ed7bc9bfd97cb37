"""The same 160 steps with a server of its own, and with another one behind the recorder: equal answers."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from mailrace.history import RECORD
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Addresses, api_address
from mailrace.record.file import read_record
from mailrace.record.recorded import NotSeen, Recorded
from mailrace.record.recorder import Recorder, begun
from mailrace.record.service import Service
from mailrace.targets import open_target

from tests.embedded.conversation import LIMIT_S, Speaker
from tests.embedded.conversation_steps import STEPS

WEB_SOCKET = (
    b"GET /api/events HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@contextmanager
def started(name: str, folder: Path) -> Iterator[Addresses]:
    """A server of its own."""
    folder.mkdir()
    target = open_target(name, ServerOptions(), folder=folder)
    try:
        target.start()
        yield target.addresses
    finally:
        target.stop()


@contextmanager
def recorded(addresses: Addresses, folder: Path) -> Iterator[Addresses]:
    """A recorder in front of that server: where it listens."""
    host, port = api_address(addresses.api)
    places = {"smtp": (addresses.smtp_host, addresses.smtp_port), "http": (host, port)}
    services = tuple(
        Service(protocol=protocol, upstream_host=host, upstream_port=port)
        for protocol, (host, port) in places.items()
    )
    recorder = Recorder(services, folder, begun("t", "v"))
    recorder.start()
    smtp, http = recorder.ports
    try:
        yield Addresses(smtp_host="127.0.0.1", smtp_port=smtp, api=f"http://127.0.0.1:{http}")
    finally:
        recorder.close()
        assert recorder.failures == []


def greeted_by_web_socket(addresses: Addresses) -> list[bytes]:
    """The lines of the reply to a web socket's request, without its date, in any order."""
    with socket.create_connection(api_address(addresses.api), LIMIT_S) as link, link.makefile("rb") as reader:
        link.sendall(WEB_SOCKET)
        lines = iter(reader.readline, b"\r\n")
        return sorted(line for line in lines if not line.lower().startswith(b"date"))


@pytest.mark.parametrize(
    "name", ["embedded@1.33.1", pytest.param("mailpit@1.33.1", marks=pytest.mark.mailpit)]
)
def test_160_steps_are_answered_alike_with_and_without_the_recorder(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if name.startswith("mailpit"):
        request.getfixturevalue("real_mailpit")(name.partition("@")[2])
    with ExitStack() as stack:
        plain = stack.enter_context(started(name, tmp_path / "plain"))
        hidden = stack.enter_context(started(name, tmp_path / "behind"))
        behind = stack.enter_context(recorded(hidden, tmp_path))
        one, other = (Speaker((each.smtp_host, each.smtp_port), each.api) for each in (plain, behind))
        answers = [(step.name, one.say(step), other.say(step)) for step in STEPS]
        answers.append(("web socket", greeted_by_web_socket(plain), greeted_by_web_socket(behind)))
    assert len(answers) >= 160
    assert [answer for answer in answers if answer[1] != answer[2]] == []
    seen = [*read_record(tmp_path / RECORD)]
    assert sum(isinstance(line, Recorded) for line in seen) >= 140
    lost = [line.why for line in seen if isinstance(line, NotSeen)]
    assert {why for why in lost if "web socket" not in why} == set()
