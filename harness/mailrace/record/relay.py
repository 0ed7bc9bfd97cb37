"""`python -m mailrace.record.relay`: passes on bytes of clients and a server, and copies each chunk.

This is a process of its own that understands nothing: it reads, writes to the other side, and only then puts
a copy into a pipe for the recorder (`frames`), which may take its time. So what the recorder does delays no
conversation, unless it falls far behind; then the traffic waits, and nothing is lost. Each connection stands
alone from its beginning: whatever its client or its server does, the others go on. It is an epoll loop and
not asyncio, because a chunk costs half as much here, and every request of a suite waits for that time.
"""

import contextlib
import gc
import json
import os
import resource
import select
import socket
import struct
import sys
from dataclasses import asdict

from mailrace.record.clients import Clients
from mailrace.record.frames import CLIENT_SENT, CONNECTED, ENDED, SERVER_SENT, SMALL_BYTES, Copies
from mailrace.record.service import Service

CHUNK_BYTES = 64 * 1024
"""How much is read at once of a long transfer; to make such room costs more than to pass on a request."""
EVENTS_MAX = 64
HELD_BYTES_MAX = 1024 * 1024
"""How much may wait for a slow reader before its sender is no longer read."""
_READ = select.EPOLLIN | select.EPOLLRDHUP
_BROKEN = select.EPOLLERR | select.EPOLLHUP


def command_of(services: tuple[Service, ...], pipe: int) -> list[str]:
    """The command that starts a relay for these services, with its pipe's number."""
    text = json.dumps([asdict(service) for service in services])
    # Without -P, modules in the suite's folder would be run in place of ours.
    return [sys.executable, "-P", "-m", "mailrace.record.relay", str(pipe), text]


class _End:
    """One of the two sockets of a connection; what it receives goes to `other`."""

    __slots__ = (
        "connection",
        "handle",
        "held",
        "is_connecting",
        "is_over",
        "is_paused",
        "mask",
        "other",
        "sock",
        "wanted_bytes",
        "what",
    )

    def __init__(self, sock: socket.socket, connection: int, what: int) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.handle = sock.fileno()
        self.wanted_bytes = SMALL_BYTES
        """How much is read at once: more if the last read gave all that was wanted."""
        self.connection = connection
        self.what = what
        self.other: _End = self
        self.held = bytearray()
        """What this socket still has to send."""
        self.is_over = False
        """It will send no more."""
        self.is_paused = False
        """It is not read: the other side cannot take more now, or is not connected yet."""
        self.is_connecting = False
        self.mask: int | None = None
        """What the loop looks for on this socket; None: nothing at all."""


class _Loop:
    """All listening sockets and all connections."""

    def __init__(self, copies: Copies) -> None:
        self._poll = select.epoll()
        self._copies = copies
        self._listening: dict[int, tuple[socket.socket, Service]] = {}
        self._ends: dict[int, _End] = {}
        self._connections = 0
        self._clients = Clients()
        self._poll.register(copies.due, select.EPOLLIN)

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
        poll, find, readable = self._poll.poll, self._ends.get, select.EPOLLIN
        while True:
            for handle, events in poll(-1, EVENTS_MAX):
                if (end := find(handle)) is not None:
                    if events == readable:
                        self._receive(end)
                    else:
                        self._happened(end, events)
                elif handle == self._copies.due:
                    self._copies.flush()
                elif handle in self._listening:
                    self._accept(*self._listening[handle])
                elif handle == self._owner:
                    return

    def _accept(self, listening: socket.socket, service: Service) -> None:
        try:
            sock, peer = listening.accept()
        except OSError:
            return  # the client is gone again, or we have no descriptor left for it
        self._connections += 1
        # The process is asked for now, since a short connection is over before the recorder comes to it.
        pid, process = self._clients.behind(peer[:2], sock.getsockname()[:2])
        about = {"protocol": service.protocol, "pid": pid, "process": process}
        self._copies.put(self._connections, CONNECTED, json.dumps(about).encode())
        try:
            upstream = service.connecting()
        except OSError:
            # The server refuses: its client sees the connection end, which is as near as a relay can come.
            sock.close()
            self._copies.put(self._connections, ENDED, b"")
            return
        client = _End(sock, self._connections, CLIENT_SENT)
        server = _End(upstream, self._connections, SERVER_SENT)
        client.other, server.other = server, client
        # The client is read once the server is connected, which EPOLLOUT tells.
        server.is_connecting = client.is_paused = True
        for end in (client, server):
            self._ends[end.sock.fileno()] = end
        self._look_for(server, _READ | select.EPOLLOUT)
        self._look_for(client, 0)

    def _happened(self, end: _End, events: int) -> None:
        try:
            if end.is_connecting:
                self._begin_to_read(end)
            if events & select.EPOLLOUT:
                self._send_held(end)
        except OSError:
            self._end(end)
            return
        if events & (_READ | select.EPOLLHUP) and not end.is_paused and not end.is_over:
            self._receive(end)
        elif events & _BROKEN:
            self._end(end)

    def _begin_to_read(self, server: _End) -> None:
        """The server's side is connected: from now on its client is read. Raises OSError where it is not."""
        if wrong := server.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            server.is_over = True  # so that its client sees an end and no reset, as where nobody listens
            raise OSError(wrong, os.strerror(wrong))
        server.is_connecting = server.other.is_paused = False
        self._register(server.other)

    def _receive(self, end: _End) -> None:
        """Pass on what there is to read. A conversation waits for this, so it is short."""
        try:
            data = os.read(end.handle, end.wanted_bytes)
        except BlockingIOError:
            return
        except OSError:
            self._end(end)
            return
        if not data:
            self._half_close(end)
            return
        sent = 0
        if not end.other.held:
            try:
                sent = os.write(end.other.handle, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._end(end)
                return
        if sent < len(data):
            self._hold(end, data[sent:])
        self._copies.put(end.connection, end.what, data)
        end.wanted_bytes = CHUNK_BYTES if len(data) == end.wanted_bytes else SMALL_BYTES

    def _hold(self, end: _End, data: bytes) -> None:
        """Keep what the other socket cannot take now; where that is much, its sender has to wait."""
        end.other.held += data
        self._register(end.other)
        if len(end.other.held) > HELD_BYTES_MAX:
            end.is_paused = True
            self._register(end)

    def _half_close(self, end: _End) -> None:
        """It sends no more. The other direction stays open, as it would without us."""
        end.is_over = True
        if not end.other.held:
            with contextlib.suppress(OSError):
                end.other.sock.shutdown(socket.SHUT_WR)
        self._register(end)
        if end.other.is_over and not end.other.held and not end.held:
            self._end(end)

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
        reading = 0 if end.is_over or end.is_paused else _READ
        sending = select.EPOLLOUT if end.held else 0
        # epoll would report without end that a socket hung up which has ended and has nothing to send.
        self._look_for(end, None if end.is_over and not sending else reading | sending)

    def _look_for(self, end: _End, mask: int | None) -> None:
        if mask == end.mask:
            return
        if mask is None:
            self._poll.unregister(end.sock)
        elif end.mask is None:
            self._poll.register(end.sock, mask)
        else:
            self._poll.modify(end.sock, mask)
        end.mask = mask

    def _end(self, end: _End) -> None:
        """Close both sockets; the one that is left sees a reset where the other did not end in order."""
        if end.sock.fileno() not in self._ends:
            return
        is_in_order = end.is_over or end.other.is_over
        for each in (end, end.other):
            del self._ends[each.sock.fileno()]
            if not is_in_order:
                linger = struct.pack("ii", 1, 0)
                each.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            each.sock.close()
        self._copies.put(end.connection, ENDED, b"")


def _sent(sock: socket.socket, data: memoryview | bytearray) -> int:
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0


def _main(pipe: str, services: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 1 << 16), most))
    copies = Copies(int(pipe))
    loop = _Loop(copies)
    try:
        ports = [loop.listen(Service(**one).resolved()) for one in json.loads(services)]
    except OSError as wrong:
        print(json.dumps(f"{wrong.strerror or wrong}"), flush=True)
        return
    print(json.dumps(ports), flush=True)
    loop.watch_owner(sys.stdin.fileno())
    # No objects here refer to each other in circles, and the search for such circles would delay
    # conversations.
    gc.disable()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        loop.run()
        copies.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
