"""A relay in front of a server of the tests' own, and what goes through it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
