"""Clients and servers that misbehave in each protocol leave everybody else's traffic alone."""

import socket
import struct
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from mailrace.record.recorder import Recorder, begun
from mailrace.record.service import Service

from tests.record.relayed import LIMIT_S, Serve, all_of, connected, echo, recorded, server

pytestmark = pytest.mark.slow


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
