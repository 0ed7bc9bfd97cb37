"""Junk on a recorded port: what the server refuses as no request has done nothing, all else is not known."""

import pytest
from mailrace.record.http import HttpWatch
from mailrace.record.watch import TLS_WORDS, LostTrack

from tests.record.test_http_watch import reply, request
from tests.record.traffic import Told

REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request"
"""As Go's server answers what is no request, before it closes."""
NONSENSE, HELLO = b"\x00\x03nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00rest"
BEFORE = (request("GET", "/readyz"), reply(b"ok"))


def told_of(*turns: bytes, pieces: int = 1000) -> Told:
    """What is told of a connection on which client and server take turns, in pieces of so many bytes."""
    told = Told()
    watch = HttpWatch(told.teller)
    for number, data in enumerate(turns):
        show = watch.server_sent if number % 2 else watch.client_sent
        for at in range(0, len(data), pieces):
            show(data[at : at + pieces], number)
    watch.ended(10**9)
    return told


@pytest.mark.parametrize("pieces", [5, 1000])
@pytest.mark.parametrize("junk", [NONSENSE, b"nonsense", HELLO, b"A B\r\nC D"])
def test_junk_that_is_refused_did_nothing(junk: bytes, pieces: int) -> None:
    for refused in (REFUSED, b"HTTP/1.0 400 Bad Request\r\nContent-Length: 3\r\n\r\nno."):
        told = told_of(junk, refused, pieces=pieces)
        assert (told.operations, told.notes) == ([], [])


@pytest.mark.parametrize("junk", [NONSENSE, b"nonsense"])
def test_what_was_done_before_is_told(junk: bytes) -> None:
    told = told_of(*BEFORE, junk, REFUSED)
    assert ([one.kind for one in told.operations], told.notes) == (["other"], [])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        REFUSED + REFUSED,
        REFUSED[:20],
        REFUSED.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"close", b"keep-alive"),
        REFUSED.replace(b"close", b"keep-alive"),
        b"x",
    ],
)
def test_junk_that_may_have_done_something_loses_the_track(answer: bytes) -> None:
    with pytest.raises(LostTrack):
        told_of(NONSENSE, answer)
    with pytest.raises(LostTrack):
        told_of(*BEFORE, NONSENSE, answer)
    assert [note.why for note in told_of(HELLO, answer).notes] == [TLS_WORDS]


def test_junk_behind_a_request_that_has_no_answer_loses_the_track() -> None:
    with pytest.raises(LostTrack):
        told_of(request("DELETE", "/api/v1/messages") + NONSENSE, REFUSED)
