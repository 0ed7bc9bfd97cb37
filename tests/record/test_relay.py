"""The relay passes every byte on unchanged, in both directions, whatever single clients and servers do."""

import hashlib
import os
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from mailrace.history import RECORD
from mailrace.model.errors import TargetError
from mailrace.record.file import read_record
from mailrace.record.recorded import Connected, NotSeen
from mailrace.record.recorder import Recorder, begun
from mailrace.record.service import Service

from tests.record.relayed import all_of, connected, echo, echo_at_end, recorded, server


@pytest.mark.parametrize("size", [0, 1, 1000, 300_000, 20_000_000])
def test_bytes_are_unchanged_and_a_half_closed_connection_goes_on(tmp_path: Path, size: int) -> None:
    sent = os.urandom(min(size, 1_000_000)) * (size // 1_000_000 or 1)
    with server(echo_at_end) as port, recorded(tmp_path, port) as (_, at), connected(at) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert hashlib.sha256(all_of(client)).digest() == hashlib.sha256(sent).digest()


def test_a_hundred_connections_do_not_mix(tmp_path: Path) -> None:
    with server(echo) as port, recorded(tmp_path, port) as (_, at), ExitStack() as stack:
        clients = [stack.enter_context(connected(at)) for _ in range(100)]
        for number, client in enumerate(clients):
            client.sendall(b"%03d" % number * 50)
        for number, client in enumerate(clients):
            assert client.recv(150, socket.MSG_WAITALL) == b"%03d" % number * 50
    ours = [line for line in read_record(tmp_path / RECORD) if isinstance(line, Connected)]
    assert {line.pid for line in ours} == {os.getpid()}
    assert len(ours) == 100


def test_a_relay_that_is_killed_leaves_a_record_that_is_not_whole(tmp_path: Path) -> None:
    with server(echo) as port, recorded(tmp_path, port) as (recorder, at), connected(at) as client:
        client.sendall(b"hello")
        assert client.recv(5, socket.MSG_WAITALL) == b"hello"
        assert recorder.relay_pid is not None
        os.kill(recorder.relay_pid, signal.SIGKILL)
        recorder.stop()
        assert [why for why in recorder.failures if "ended from outside" in why] != []


def test_a_disk_that_takes_no_more_is_said_and_the_traffic_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = os.write
    taken: list[int] = []

    def write(handle: int, data: bytes) -> int:
        if not data.startswith(b'{"kind"'):
            return written(handle, data)
        taken.append(written(handle, data[:10] if len(taken) == 1 else data))
        return taken[-1]

    monkeypatch.setattr(os, "write", write)
    with server(echo) as port, recorded(tmp_path, port) as (recorder, at):
        for _ in range(3):
            with connected(at) as client:
                client.sendall(b"hello")
                assert client.recv(5, socket.MSG_WAITALL) == b"hello"
        recorder.stop()
    assert recorder.failures == ["the record is not whole: a line was written in part"]
    assert len(taken) == 2  # nothing is written behind a torn line
    assert len([*read_record(tmp_path / RECORD)]) == 1


def test_a_refusing_server_ends_its_client_and_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with recorded(tmp_path, port) as (_, at), connected(at) as client:
        assert client.recv(1) == b""
        taken = Service(protocol="smtp", upstream_host="127.0.0.1", upstream_port=port, port=at)
        second = Recorder((taken,), tmp_path, begun("t", "v"))
        with pytest.raises(TargetError, match=r"cannot listen: .*in use.*; name a free port"):
            second.start()
        second.close()


def test_what_is_not_understood_is_said_once_and_passes_on(tmp_path: Path) -> None:
    with server(echo) as port, recorded(tmp_path, port, "smtp") as (_, at), connected(at) as client:
        client.sendall(b"hello\r\n")
        assert client.recv(7, socket.MSG_WAITALL) == b"hello\r\n"
        client.sendall(b"hello\r\n")
        assert client.recv(7, socket.MSG_WAITALL) == b"hello\r\n"
    notes = [line for line in read_record(tmp_path / RECORD) if isinstance(line, NotSeen)]
    assert [note.why for note in notes] == ["a reply without a code"]
