"""REST operations byte by byte: the request, its held byte, and responses of every shape."""

import json

import pytest
from mailrace.actors import ResponseParser, script_of
from mailrace.model.attempt import Outcome, Stage, Word
from mailrace.model.errors import InternalError
from mailrace.model.operation import (
    Delete,
    DeleteAll,
    DeleteSearch,
    DeleteTag,
    Operation,
    Read,
    ReadMessage,
    Release,
    RenameTag,
    Send,
    SetRead,
    SetTags,
    ViewLatest,
)

from tests.actors.wire import DOMAIN, MAIL, Talk

IDS = {"r00041g01": "aaaa", "r00041g02": "bbbb"}
API = "http://127.0.0.1:8025/mail"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = OK.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n")


def rest_talk(operation: Operation, auth: tuple[str, str] | None = None) -> Talk:
    parser = ResponseParser()
    return Talk(script_of(operation, 2, IDS, {}, parser, api=API, auth=auth), parser)


@pytest.mark.parametrize(
    ("operation", "line", "body"),
    [
        (Delete(key="d", messages=("r00041g02", "r00041g01")), "DELETE /mail/api/v1/messages",
            {"IDs": ["bbbb", "aaaa"]}),
        (DeleteSearch(key="d", query='to:"a b"&x'),
            "DELETE /mail/api/v1/search?query=to%3A%22a%20b%22%26x", None),
        (DeleteAll(key="d"), "DELETE /mail/api/v1/messages", None),
        (SetTags(key="t", messages=("r00041g01",), tags=("a", "b")), "PUT /mail/api/v1/tags",
            {"IDs": ["aaaa"], "Tags": ["a", "b"]}),
        (RenameTag(key="t", tag="a/b", to="c"), "PUT /mail/api/v1/tags/a%2Fb", {"Name": "c"}),
        (DeleteTag(key="t", tag="a b"), "DELETE /mail/api/v1/tags/a%20b", None),
        (Read(key="r", path="/api/v1/info", times=1), "GET /mail/api/v1/info", None),
        (ReadMessage(key="r", message="r00041g02"), "GET /mail/api/v1/message/bbbb", None),
        (SetRead(key="m", read=True, messages=("r00041g01", "r00041g02")), "PUT /mail/api/v1/messages",
            {"Read": True, "IDs": ["aaaa", "bbbb"]}),
        (SetRead(key="m", read=False, query="tag:x"), "PUT /mail/api/v1/messages",
            {"Read": False, "Search": "tag:x"}),
        (ViewLatest(key="v"), "GET /mail/view/latest", None),
        (ViewLatest(key="v", via="api", query="tag:x"),
            "GET /mail/api/v1/message/latest?query=tag%3Ax", None),
        (Release(key="r", message="r00041g02"), "POST /mail/api/v1/message/bbbb/release",
            {"To": ["released@mailrace-sink.test"]}),
        (SetRead(key="m", read=False), "PUT /mail/api/v1/messages", {"Read": False}),
    ],
)  # fmt: skip
def test_an_operation_is_one_request_whose_last_byte_is_held(
    operation: Operation, line: str, body: object
) -> None:
    talk = rest_talk(operation, ("me", "secret")).hears([OK])
    sent = b"".join(talk.written)
    head, _, rest = sent.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == f"{line} HTTP/1.1"
    assert "Host: 127.0.0.1:8025" in lines
    assert "Authorization: Basic bWU6c2VjcmV0" in lines
    assert f"Content-Length: {len(rest)}" in lines
    assert (json.loads(rest) if rest else None) == body
    # A body cut off means "all messages" to Mailpit, and what is released is read before the body is there.
    if isinstance(operation, Delete | Release):
        assert talk.written[1] == b"\n" + rest
    else:
        assert talk.written[1] == sent[-1:]
    found = talk.attempt
    assert (found.outcome, found.code, found.text) == (Outcome.OK, 200, "ok")
    assert [stage for stage, _ in found.marks] == [Stage.HELD, Stage.RELEASED, Stage.REPLY]
    assert found.released_ns == 2


def test_a_mail_by_rest_carries_the_same_marks_as_one_by_smtp() -> None:
    talk = rest_talk(Send(key="send.1", message=MAIL, via="rest")).hears([OK])
    body = json.loads(b"".join(talk.written).partition(b"\r\n\r\n")[2])
    assert body["From"] == {"Email": MAIL.sender}
    assert body["ReplyTo"] == [{"Email": f"a2@{DOMAIN}"}]
    assert body["Bcc"] == list(MAIL.bcc)
    assert body["Headers"]["Message-ID"] == f"<{MAIL.message_id}>"
    assert len(body["Text"]) == MAIL.body_bytes


def test_no_id_that_is_known_is_our_mistake_and_never_deletes_everything() -> None:
    unknown = ("r00041g09",)
    for operation in (
        Delete(key="d", messages=()),
        Delete(key="d", messages=unknown),
        SetRead(key="m", read=True, messages=unknown),
        ReadMessage(key="r", message="r00041g09"),
    ):
        with pytest.raises(InternalError, match="no server ID"):
            rest_talk(operation)


@pytest.mark.parametrize(
    ("said", "outcome", "word", "code", "closes"),
    [
        ([OK], Outcome.OK, Word.ACCEPTED, 200, False),
        ([CLOSING], Outcome.OK, Word.ACCEPTED, 200, True),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"],
            Outcome.OK, Word.ACCEPTED, 200, False),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], Outcome.OK, Word.ACCEPTED, 200, False),
        ([b"HTTP/1.0 200 OK\r\n\r\no", b"k", b""], Outcome.OK, Word.ACCEPTED, 200, True),
        ([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], Outcome.FAIL, Word.REFUSED, 404, False),
        ([b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"],
            Outcome.FAIL, Word.REFUSED, 302, False),
        ([b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"], Outcome.UNKNOWN, Word.GATEWAY, 503, False),
        ([OK + OK], Outcome.OK, Word.ACCEPTED, 200, True),
        ([b"220 fake ESMTP\r\n"], Outcome.UNKNOWN, Word.GARBAGE, None, True),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"], Outcome.UNKNOWN, Word.GARBAGE, None, True),
        ([OK[:-1], b""], Outcome.UNKNOWN, Word.CUT_SHORT, None, True),
        ([OK[:10], b""], Outcome.UNKNOWN, Word.CUT_SHORT, None, True),
        ([b""], Outcome.UNKNOWN, Word.LINK_LOST, None, True),
    ],
)  # fmt: skip
def test_a_response_of_every_shape(
    said: list[bytes], outcome: Outcome, word: Word, code: int | None, closes: bool
) -> None:
    talk = rest_talk(DeleteTag(key="t", tag="a")).hears(said)
    found = talk.attempt
    assert (found.outcome, found.word, found.code) == (outcome, word, code)
    assert talk.conversation.will_close is closes


def test_only_who_looks_at_the_newest_takes_a_redirection_for_an_answer() -> None:
    found = b'HTTP/1.1 302 Found\r\nLocation: /view/aaaa\r\nContent-Length: 16\r\n\r\n<a href="/view/a'
    assert rest_talk(ViewLatest(key="v")).hears([found]).attempt.outcome is Outcome.OK
    assert rest_talk(ReadMessage(key="r", message="r00041g01")).hears([found]).attempt.outcome is Outcome.FAIL


def test_a_reader_repeats_its_request_and_ends_with_the_last_answer() -> None:
    talk = rest_talk(Read(key="r", path="/api/v1/tags", times=3)).hears([OK, OK])
    assert not talk.conversation.is_over
    talk.hears([OK.replace(b"200 OK", b"500 no")])
    assert b"".join(talk.written).count(b"GET /mail/api/v1/tags") == 3
    assert (talk.attempt.outcome, talk.attempt.code) == (Outcome.FAIL, 500)


def test_a_reader_whose_server_closes_after_each_answer_ends_there() -> None:
    found = rest_talk(Read(key="r", path="/api/v1/tags", times=3)).hears([CLOSING]).attempt
    assert (found.outcome, found.word, found.code) == (Outcome.FAIL, Word.LINK_LOST, 200)


def test_an_operation_over_rest_needs_an_http_connection() -> None:
    from mailrace.actors.smtp import ReplyParser

    with pytest.raises(InternalError, match="HTTP"):
        script_of(DeleteAll(key="d"), 1, {}, {}, ReplyParser(), api=API)
