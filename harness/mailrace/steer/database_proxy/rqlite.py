"""rqlite's HTTP interface as bytes: requests of a client in, statements out; answers in, bytes out.

Only what gorqlite uses (its source: `cluster.go`, `api.go`, `query.go`, `write.go`) and rqlite documents:
`GET /status`, `GET /nodes`, `POST /db/query`, `POST /db/execute`, `POST /db/request`, each statement as
`"SQL"` or `["SQL", argument, …]`. HTTP/1.1 with Content-Length and kept connections, and nothing else.
"""

import base64
import json
from dataclasses import dataclass

Value = None | int | float | str | bytes

REQUEST_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer to a query: column names, their types, and the rows in order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to a write."""

    last_insert_id: int
    rows_affected: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer to a statement that SQLite refused; `text` is SQLite's own."""

    text: str


Answer = Rows | Done | Failed
Call = tuple[str, tuple[Value, ...]]
"""A statement's text and its arguments."""


@dataclass(frozen=True, slots=True)
class Request:
    """One whole HTTP request."""

    method: str
    path: str
    body: bytes


class BadRequest(Exception):
    """Bytes that are no request of a rqlite client."""


class RequestParser:
    """Collects bytes of one connection into requests."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Request]:
        """The requests that `data` completes, in order; raises BadRequest."""
        self._data += data
        if len(self._data) > REQUEST_BYTES_MAX:
            raise BadRequest("a request over 64 MiB")
        found = []
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            first, *fields = bytes(self._data[:end]).decode("latin-1").split("\r\n")
            parts = first.split(" ")
            if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
                raise BadRequest(first[:200])
            length = 0
            for field in fields:
                name, _, value = field.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
                elif name.lower() == "transfer-encoding":
                    raise BadRequest("a request in chunks")
            if len(self._data) < end + 4 + length:
                break
            body = bytes(self._data[end + 4 : end + 4 + length])
            del self._data[: end + 4 + length]
            found.append(Request(parts[0], parts[1].partition("?")[0], body))
        return found


def calls_of(body: bytes) -> tuple[Call, ...]:
    """The statements of a `/db/…` body; raises BadRequest."""
    try:
        listed = json.loads(body)
    except (ValueError, RecursionError) as wrong:
        raise BadRequest(str(wrong)) from None
    if not isinstance(listed, list):
        raise BadRequest("a body that is no list of statements")
    calls = []
    for item in listed:
        whole = [item] if isinstance(item, str) else item
        if not isinstance(whole, list) or not whole or not isinstance(whole[0], str):
            raise BadRequest("a statement that is neither text nor a list that begins with text")
        arguments = tuple(a if not isinstance(a, bool) else int(a) for a in whole[1:])
        if any(isinstance(a, dict | list) for a in arguments):
            raise BadRequest("an argument that is no plain value (named arguments are not served)")
        calls.append((whole[0], arguments))
    return tuple(calls)


def _shown(value: Value) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _type_of(rows: Rows, column: int) -> str:
    """rqlite names declared types, which Python's sqlite3 does not tell: the type of the first value.

    gorqlite acts on `date` and `datetime` only, and no table of Mailpit declares either.
    """
    for row in rows.rows:
        match row[column]:
            case int():
                return "integer"
            case float():
                return "real"
            case bytes():
                return "blob"
            case str():
                return "text"
    return ""


def result_of(answer: Answer) -> dict[str, object]:
    """One element of `results`."""
    match answer:
        case Failed():
            return {"error": answer.text}
        case Done():
            return {"last_insert_id": answer.last_insert_id, "rows_affected": answer.rows_affected}
        case Rows():
            shown: dict[str, object] = {
                "columns": answer.columns,
                "types": [_type_of(answer, i) for i in range(len(answer.columns))],
            }
            if answer.rows:
                shown["values"] = [[_shown(v) for v in row] for row in answer.rows]
            return shown


def response(status: int, body: object) -> bytes:
    """A whole HTTP response with a JSON body, the connection kept."""
    data = json.dumps(body, separators=(",", ":")).encode()
    reason = {200: "OK", 400: "Bad Request", 404: "Not Found"}.get(status, "Error")
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def answers(found: tuple[Answer, ...]) -> bytes:
    """The response to a `/db/…` request."""
    return response(200, {"results": [result_of(a) for a in found]})


def status_body(address: str) -> dict[str, object]:
    """`GET /status` of a single node: its store is open and it leads."""
    return {"store": {"leader": {"node_id": "database-proxy", "addr": address}, "node_id": "database-proxy"}}


def nodes_body(address: str) -> dict[str, object]:
    """`GET /nodes` of a single node."""
    node = {"api_addr": f"http://{address}", "addr": address, "reachable": True, "leader": True}
    return {"database-proxy": node}
