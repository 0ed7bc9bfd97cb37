"""Laws of conversations: chunking changes nothing; a server that knows RFC 5321 undoes dot-stuffing."""

import asyncio
import itertools
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st
from mailrace.actors import ResponseParser, script_of
from mailrace.model.operation import DeleteTag

from tests.actors.wire import ACCEPTS, Talk, send_talk

# Replies as servers give them and as they should not, each of them or one of them cut anywhere.
REPLY = st.sampled_from(
    [
        b"250 ok\r\n", b"250-a\r\n250 b\r\n", b"354 go\r\n", b"451 no\r\n", b"421 bye\r\n", b"250\n",
        b"junk\r\n", b"250-a\r\n451 b\r\n", b"25", b"\r\n",
        b"250 ok\r\n250 twice\r\n", b"451 no\r\njunk\r\n",
    ]
)  # fmt: skip
RESPONSE = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.0 200 OK\r\n\r\nby close",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 what\r\nContent-Length: 0\r\n\r\n",
        b"220 smtp here\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"",
    ]
)  # fmt: skip


def cut(whole: bytes, at: list[int]) -> list[bytes]:
    """The bytes in the pieces that these places make; never an empty one."""
    places = sorted({place % (len(whole) + 1) for place in at} | {0, len(whole)})
    return [whole[a:b] for a, b in itertools.pairwise(places) if a < b]


PLACES = st.lists(st.integers(0, 200), max_size=12)


@given(st.lists(REPLY, max_size=7), PLACES, st.booleans())
def test_the_same_bytes_in_any_chunks_are_the_same_attempt_over_smtp(
    replies: list[bytes], places: list[int], ends: bool
) -> None:
    # A server answers a command after it: what belongs to one answer may be cut, answers are not merged.
    last = [b""] if ends else []
    whole = send_talk().hears([*replies, *last])
    pieces = [piece for reply in replies for piece in cut(reply, places)]
    assert send_talk().hears([*pieces, *last]).timeless == whole.timeless


@given(RESPONSE, PLACES, st.booleans())
def test_the_same_bytes_in_any_chunks_are_the_same_attempt_over_http(
    response: bytes, places: list[int], ends: bool
) -> None:
    last = [b""] if ends else []
    whole = rest_talk().hears([response, *last] if response else last)
    assert rest_talk().hears([*cut(response, places), *last]).timeless == whole.timeless


def rest_talk() -> Talk:
    parser = ResponseParser()
    operation = DeleteTag(key="untag.1", tag="t")
    return Talk(script_of(operation, 1, {}, {}, parser, api="http://127.0.0.1:8025"), parser)


class Keeper:
    """An aiosmtpd handler that keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append(envelope.content)
        return "250 kept"


async def stored_by_aiosmtpd(contents: list[bytes]) -> list[bytes]:
    """What aiosmtpd takes out of our bytes, one session for all of them."""
    keeper, loop = Keeper(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="localhost", data_size_limit=None, loop=loop), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await reader.readline()
    writer.write(b"HELO x\r\n")
    await reader.readline()
    for content in contents:
        talk = send_talk(content=content)
        for _ in range(5):
            writer.write(b"".join(talk.written))
            talk.written.clear()
            talk.hears([await reader.readline()])
        assert talk.attempt.code == 250
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    return keeper.kept


LINES = st.lists(
    st.one_of(st.sampled_from([b"", b".", b"..", b".x", b"x.", b". ", b"x"]), st.binary(max_size=30)),
    max_size=20,
).map(
    lambda lines: (
        b"".join(line.replace(b"\r", b"").replace(b"\n", b"") + b"\r\n" for line in lines) or b"\r\n"
    )
)


@given(LINES)
def test_dot_stuffing_is_undone_as_rfc_5321_4_5_2_says(content: bytes) -> None:
    talk = send_talk(content=content).hears(ACCEPTS)
    data = b"".join(talk.written[4:6])
    body, end = data[:-3], data[-3:]
    assert end == b".\r\n"
    lines = body.split(b"\r\n")[:-1]
    assert b"." not in lines, "the data ends once"
    assert b"".join((line[1:] if line.startswith(b".") else line) + b"\r\n" for line in lines) == content


@pytest.mark.parametrize("count", [40])
def test_dot_stuffing_is_undone_by_aiosmtpd(count: int) -> None:
    seeds = [b".\r\n", b"..\r\n.\r\n", b"\r\n", b"a\r\n.b\r\n..c\r\n", b".\r\n.\r\n.\r\n"]
    contents = [b"X: y\r\n\r\n" + seeds[i % len(seeds)] * (i // len(seeds) + 1) for i in range(count)]
    assert asyncio.run(stored_by_aiosmtpd(contents)) == contents
