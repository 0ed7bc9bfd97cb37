"""rqlite's wire format: what gorqlite sends is read, and what it is told has the documented shapes."""

import json

import pytest
from mailrace.steer.database_proxy.rqlite import (
    BadRequest,
    Done,
    Failed,
    Request,
    RequestParser,
    Rows,
    answers,
    calls_of,
    nodes_body,
    status_body,
)


def post(body: str, path: str = "/db/query?timings&level=weak&transaction") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def told(*found: Rows | Done | Failed) -> list[dict[str, object]]:
    head, _, body = answers(found).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    return json.loads(body)["results"]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_requests_are_the_same_in_any_chunking(size: int) -> None:
    data = b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n" + post('[["SELECT 1"]]') + post("[]", "/db/execute?x")
    parser, found = RequestParser(), []
    for start in range(0, len(data), size):
        found += parser.feed(data[start : start + size])
    assert found == [
        Request("GET", "/status", b""),
        Request("POST", "/db/query", b'[["SELECT 1"]]'),
        Request("POST", "/db/execute", b"[]"),
    ]


@pytest.mark.parametrize(
    "data", [b"HELO\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"a b c d\r\n\r\n"]
)
def test_what_no_client_sends_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest):
        RequestParser().feed(data)


def test_statements_with_and_without_arguments() -> None:
    body = b'[["INSERT INTO t VALUES(?,?,?)", 1, "two", null], "SELECT 1", ["SELECT ?", true]]'
    assert calls_of(body) == (
        ("INSERT INTO t VALUES(?,?,?)", (1, "two", None)),
        ("SELECT 1", ()),
        ("SELECT ?", (1,)),
    )


@pytest.mark.parametrize(
    "body", [b"{}", b"nonsense", b"[" * 100_000, b"[[]]", b"[[1]]", b'[["SELECT :a", {"a": 1}]]']
)
def test_a_body_that_is_no_list_of_statements(body: bytes) -> None:
    with pytest.raises(BadRequest):
        calls_of(body)


def test_rows_have_columns_types_and_values() -> None:
    rows = Rows(("ID", "Name", "x"), ((1, "fiona", None), (2, "sinead", 1.5)))
    assert told(rows) == [
        {
            "columns": ["ID", "Name", "x"],
            "types": ["integer", "text", "real"],
            "values": [[1, "fiona", None], [2, "sinead", 1.5]],
        }
    ]


def test_no_rows_have_no_values() -> None:
    assert told(Rows(("ID",), ())) == [{"columns": ["ID"], "types": [""]}]


def test_a_blob_is_base64() -> None:
    assert told(Rows(("Email",), ((b"\x28\xb5",),)))[0]["values"] == [["KLU="]]


def test_a_write_and_an_error() -> None:
    assert told(Done(7, 1)) == [{"last_insert_id": 7, "rows_affected": 1}]
    text = "UNIQUE constraint failed: tags.Name"
    assert told(Failed(text)) == [{"error": text}]


def test_discovery_names_a_leader_that_is_reachable() -> None:
    """gorqlite reads `store.leader.node_id`, then the node that leads (cluster.go)."""
    assert status_body("127.0.0.1:1")["store"]["leader"]["node_id"] == "database-proxy"  # type: ignore[index]
    node = nodes_body("127.0.0.1:1")["database-proxy"]
    assert node == {
        "api_addr": "http://127.0.0.1:1",
        "addr": "127.0.0.1:1",
        "reachable": True,
        "leader": True,
    }
