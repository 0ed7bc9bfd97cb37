"""The relay passes every byte on unchanged, in both directions, whatever single clients and servers do."""

import hashlib
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from mailrace.history import RECORD
from mailrace.model.errors import TargetError
from mailrace.record.file import read_record
from mailrace.record.recorded import Connected, NotSeen
from mailrace.record.recorder import Recorder, begun
from mailrace.record.service import Service

LIMIT_S = 20.0
Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve) -> Iterator[int]:
    """A server that gives each connection to `serve` in a thread of its own; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            sock.settimeout(LIMIT_S)
            threading.Thread(target=_served, args=(serve, sock), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(LIMIT_S)


def _served(serve: Serve, sock: socket.socket) -> None:
    with sock:
        try:
            serve(sock)
        except OSError:
            return


@contextmanager
def recorded(folder: Path, port: int, protocol: str = "pop3") -> Iterator[tuple[Recorder, int]]:
    """A recorder in front of that port, and where it listens."""
    recorder = Recorder(
        (Service(protocol=protocol, upstream_host="127.0.0.1", upstream_port=port),), folder, begun("t", "v")
    )
    recorder.start()
    try:
        yield recorder, recorder.ports[0]
    finally:
        recorder.close()


def connected(port: int) -> socket.socket:
    """A client's socket."""
    sock = socket.create_connection(("127.0.0.1", port), LIMIT_S)
    sock.settimeout(LIMIT_S)
    return sock


def all_of(sock: socket.socket) -> bytes:
    """Everything up to the other side's end."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def echo_at_end(sock: socket.socket) -> None:
    """Reads to the end, then sends it all back: needs a connection that can be half closed."""
    sock.sendall(all_of(sock))


def echo(sock: socket.socket) -> None:
    """Sends each chunk back."""
    while data := sock.recv(65536):
        sock.sendall(data)


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


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def _never_reads(sock: socket.socket) -> None:
    sock.sendall(b"x" * 3_000_000)


def _half_a_line(sock: socket.socket) -> None:
    sock.sendall(b"QUI")


def _leaves_at_once(sock: socket.socket) -> None:
    sock.close()


def _sends_no_protocol(sock: socket.socket) -> None:
    sock.sendall(bytes(range(256)) * 100)


def _says_nothing(sock: socket.socket) -> None:
    sock.setblocking(False)


def _half_closes(sock: socket.socket) -> None:
    sock.sendall(b"QUIT\r\n")
    sock.shutdown(socket.SHUT_WR)


def _line_without_end(sock: socket.socket) -> None:
    sock.sendall(b"x" * 2_000_000)


def _many_commands_at_once(sock: socket.socket) -> None:
    sock.sendall(b"NOOP\r\n" * 20_000)


def _speaks_tls(sock: socket.socket) -> None:
    sock.sendall(b"\x16\x03\x01\x00\x05hello")


def _byte_by_byte(sock: socket.socket) -> None:
    for byte in b"MAIL FROM:<a@b>\r\nGET / HTTP/1.1\r\n":
        sock.sendall(bytes([byte]))


def _wrong_lengths(sock: socket.socket) -> None:
    sock.sendall(b"POST /api/v1/send HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n-1\r\n")


CLIENTS: list[Serve] = [_reset, _never_reads, _half_a_line, _leaves_at_once, _sends_no_protocol]
CLIENTS += [_says_nothing, _half_closes, _line_without_end, _many_commands_at_once, _speaks_tls]
CLIENTS += [_byte_by_byte, _wrong_lengths]


@pytest.mark.parametrize("protocol", ["smtp", "http", "pop3"])
@pytest.mark.parametrize("misbehave", [*CLIENTS], ids=lambda one: one.__name__.strip("_"))
def test_a_client_that_misbehaves_stops_nobody_else(tmp_path: Path, misbehave: Serve, protocol: str) -> None:
    with server(echo) as port, recorded(tmp_path, port, protocol) as (recorder, at), connected(at) as good:
        with connected(at) as bad:
            bad.setblocking(False)
            try:
                misbehave(bad)
            except BlockingIOError:
                pass
            good.sendall(b"still here\r\n")
            assert good.recv(12, socket.MSG_WAITALL) == b"still here\r\n"
        good.sendall(b"and after\r\n")
        assert good.recv(11, socket.MSG_WAITALL) == b"and after\r\n"
    assert recorder.failures == []


def _closes(sock: socket.socket) -> None:
    sock.recv(1)


def _resets(sock: socket.socket) -> None:
    sock.recv(1)
    _reset(sock)


def _talks_forever(sock: socket.socket) -> None:
    for _ in range(2000):
        sock.sendall(b"x" * 4096)


def _never_answers(sock: socket.socket) -> None:
    all_of(sock)


def _answers_what_nobody_asked(sock: socket.socket) -> None:
    sock.sendall(b"250 ok\r\n+OK\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 50)
    all_of(sock)


def _answers_forever_without_a_line(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000)


def _half_an_answer(sock: socket.socket) -> None:
    sock.recv(1)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")


def _only_informs(sock: socket.socket) -> None:
    sock.recv(1)
    sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 500)
    all_of(sock)


def _wrong_chunks(sock: socket.socket) -> None:
    sock.recv(1)
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nx\r\n")
    all_of(sock)


def _wrong_packing(sock: socket.socket) -> None:
    sock.recv(1)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
    sock.sendall(head + b"\x1f\x8b\x08\xff")
    all_of(sock)


def _ends_and_listens_on(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)
    all_of(sock)


SERVERS: list[Serve] = [_closes, _resets, _talks_forever, _sends_no_protocol, _never_answers]
SERVERS += [_answers_what_nobody_asked, _answers_forever_without_a_line, _half_an_answer, _only_informs]
SERVERS += [_wrong_chunks, _wrong_packing, _ends_and_listens_on]


@pytest.mark.parametrize("protocol", ["smtp", "http", "pop3"])
@pytest.mark.parametrize("misbehave", SERVERS, ids=lambda one: one.__name__.strip("_"))
def test_a_server_that_misbehaves_on_one_connection_leaves_the_others(
    tmp_path: Path, misbehave: Serve, protocol: str
) -> None:
    first = threading.Event()

    def serve(sock: socket.socket) -> None:
        if first.is_set():
            echo(sock)
        else:
            first.set()
            misbehave(sock)

    with server(serve) as port, recorded(tmp_path, port, protocol) as (recorder, at), connected(at) as bad:
        bad.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert first.wait(LIMIT_S)
        with connected(at) as good:
            good.sendall(b"still here")
            assert good.recv(10, socket.MSG_WAITALL) == b"still here"
    assert recorder.failures == []


def test_a_server_that_takes_no_connection_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    """Its queue is full, so connecting to it takes minutes; the other service goes on meanwhile."""
    with server(echo) as port, socket.socket() as full, ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        services = tuple(
            Service(protocol="pop3", upstream_host="127.0.0.1", upstream_port=upstream)
            for upstream in (full.getsockname()[1], port)
        )
        recorder = Recorder(services, tmp_path, begun("t", "v"))
        recorder.start()
        stack.callback(recorder.close)
        stuck = stack.enter_context(connected(recorder.ports[0]))
        stuck.sendall(b"anybody?")
        with connected(recorder.ports[1]) as good:
            # The good one is answered, though the stuck one was first.
            good.settimeout(2.0)
            good.sendall(b"still here")
            assert good.recv(10, socket.MSG_WAITALL) == b"still here"


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
