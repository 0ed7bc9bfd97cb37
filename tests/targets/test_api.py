"""The REST client against a scripted server: what it asks, and a sentence for each way of misbehaving."""

import json
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from mailrace.model.errors import InternalError
from mailrace.targets import Api, ApiError, BadAnswer, Unanswered, Unreachable
from mailrace.targets.rows import NotMailpit, decoded, page_of
from mailrace.targets.stored import stored_by_list, stored_by_search

from tests.targets.rest_server import RestServer, reply


@pytest.fixture
def server() -> Iterator[RestServer]:
    running = RestServer()
    yield running
    running.close()


@pytest.fixture
def api(server: RestServer) -> Iterator[Api]:
    client = Api(server.url, timeout_s=5)
    yield client
    client.close()


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "ID": f"id{number}",
        "MessageID": f"{number}@x.test",
        "From": {"Name": "N", "Address": "Key@X.test"},
        "To": [{"Name": "", "Address": f"R{number}@x.test"}],
        "Cc": None,
        "Bcc": None,
        "ReplyTo": [],
        "Subject": "s",
        "Tags": ["b", "A"],
        "Read": True,
        "Size": 12.0,
        **changed,
    }


def listing(rows: list[dict[str, Any]], count: int | None = None) -> bytes:
    count = len(rows) if count is None else count
    return json.dumps({"total": count, "messages_count": count, "tags": ["A"], "messages": rows}).encode()


def paged(rows: list[dict[str, Any]], count: int | None = None) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answers as the list does: `start` and `limit` of the query are obeyed."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path.startswith("/api/v1/tags"):
            return reply(request, b'["A"]')
        query = dict(part.split("=") for part in request.path.partition("?")[2].split("&"))
        start, limit = int(query["start"]), int(query["limit"])
        return reply(request, listing(rows[start : start + limit], len(rows) if count is None else count))

    return answer


@pytest.mark.parametrize("key", ["Subject", "MessageID", "Snippet", "ID"])
def test_half_a_character_is_replaced_and_can_be_written(key: str, server: RestServer, api: Api) -> None:
    """JSON may name half of a surrogate pair, which no file takes."""
    server.answer = paged([row(1, **{key: "a\ud800b"}), row(2)])
    first, second = api.messages(0, 10).messages
    assert "a?b" in repr(first)
    assert "?" not in repr(second)
    assert repr(first).encode()


def test_a_row_becomes_a_stored_message(server: RestServer, api: Api) -> None:
    server.answer = paged([row(1)])
    page = api.messages(0, 10)
    (message,) = page.messages
    assert (message.id, message.message_id, message.sender) == ("id1", "1@x.test", "key@x.test")
    assert (message.to, message.cc, message.bcc, message.reply_to) == (("r1@x.test",), (), (), ())
    assert (message.tags, message.read, message.size) == (("b", "A"), True, 12)
    assert (page.total, page.matching, page.tags) == (1, 1, ("A",))


def test_pages_are_walked_to_the_end(server: RestServer, api: Api) -> None:
    server.answer = paged([row(n) for n in range(7)])
    assert [len(page.messages) for page in api.pages(rows=3)] == [3, 3, 1]
    assert [len(page.messages) for page in api.pages(rows=7)] == [7]
    server.answer = paged([])
    assert [len(page.messages) for page in api.pages()] == [0]


def test_what_is_asked(server: RestServer, api: Api) -> None:
    server.answer = lambda request: reply(request, b"ok")
    api.delete(["a", "b"])
    api.delete_all()
    api.delete_tag("ü/b c")
    assert [(method, path, body) for method, path, body, _ in server.seen] == [
        ("DELETE", "/api/v1/messages", b'{"IDs": ["a", "b"]}'),
        ("DELETE", "/api/v1/messages", b""),
        ("DELETE", "/api/v1/tags/%C3%BC%2Fb%20c", b""),
    ]


def test_a_source_and_the_tags_of_nobody(server: RestServer, api: Api) -> None:
    server.answer = lambda request: reply(request, b"\xffraw")
    assert api.raw("a/b") == b"\xffraw"
    assert server.seen[-1][1] == "/api/v1/message/a%2Fb/raw"
    server.answer = lambda request: reply(request, b"null")
    assert api.tags() == ()


@pytest.mark.parametrize(
    "call",
    [
        lambda api: api.delete([]),
        lambda api: api.delete(""),
        lambda api: api.delete("abc"),
        lambda api: api.delete(["a", ""]),
        lambda api: api.messages(0, 0),
        lambda api: api.search("x", 0, 5_001),
        lambda api: api.messages(-1, 1),
    ],
)
def test_calls_that_must_never_be_made(call: Callable[[Api], None], server: RestServer, api: Api) -> None:
    with pytest.raises(InternalError):
        call(api)
    assert server.seen == []


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello</html>",
        b"[]",
        b"{}",
        b'{"total": 1, "messages_count": -1, "tags": [], "messages": []}',
        b'{"total": 1, "messages_count": true, "tags": [], "messages": []}',
        b'{"total": 1, "messages_count": 1, "tags": 7, "messages": []}',
        b'{"total": 1, "messages_count": 1, "tags": [], "messages": {}}',
        b'{"total": 1, "messages_count": 1, "tags": [], "messages": [{"ID": 1}]}',
        b'{"total": 1, "messages_count": 1e999, "tags": [], "messages": []}',
        listing([row(1, Size=float("nan"))]),
        listing([row(1, Size=float("inf"))]),
        listing([row(1, Size=10**400)]),
        listing([row(1, To=7)]),
        listing([row(1, From="x")]),
        listing([row(1), row(2), row(3)]),
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_rest_of_another_program(body: bytes, server: RestServer, api: Api) -> None:
    server.answer = lambda request: reply(request, body)
    with pytest.raises(BadAnswer, match="not as Mailpit does"):
        api.search("x", 0, 2)


def hang(server: RestServer) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda request: server.released.wait(30) and None


def drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "100000000")
    request.end_headers()
    for _ in range(1_000_000):
        request.wfile.write(b"x" * 100)


def cut_off(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.send_header("Connection", "close")
    request.end_headers()
    request.wfile.write(b"{")


def garbage(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"220 smtp.example ESMTP\r\n")
    request.close_connection = True


def tls_alert(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"\x15\x03\x01\x00\x02\x02\x50")
    request.close_connection = True


GO = b"Client sent an HTTP request to an HTTPS server.\n"
NGINX = b"<html><body><center>The plain HTTP request was sent to HTTPS port</center></body></html>"


def test_no_answer(server: RestServer) -> None:
    server.answer = hang(server)
    with pytest.raises(Unanswered, match=r"GET http://.*/api/v1/tags: no answer within 0\.2 s"):
        Api(server.url, timeout_s=0.2).tags()


def test_an_answer_that_drips(server: RestServer) -> None:
    server.answer = drip
    api = Api(server.url, timeout_s=0.2)
    with pytest.raises(Unanswered, match="no whole answer"):
        api.tags()
    api.close()


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (cut_off, Unreachable, "its answer was cut off$"),
        (garbage, Unreachable, "no HTTP answer .'220 smtp.example ESMTP'.; is that its REST port"),
        (lambda r: None, Unreachable, "it closed the connection without an answer$"),
        (tls_alert, Unreachable, "it speaks TLS there; give https:// instead of http://$"),
        (lambda r: reply(r, NGINX, 400), BadAnswer, "it speaks TLS there; give https:// instead of http://$"),
        (lambda r: reply(r, GO, 400), BadAnswer, "it speaks TLS there; give https:// instead of http://$"),
        (lambda r: reply(r, b"secret?", 401), BadAnswer, "401.*MAILRACE_API_USER"),
        (lambda r: reply(r, b"", 302, Location="/ui/"), BadAnswer, "redirects to /ui/; give that"),
        (lambda r: reply(r, b"no  such\nthing", 404), BadAnswer, "404 Not Found: no such thing$"),
        (lambda r: reply(r, b"", 500), BadAnswer, "500 Internal Server Error$"),
    ],
)
def test_answers_that_are_none(
    answer: Callable[[BaseHTTPRequestHandler], None],
    kind: type[ApiError],
    sentence: str,
    server: RestServer,
    api: Api,
) -> None:
    server.answer = answer
    with pytest.raises(kind, match=sentence) as caught:
        api.tags()
    assert str(caught.value).startswith(f"GET {server.url}/api/v1/tags: ")
    assert "object at 0x" not in str(caught.value)


def test_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match="connection refused; is the server running"):
            Api(f"http://127.0.0.1:{port}").tags()


def test_neither_proxy_nor_netrc_nor_password_slips_in(
    server: RestServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login u password p\n")
    server.answer = lambda request: reply(request, b"[]")
    plain, secret = Api(server.url), Api(server.url, ("user", "topsecret"))
    plain.tags()
    assert "Authorization" not in server.seen[-1][3]
    secret.tags()
    assert server.seen[-1][3]["Authorization"].startswith("Basic ")
    assert "topsecret" not in repr(secret)
    server.answer = lambda request: reply(request, b"", 401)
    with pytest.raises(BadAnswer) as caught:
        secret.tags()
    assert "topsecret" not in str(caught.value)
    plain.close()
    secret.close()


@pytest.mark.parametrize("read", [stored_by_list, stored_by_search])
def test_a_server_that_lies_about_its_count(read: Any, server: RestServer, api: Api) -> None:
    server.answer = paged([row(1)], count=3)
    with pytest.raises(ApiError, match="counts 3 messages and shows 1"):
        read(api, "x.test")


def test_a_list_that_lacks_a_message_of_its_mailbox(server: RestServer, api: Api) -> None:
    page = {"total": 2, "messages_count": 1, "tags": [], "messages": [row(1)]}
    server.answer = lambda request: reply(request, json.dumps(page).encode())
    with pytest.raises(ApiError, match="list, by its total: it counts 2 messages and shows 1"):
        stored_by_list(api)


def test_stored_by_search_asks_for_to_and_bcc_and_looks_again(server: RestServer, api: Api) -> None:
    stranger = row(2, To=[{"Name": "", "Address": "a@x-test"}], Tags=["t"])
    server.answer = paged([row(1), stranger])
    stored = stored_by_search(api, "x.test")
    assert [m.id for m in stored.messages] == ["id1"]
    assert [path.partition("?")[2].partition("&")[0] for _, path, _, _ in server.seen] == [
        "query=to%3A%40x.test",
        "query=bcc%3A%40x.test",
    ]


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"messages":' * 50_000, "1" * 5_000, "\ud800", "[]"])
def test_a_text_that_is_no_page_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotMailpit, match=r"it is not JSON|the answer is no JSON object"):
        page_of(decoded(text.encode("utf-8", "replace")))
