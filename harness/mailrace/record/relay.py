"""`python -m mailrace.record.relay`: bytes between clients and a server, unchanged, and a copy of each chunk.

This is a process of its own that understands nothing: it reads, writes to the other side, and only then puts
a copy into a pipe for the recorder (`frames`), which may take its time. So what the recorder does delays no
conversation, unless it falls `BACKLOG_BYTES_MAX` behind; then the traffic waits, and nothing is lost.
Each connection stands alone: whatever its client or its server does, the others go on. An epoll loop and not
asyncio, since a chunk costs half as much here, and this is the time that every request of a suite waits.
"""

import contextlib
import json
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO

from mailrace.record.clients import Clients

HEAD = struct.Struct("<IBQI")
"""What stands before each frame's bytes: connection, what it is, monotonic nanoseconds, length."""
CONNECTED, CLIENT_SENT, SERVER_SENT, ENDED = range(4)
CHUNK_BYTES = 256 * 1024
HELD_BYTES_MAX = 1024 * 1024
"""What may wait for a slow reader before its sender is no longer read."""
BACKLOG_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One port of the server, and where the relay listens for it (port 0: one that the system gives).

    Upstream is a host and a port, or the path of a unix socket.
    """

    protocol: str
    upstream_host: str = ""
    upstream_port: int = 0
    upstream_path: str = ""
    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """A thing that happened on a connection: `what` is CONNECTED (the bytes are JSON), … or ENDED."""

    connection: int
    what: int
    t_ns: int
    data: bytes


def frames(pipe: BinaryIO) -> Iterator[Frame]:
    """The frames of a relay's pipe, until the relay ends."""
    while len(head := pipe.read(HEAD.size)) == HEAD.size:
        connection, what, t_ns, length = HEAD.unpack(head)
        data = pipe.read(length)
        if len(data) < length:
            return
        yield Frame(connection, what, t_ns, data)


def command_of(services: tuple[Service, ...], pipe: int) -> list[str]:
    """The command that starts a relay for these services, with its pipe's number."""
    text = json.dumps([asdict(service) for service in services])
    return [sys.executable, "-m", "mailrace.record.relay", str(pipe), text]


class _Copies:
    """The pipe to the recorder. What it does not take at once waits here, so that no conversation does."""

    def __init__(self, handle: int) -> None:
        os.set_blocking(handle, False)
        self._handle = handle
        self._waiting = bytearray()

    def put(self, connection: int, what: int, data: bytes) -> None:
        head = HEAD.pack(connection, what, time.monotonic_ns(), len(data))
        if self._waiting:
            self._waiting += head + data
        else:
            frame = head + data
            written = self._write(frame)
            if written < len(frame):
                self._waiting += frame[written:]
        while len(self._waiting) > BACKLOG_BYTES_MAX:
            select.select([], [self._handle], [])
            self.flush()

    def flush(self) -> bool:
        """Write what waits; whether something still does."""
        if self._waiting:
            del self._waiting[: self._write(self._waiting)]
        return bool(self._waiting)

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._handle, data)
        except BlockingIOError:
            return 0


class _End:
    """One of the two sockets of a connection; what it receives goes to `other`."""

    __slots__ = ("connection", "held", "is_over", "is_paused", "other", "sock", "what")

    def __init__(self, sock: socket.socket, connection: int, what: int) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.connection = connection
        self.what = what
        self.other: _End = self
        self.held = bytearray()
        """What this socket still has to send."""
        self.is_over = False
        """It will send no more."""
        self.is_paused = False


class _Loop:
    """All listening sockets and all connections."""

    def __init__(self, copies: _Copies) -> None:
        self._poll = select.epoll()
        self._copies = copies
        self._listening: dict[int, tuple[socket.socket, Service]] = {}
        self._ends: dict[int, _End] = {}
        self._connections = 0
        self._clients = Clients()

    def listen(self, service: Service) -> int:
        """The port on which clients of the service are taken from now on."""
        family = socket.AF_INET6 if ":" in service.host else socket.AF_INET
        sock = socket.create_server((service.host, service.port), family=family, backlog=1024)
        sock.setblocking(False)
        self._listening[sock.fileno()] = sock, service
        self._poll.register(sock, select.EPOLLIN)
        return int(sock.getsockname()[1])

    def watch_owner(self, handle: int) -> None:
        """End when this descriptor, the recorder's end of our standard input, closes."""
        self._owner = handle
        self._poll.register(handle, select.EPOLLIN)

    def run(self) -> None:
        """Until the recorder ends."""
        while True:
            is_behind = self._copies.flush()
            for handle, events in self._poll.poll(0.005 if is_behind else None):
                if handle == self._owner:
                    return
                if handle in self._listening:
                    self._accept(*self._listening[handle])
                elif handle in self._ends:
                    self._happened(self._ends[handle], events)

    def _accept(self, listening: socket.socket, service: Service) -> None:
        try:
            sock, peer = listening.accept()
        except OSError:
            return  # the client is gone again, or we have no descriptor left for it
        self._connections += 1
        # Asked now, since a short connection is over before the recorder comes to it.
        pid, process = self._clients.behind(str(peer[0]), int(peer[1]))
        about = {"protocol": service.protocol, "pid": pid, "process": process}
        self._copies.put(self._connections, CONNECTED, json.dumps(about).encode())
        try:
            upstream = _connected(service)
        except OSError:
            # The server refuses: its client sees the connection end, which is as near as a relay can come.
            sock.close()
            self._copies.put(self._connections, ENDED, b"")
            return
        client = _End(sock, self._connections, CLIENT_SENT)
        server = _End(upstream, self._connections, SERVER_SENT)
        client.other, server.other = server, client
        for end in (client, server):
            self._ends[end.sock.fileno()] = end
            self._poll.register(end.sock, select.EPOLLIN | select.EPOLLRDHUP)

    def _happened(self, end: _End, events: int) -> None:
        try:
            if events & select.EPOLLOUT:
                self._send_held(end)
            if events & (select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP) and not end.is_paused:
                self._receive(end)
            elif events & (select.EPOLLERR | select.EPOLLHUP):
                self._end(end)
        except OSError:
            self._end(end)

    def _receive(self, end: _End) -> None:
        try:
            data = end.sock.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        other = end.other
        if not data:
            # A half-closed connection stays open in the other direction, as it would without us.
            end.is_over = True
            if not other.held:
                with contextlib.suppress(OSError):
                    other.sock.shutdown(socket.SHUT_WR)
            self._register(end)
            if other.is_over and not other.held and not end.held:
                self._end(end)
            return
        if other.held:
            other.held += data
        else:
            sent = _sent(other.sock, data)
            if sent < len(data):
                other.held += data[sent:]
                self._register(other)
        if len(other.held) > HELD_BYTES_MAX:
            end.is_paused = True
            self._register(end)
        self._copies.put(end.connection, end.what, data)

    def _send_held(self, end: _End) -> None:
        del end.held[: _sent(end.sock, end.held)]
        if end.other.is_paused and len(end.held) <= HELD_BYTES_MAX // 2:
            end.other.is_paused = False
            self._register(end.other)
        if not end.held:
            self._register(end)
            if end.other.is_over:
                with contextlib.suppress(OSError):
                    end.sock.shutdown(socket.SHUT_WR)
                if end.is_over:
                    self._end(end)

    def _register(self, end: _End) -> None:
        reading = 0 if end.is_over or end.is_paused else select.EPOLLIN | select.EPOLLRDHUP
        self._poll.modify(end.sock, reading | (select.EPOLLOUT if end.held else 0))

    def _end(self, end: _End) -> None:
        """Close both sockets; the one that is left sees a reset where the other did not end in order."""
        for each in (end, end.other):
            if self._ends.pop(each.sock.fileno(), None) is not None:
                if not (each.is_over or each.other.is_over):
                    linger = struct.pack("ii", 1, 0)
                    each.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                each.sock.close()
        self._copies.put(end.connection, ENDED, b"")


def _sent(sock: socket.socket, data: bytes | bytearray) -> int:
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0


def _connected(service: Service) -> socket.socket:
    if service.upstream_path:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(5.0)
        sock.connect(service.upstream_path)
        return sock
    return socket.create_connection((service.upstream_host, service.upstream_port), timeout=5.0)


def _main(pipe: str, services: str) -> None:
    loop = _Loop(_Copies(int(pipe)))
    try:
        ports = [loop.listen(Service(**one)) for one in json.loads(services)]
    except OSError as wrong:
        print(json.dumps(f"{wrong.strerror or wrong}"), flush=True)
        return
    print(json.dumps(ports), flush=True)
    loop.watch_owner(sys.stdin.fileno())
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        loop.run()


if __name__ == "__main__":
    _main(*sys.argv[1:])
