"""What an HTTP connection says: each operation of the API, packed and chunked replies, upgrades."""

import gzip
import itertools
import json
from collections.abc import Iterator

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailrace.model.attempt import Outcome
from mailrace.record.http import HttpWatch
from mailrace.record.http_messages import Head, Listener, Messages
from mailrace.record.watch import LostTrack

from tests.record.traffic import Told

ROWS = {
    "total": 9,
    "messages_count": 2,
    "messages": [{"ID": "A", "MessageID": "a@x"}, {"ID": "B", "MessageID": ""}],
}


def request(method: str, target: str, body: object = None) -> bytes:
    """A request with a JSON body."""
    text = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {target} HTTP/1.1", "Host: h", "Authorization: Basic c2VjcmV0"]
    return "\r\n".join([*lines, f"Content-Length: {len(text)}", "", ""]).encode() + text


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A reply with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def exchange(sent: bytes, answered: bytes, pieces: int = 0, prefix: str = "") -> Told:
    """What is told of one exchange, in pieces of so many bytes; 0: whole."""
    told = Told()
    watch = HttpWatch(told.teller, prefix)
    for show, data in ((watch.client_sent, sent), (watch.server_sent, answered)):
        step = pieces or len(data) or 1
        for at in range(0, len(data), step):
            show(data[at : at + step], at)
    watch.ended(10**9)
    return told


@pytest.mark.parametrize(
    ("sent", "kind", "about"),
    [
        (request("GET", "/api/v1/messages?limit=5"), "list", {"found": (("A", "a@x"), ("B", ""))}),
        (request("GET", "/api/v1/search?query=to%3Aa%40b"), "search", {"query": "to:a@b", "total": 2}),
        (request("DELETE", "/api/v1/messages", {"IDs": ["A", "B"]}), "delete", {"ids": ("A", "B")}),
        (request("DELETE", "/api/v1/messages"), "delete_all", {"ids": ()}),
        (request("DELETE", "/api/v1/messages", {"IDs": []}), "delete_all", {}),
        (request("DELETE", "/api/v1/search?query=tag:x"), "delete_search", {"query": "tag:x"}),
        (request("PUT", "/api/v1/messages", {"Read": True}), "set_read", {"query": "all"}),
        (request("PUT", "/api/v1/tags", {"IDs": ["A"], "Tags": ["t"]}), "set_tags", {"tags": ("t",)}),
        (request("PUT", "/api/v1/tags/a%20b", {"Name": "c"}), "rename_tag", {"tags": ("a b", "c")}),
        (request("DELETE", "/api/v1/tags/t"), "delete_tag", {"tags": ("t",)}),
        (request("GET", "/api/v1/message/latest"), "read_latest", {}),
        (request("GET", "/view/latest.html"), "read_latest", {}),
        (request("GET", "/api/v1/message/A"), "read_message", {"ids": ("A",)}),
        (request("GET", "/api/v1/message/A/raw"), "read_raw", {"ids": ("A",)}),
        (request("POST", "/api/v1/message/A/release", {"To": ["x@y"]}), "release", {"ids": ("A",)}),
        (request("GET", "/elsewhere"), "other", {"query": "GET (another path)"}),
        (request("GET", "/api/v1/chaos"), "other", {"query": "GET /api/v1/chaos"}),
        (request("GET", "/api/v1/user:word@x"), "other", {"query": "GET (another path)"}),
        (request("GET", "/readyz"), "other", {"query": "GET /readyz"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pieces", [0, 7])
def test_each_operation_of_the_api_is_told_by_its_name(
    sent: bytes, kind: str, about: dict[str, object], pieces: int
) -> None:
    told = exchange(sent, reply(json.dumps(ROWS).encode()), pieces)
    (one,) = told.operations
    assert (one.kind, one.outcome, one.code) == (kind, Outcome.OK, 200)
    assert {name: getattr(one, name) for name in about} == about
    assert "c2VjcmV0" not in repr(told.operations)


def test_a_mail_sent_by_rest_has_its_recipients_tags_and_id() -> None:
    body = {
        "From": {"Email": "a@b"},
        "To": [{"Email": "c@d"}],
        "Bcc": ["e@f"],
        "Tags": ["t"],
        "Headers": {"message-id": "<m@x>"},
    }
    (one,) = exchange(request("POST", "/api/v1/send", body), reply(b'{"ID":"Q1"}')).operations
    assert (one.kind, one.recipients, one.tags, one.message_id) == ("send", ("c@d", "e@f"), ("t",), "m@x")
    assert one.queued_as == "Q1"
    assert one.to == ("c@d",)


def test_packed_and_chunked_replies_are_read() -> None:
    packed = gzip.compress(json.dumps(ROWS).encode())
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    )
    sent = request("GET", "/api/v1/messages")
    for answered in (reply(packed, "Content-Encoding: gzip"), chunked):
        assert exchange(sent, answered).operations[0].total == 2


def test_a_connection_is_kept_alive_and_a_prefix_is_taken_off() -> None:
    sent = request("GET", "/mail/api/v1/tags") + request("GET", "/mail/api/v1/info")
    told = exchange(sent, reply(b"[]") + reply(b'{"Messages":3}'), prefix="/mail")
    assert [(one.kind, one.total) for one in told.operations] == [("tags", -1), ("info", 3)]


def test_a_web_socket_passes_unread_and_that_is_said() -> None:
    sent = b"GET /api/events HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    answered = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi"
    )
    told = exchange(sent, answered)
    assert [one.kind for one in told.operations] == ["events"]
    assert [note.why for note in told.notes] == ["the connection was upgraded (web socket)"]


@pytest.mark.parametrize("is_rest_sent", [True, False])
def test_a_reply_that_comes_before_the_request_is_whole_is_the_reply_to_it(is_rest_sent: bool) -> None:
    """A server that wants no body answers at once, and the client may send the body all the same."""
    told = Told()
    watch = HttpWatch(told.teller)
    sent = request("DELETE", "/api/v1/messages", {"IDs": ["A"]})
    watch.client_sent(sent[:-8], 1)
    watch.server_sent(reply(b"no", status="404 Not Found"), 2)
    if is_rest_sent:
        watch.client_sent(sent[-8:], 3)
        watch.client_sent(request("GET", "/api/v1/info"), 4)
        watch.server_sent(reply(b'{"Messages":3}'), 5)
    watch.ended(9)
    assert [(one.code, one.completed_ns) for one in told.operations] == [(404, 2), (200, 5)][
        : 1 + is_rest_sent
    ]
    assert told.operations[0].ids == (("A",) if is_rest_sent else ())


def test_a_request_without_a_reply_is_unknown() -> None:
    (one,) = exchange(request("DELETE", "/api/v1/messages", {"IDs": ["A"]}), b"").operations
    assert (one.kind, one.outcome, one.code, one.text) == (
        "delete",
        Outcome.UNKNOWN,
        0,
        "the connection ended",
    )


def test_bytes_that_are_no_http_lose_the_track() -> None:
    with pytest.raises(LostTrack):
        exchange(b"\x00\x03\x01nonsense\r\n\r\n", b"")


def test_an_encrypted_connection_passes_unread_and_that_is_said() -> None:
    told = exchange(b"\x16\x03\x01\x02\x00rest", b"\x16\x03\x03answer")
    assert (told.operations, [note.why.partition(":")[0] for note in told.notes]) == ([], ["TLS"])


@pytest.mark.parametrize(
    ("target", "start", "limit"),
    [
        ("/api/v1/messages", 0, 0),
        ("/api/v1/messages?start=50&limit=25", 50, 25),
        ("/api/v1/messages?limit=x", 0, 0),
    ],
)
def test_the_page_that_was_asked_for_is_told(target: str, start: int, limit: int) -> None:
    (one,) = exchange(request("GET", target), reply(json.dumps(ROWS).encode())).operations
    assert (one.start, one.limit) == (start, limit)


BODIES = st.binary(max_size=40)
METHODS = st.sampled_from(["GET", "PUT", "DELETE", "POST"])


def _chunked(body: bytes, cuts: list[int]) -> bytes:
    places = sorted({min(at, len(body)) for at in cuts} | {0, len(body)})
    pieces = [body[a:b] for a, b in itertools.pairwise(places) if a < b]
    return b"".join(b"%x;x=y\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\nX-End: 1\r\n\r\n"


@st.composite
def message(draw: st.DrawFn) -> bytes:
    """A request with a body in one of the three forms."""
    head = f"{draw(METHODS)} /api/v1/tags HTTP/1.1\r\nHost: h\r\nX-Some:  a: b \r\n".encode()
    body = draw(BODIES)
    match draw(st.sampled_from(["none", "length", "chunked"])):
        case "none":
            return head + b"\r\n"
        case "length":
            return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + _chunked(body, draw(st.lists(st.integers(0, 40))))


@settings(max_examples=150)
@given(st.lists(message(), min_size=1, max_size=4), st.lists(st.integers(1, 400), max_size=12))
def test_messages_are_read_as_h11_reads_them(sent: list[bytes], cuts: list[int]) -> None:
    """Pipelined, and cut anywhere."""
    stream = b"".join(sent)
    ours: list[tuple[str, bytes]] = []

    def began(head: Head) -> int:
        ours.append((head.first, b""))
        return head.length(0)

    def came(piece: bytes) -> None:
        ours[-1] = (ours[-1][0], ours[-1][1] + piece)

    ended: list[int] = []
    reading = Messages(Listener(began, came, lambda: ended.append(len(ours))))
    for begin, end in itertools.pairwise(sorted({0, len(stream), *(min(at, len(stream)) for at in cuts)})):
        reading.feed(stream[begin:end], begin)
    assert ours == [*_as_h11_reads(stream)]
    assert ended == [*range(1, len(sent) + 1)]


def _as_h11_reads(stream: bytes) -> Iterator[tuple[str, bytes]]:
    server = h11.Connection(h11.SERVER)
    server.receive_data(stream)
    first, body = "", b""
    while (event := server.next_event()) is not h11.NEED_DATA:
        if isinstance(event, h11.Request):
            first, body = f"{event.method.decode()} {event.target.decode()} HTTP/1.1", b""
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            yield first, body
            server.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            server.send(h11.EndOfMessage())
            server.start_next_cycle()


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Content-Length: -1",
        b"Content-Length: 0x5",
        b"Content-Length: \xb2",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"no field",
    ],
)
def test_where_a_message_ends_is_never_guessed(head: bytes) -> None:
    with pytest.raises(LostTrack):
        exchange(b"PUT /api/v1/tags HTTP/1.1\r\n" + head + b"\r\n\r\n{}", b"")


def test_a_head_without_an_end_is_not_kept_for_ever() -> None:
    with pytest.raises(LostTrack):
        exchange(b"GET / HTTP/1.1\r\nX: " + b"x" * 400_000, b"", pieces=50_000)


def test_replies_without_a_body_and_those_that_end_with_the_connection() -> None:
    sent = request("HEAD", "/api/v1/messages") + request("GET", "/livez") + request("GET", "/api/v1/messages")
    answered = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n"
    last = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + json.dumps(ROWS).encode()
    told = exchange(sent, answered + last)
    assert [(one.kind, one.code, one.total) for one in told.operations] == [
        ("other", 200, -1),
        ("other", 304, -1),
        ("list", 200, 2),
    ]


def test_a_request_begins_with_its_first_byte() -> None:
    told = Told()
    watch = HttpWatch(told.teller)
    watch.client_sent(b"\r\nGET /livez HT", 1)
    watch.client_sent(b"TP/1.1\r\n\r\nGET /api/v1/info HTTP/1.1\r\n\r\n", 5)
    watch.server_sent(reply(b"ok") + reply(b"{}"), 9)
    assert [(one.invoked_ns, one.completed_ns) for one in told.operations] == [(1, 9), (5, 9)]
