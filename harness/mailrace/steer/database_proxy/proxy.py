"""SQL over HTTP in, held statements out: the server that Mailpit takes for its rqlite.

Each statement that arrives is shown to `gate`; what it lets pass is answered at once, what it holds waits
until `release`. Every client of the store comes through a port of its own, so that a statement names its
instance. No statement is held over `HELD_S_MAX`: gorqlite gives up after 10 s, and a statement stored after
its client gave up would be a false alarm of our own making. One whose client has gone is dropped, not run.
"""

import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from mailrace.model.errors import ScheduleMissed
from mailrace.model.own_trouble import own_trouble
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.rqlite import (
    Answer,
    BadRequest,
    Call,
    Failed,
    RequestParser,
    answers,
    calls_of,
    nodes_body,
    response,
    status_body,
)
from mailrace.steer.database_proxy.store import Store

HELD_S_MAX = 5.0


@dataclass(slots=True, eq=False)
class Statement:
    """One request at the proxy: almost always one statement; several of one request are one transaction.

    instance    index of the port that it came through
    answers     one for each call, once it was run
    is_dropped  its client went away before it was run
    is_held     it did not run at once
    is_late     its actor was answered before it was run
    """

    number: int
    instance: int
    calls: tuple[Call, ...]
    arrived_ns: int
    link: "_Link"
    answers: tuple[Answer, ...] = ()
    is_dropped: bool = False
    is_held: bool = False
    is_late: bool = False
    actor: str = ""

    @property
    def sql(self) -> str:
        """The text of its (first) statement."""
        return self.calls[0][0] if self.calls else ""


Gate = Callable[[Statement], bool]
"""Told of each arrival; True holds it, False lets it pass at once."""


def pass_all(_: Statement) -> bool:
    """Hold nothing."""
    return False


@dataclass(slots=True)
class DatabaseProxy:
    """All ports over one store. `journal` keeps every statement since it was last cleared.

    counted   texts that are counted in `tally`: how often each came from an instance and was not held
    trouble   what our own machine lacked, so that a server may have waited in vain; "" if nothing
    """

    loop: Loop
    store: Store
    gate: Gate = pass_all
    journal: list[Statement] = field(default_factory=list)
    waiting: list[Statement] = field(default_factory=list)
    counted: frozenset[str] = frozenset()
    tally: Counter[tuple[int, str]] = field(default_factory=Counter)
    trouble: str = ""
    held_s_max: float = HELD_S_MAX
    _ports: list[socket.socket] = field(default_factory=list)
    _links: set["_Link"] = field(default_factory=set)
    _count: int = 0

    def open_port(self) -> tuple[int, str]:
        """A new port for one more instance: its index, and the URL to give as `--database`."""
        index, port = len(self._ports), socket.create_server(("127.0.0.1", 0))
        port.setblocking(False)
        self._ports.append(port)
        self.loop.listen(port, lambda: self._accept(port, index))
        return index, f"http://{address_of(port)}"

    def release(self, statement: Statement) -> None:
        """Run it and write its answer, now. Raises ScheduleMissed where its client went or waited long."""
        held_s = (time.monotonic_ns() - statement.arrived_ns) / 1e9
        if statement in self.waiting:
            self.waiting.remove(statement)
        if statement.is_dropped:
            raise ScheduleMissed(f"statement {statement.number}: its client went away before it was released")
        if held_s > self.held_s_max:
            statement.is_dropped = True
            statement.link.close()
            raise ScheduleMissed(
                f"statement {statement.number}: held for {held_s:.1f} s; at most {self.held_s_max} s"
            )
        self._run(statement)

    def drop_instance(self, instance: int) -> None:
        """Forget what an instance has waiting and cut its links: it is being replaced."""
        for link in [k for k in self._links if k.instance == instance]:
            link.close()

    def close(self) -> None:
        """Close every port and link."""
        for link in list(self._links):
            link.close()
        for port in self._ports:
            self.loop.forget(port)
            port.close()
        self._ports.clear()

    def _accept(self, port: socket.socket, index: int) -> None:
        try:
            sock, _ = port.accept()
        except OSError as wrong:
            self.trouble = self.trouble or own_trouble(wrong)
            return
        self._links.add(_Link(self, sock, index, address_of(port)))

    def arrived(self, link: "_Link", calls: tuple[Call, ...]) -> None:
        """A link has read a whole statement."""
        self._count += 1
        statement = Statement(self._count, link.instance, calls, time.monotonic_ns(), link)
        self.journal.append(statement)
        statement.is_held = self.gate(statement)
        if statement.is_held:
            self.waiting.append(statement)
            return
        if (text := " ".join(statement.sql[:200].split())) in self.counted:
            self.tally[statement.instance, text] += 1
        self._run(statement)

    def gone(self, link: "_Link") -> None:
        """A link has closed: what it had waiting is dropped."""
        self._links.discard(link)
        for statement in [s for s in self.waiting if s.link is link]:
            statement.is_dropped = True
            self.waiting.remove(statement)

    def _run(self, statement: Statement) -> None:
        statement.answers = run_together(self.store, statement.calls)
        statement.link.write(answers(statement.answers))


def run_together(store: Store, calls: tuple[Call, ...]) -> tuple[Answer, ...]:
    """The answers to the calls of one request; several are one transaction, taken back by the first error."""
    if len(calls) == 1:
        return (store.run(calls[0]),)
    found: list[Answer] = []
    store.run(("SAVEPOINT request", ()))
    for call in calls:
        found.append(store.run(call))
        if isinstance(found[-1], Failed):
            store.run(("ROLLBACK TO request", ()))
            break
    store.run(("RELEASE request", ()))
    return tuple(found)


def address_of(sock: socket.socket) -> str:
    """`127.0.0.1:PORT` of a listening socket."""
    host, port = sock.getsockname()[:2]
    return f"{host}:{port}"


class _Link:
    """One kept connection of a client."""

    def __init__(self, proxy: DatabaseProxy, sock: socket.socket, instance: int, address: str) -> None:
        self._proxy = proxy
        self._sock = sock
        self._parser = RequestParser()
        self._address = address
        self._is_open = True
        self.instance = instance
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        proxy.loop.listen(sock, self._read)

    def _read(self) -> None:
        try:
            data = self._sock.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        try:
            for request in self._parser.feed(data):
                if request.method == "GET" and request.path == "/status":
                    self.write(response(200, status_body(self._address)))
                elif request.method == "GET" and request.path == "/nodes":
                    self.write(response(200, nodes_body(self._address)))
                elif request.method == "POST" and request.path.startswith("/db/"):
                    self._proxy.arrived(self, calls_of(request.body))
                else:
                    self.write(response(404, {"error": f"{request.method} {request.path} is not served"}))
        except BadRequest as wrong:
            self.write(response(400, {"error": str(wrong)}))
            self.close()

    def write(self, data: bytes) -> None:
        """Write it all; an answer is small beside a socket's empty buffer, so this seldom waits."""
        if not self._is_open:
            return
        try:
            sent = self._sent(data)
            if sent < len(data):
                self._sock.settimeout(5.0)
                self._sock.sendall(data[sent:])
                self._sock.setblocking(False)
        except OSError:
            self.close()

    def _sent(self, data: bytes) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Close it; what waits on it is dropped."""
        if self._is_open:
            self._is_open = False
            self._proxy.loop.forget(self._sock)
            self._sock.close()
            self._proxy.gone(self)
