"""A stand-in for rqlite over a SQLite in memory: answers its requests, keeps the text of each statement."""

import base64
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_HEX = re.compile(r"x'[0-9a-f]*'")


class StandIn(ThreadingHTTPServer):
    """One store; `texts` are the statements in the order in which they came, their space made even."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.texts: list[str] = []
        self.lock = threading.Condition()
        self.store = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed has cut its link."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wait_for(self, start: str, limit_s: float = 10.0) -> None:
        """Wait until a statement that begins so has come."""
        with self.lock:
            came = self.lock.wait_for(lambda: any(text.startswith(start) for text in self.texts), limit_s)
        assert came, f"no statement {start!r} within {limit_s} s"

    def run(self, kind: str, item: object) -> dict[str, object]:
        sql, *args = [item] if isinstance(item, str) else list(item)  # type: ignore[call-overload]
        with self.lock:
            self.texts.append(f"{kind} {_HEX.sub('(hex)', ' '.join(sql.split()))}")
            self.lock.notify_all()
            try:
                if kind == "execute" and not args and ";" in sql.strip().rstrip(";"):
                    self.store.executescript(sql)
                    return {"last_insert_id": 0, "rows_affected": 0}
                cursor = self.store.execute(sql, args)
                rows = [[_shown(value) for value in row] for row in cursor.fetchall()]
            except sqlite3.Error as error:
                return {"error": str(error)}
        if kind == "execute":
            return {"last_insert_id": cursor.lastrowid or 0, "rows_affected": max(cursor.rowcount, 0)}
        names = [column[0] for column in cursor.description]
        return {"columns": names, "types": [""] * len(names), "values": rows}


def _shown(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: StandIn

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        address = f"127.0.0.1:{self.server.server_address[1]}"
        if self.path.startswith("/nodes"):
            self._answer(
                {"1": {"api_addr": self.server.url, "addr": address, "reachable": True, "leader": True}}
            )
        else:
            self._answer({"store": {"leader": {"node_id": "1", "addr": address}}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = "query" if self.path.startswith("/db/query") else "execute"
        self._answer({"results": [self.server.run(kind, item) for item in body]})

    def _answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A running one."""
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.store.close()
