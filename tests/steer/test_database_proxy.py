"""The proxy's rules, each with its test: held, released, dropped, never held too long."""

import json
import socket
from collections.abc import Iterator

import pytest
from mailrace.model.errors import InternalError, ScheduleMissed
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.proxy import DatabaseProxy, Statement, pass_all
from mailrace.steer.database_proxy.store import Store

LIMIT_S = 5.0


class Client:
    """A rqlite client on a kept connection."""

    def __init__(self, loop: Loop, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._loop = loop
        self.sock = socket.create_connection((host, int(port)))
        self.answer = b""
        loop.listen(self.sock, self._read)

    def _read(self) -> None:
        data = self.sock.recv(1 << 16)
        self.answer += data
        if not data:
            self._loop.forget(self.sock)

    def send(self, *statements: object, path: str = "/db/execute") -> None:
        self.answer = b""
        body = json.dumps(list(statements)).encode()
        self.sock.sendall(f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def ask(self, *statements: object) -> list[dict[str, object]]:
        self.send(*statements)
        assert self._loop.pump(lambda: bool(self.answer), LIMIT_S)
        return self.results()

    def results(self) -> list[dict[str, object]]:
        return json.loads(self.answer.partition(b"\r\n\r\n")[2])["results"]

    def close(self) -> None:
        self._loop.forget(self.sock)
        self.sock.close()


class Place:
    """A proxy with a table behind it, and clients."""

    def __init__(self) -> None:
        self.loop, self.store = Loop(), Store()
        self.proxy = DatabaseProxy(self.loop, self.store)
        self.store.run(("CREATE TABLE t (x)", ()))
        self.clients: list[Client] = []

    def client(self) -> Client:
        self.clients.append(Client(self.loop, self.proxy.open_port()[1]))
        return self.clients[-1]

    def hold(self) -> None:
        self.proxy.gate = lambda _: True

    def arrived(self, count: int = 1) -> list[Statement]:
        assert self.loop.pump(lambda: len(self.proxy.waiting) >= count, LIMIT_S)
        return self.proxy.waiting

    def rows(self) -> int:
        return int(self.store.connection.execute("SELECT COUNT(*) FROM t").fetchone()[0])


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    for client in place.clients:
        client.close()
    place.proxy.close()
    place.loop.close()


def test_what_is_not_held_passes_at_once_and_is_written_down(place: Place) -> None:
    client = place.client()
    assert client.ask(["INSERT INTO t VALUES (?)", 1]) == [{"last_insert_id": 1, "rows_affected": 1}]
    (statement,) = place.proxy.journal
    assert statement.calls == (("INSERT INTO t VALUES (?)", (1,)),)
    assert statement.answers


def test_nothing_runs_before_its_release(place: Place) -> None:
    first, second = place.client(), place.client()
    place.hold()
    first.send(["INSERT INTO t VALUES (1)"])
    second.send(["SELECT COUNT(*) AS n FROM t"])
    one, other = sorted(place.arrived(2), key=lambda s: s.instance)
    assert (one.instance, other.instance) == (0, 1)
    assert place.rows() == 0
    place.proxy.release(other)
    assert place.loop.pump(lambda: bool(second.answer), LIMIT_S)
    assert second.results()[0]["values"] == [[0]]
    assert not first.answer
    place.proxy.release(one)
    assert place.loop.pump(lambda: bool(first.answer), LIMIT_S)
    assert place.rows() == 1
    assert place.proxy.waiting == []


def test_a_statement_whose_client_went_is_dropped_not_run(place: Place) -> None:
    client = place.client()
    place.hold()
    client.send(["INSERT INTO t VALUES (1)"])
    (statement,) = place.arrived()
    client.close()
    assert place.loop.pump(lambda: not place.proxy.waiting, LIMIT_S)
    assert statement.is_dropped
    with pytest.raises(ScheduleMissed, match="client went away"):
        place.proxy.release(statement)
    assert place.rows() == 0


def test_nothing_is_held_over_the_limit(place: Place) -> None:
    """gorqlite gives up after 10 s; a statement that is stored later would be a false alarm."""
    assert place.proxy.held_s_max == 5.0
    place.proxy.held_s_max = 0.0
    client = place.client()
    place.hold()
    client.send(["INSERT INTO t VALUES (1)"])
    (statement,) = place.arrived()
    with pytest.raises(ScheduleMissed, match="held for"):
        place.proxy.release(statement)
    assert place.rows() == 0


def test_several_statements_of_one_request_are_one_transaction(place: Place) -> None:
    client = place.client()
    found = client.ask(["INSERT INTO t VALUES (1)"], ["nonsense"], ["INSERT INTO t VALUES (2)"])
    assert found[0] == {"last_insert_id": 1, "rows_affected": 1}
    assert "syntax error" in str(found[1]["error"])
    assert len(found) == 2
    assert place.rows() == 0


def test_discovery_points_back_at_the_same_port(place: Place) -> None:
    client = place.client()
    for path in ("/status", "/nodes"):
        client.answer = b""
        client.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert place.loop.pump(lambda: bool(client.answer), LIMIT_S)
        host, port = client.sock.getpeername()
        assert f"{host}:{port}".encode() in client.answer


def test_another_program_is_told_that_it_is_wrong_here(place: Place) -> None:
    client = place.client()
    client.sock.sendall(b"GET /robots.txt HTTP/1.1\r\n\r\n")
    assert place.loop.pump(lambda: bool(client.answer), LIMIT_S)
    assert client.answer.startswith(b"HTTP/1.1 404")
    client.answer = b""
    client.send("not", {"a": "statement"})
    assert place.loop.pump(lambda: bool(client.answer), LIMIT_S)
    assert client.answer.startswith(b"HTTP/1.1 400")


def test_the_loop_turns_in_the_background_while_the_caller_blocks(place: Place) -> None:
    client = place.client()
    place.loop.forget(client.sock)
    place.proxy.gate = pass_all
    with place.loop.in_background():
        client.send(["SELECT 1 AS one"])
        client.sock.settimeout(LIMIT_S)
        assert b'"values":[[1]]' in client.sock.recv(1 << 16)
        with pytest.raises(InternalError, match="in the background"):
            place.loop.pump(lambda: True, LIMIT_S)


def test_an_instance_that_is_replaced_leaves_nothing_behind(place: Place) -> None:
    client = place.client()
    place.hold()
    client.send(["INSERT INTO t VALUES (1)"])
    (statement,) = place.arrived()
    place.proxy.drop_instance(0)
    assert statement.is_dropped
    assert place.proxy.waiting == []
