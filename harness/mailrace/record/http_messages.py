"""Takes the bytes of one direction of an HTTP/1.1 connection; gives its messages, piece by piece (RFC 9112).

This is no library because each request of a suite passes through it twice, on processors that the suite
needs: h11, with which the tests compare it, takes several times as long. Where two readers could disagree on
how long a message is, it gives up rather than guess.
"""

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from mailrace.record.watch import LostTrack

HEAD_BYTES_MAX = 256 * 1024
CHUNKED, TO_THE_END, NO_HTTP = -1, -2, -3
"""Lengths that are no number: the body comes in chunks; as long as the connection lasts; it is no HTTP."""
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")
_LINE_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a message, and the fields after it by their lower-case names."""

    first: str
    fields: Mapping[str, str]

    def length(self, otherwise: int) -> int:
        """The length of the body in bytes, or CHUNKED; `otherwise` where the fields do not tell."""
        coding, length = self.fields.get("transfer-encoding"), self.fields.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise LostTrack("a message whose length is not clear")
            return CHUNKED
        if length is None:
            return otherwise
        # The same length may stand there twice (RFC 9110 8.6), which is one more way to be unclear.
        if not length.isascii() or not length.isdigit() or len(length) > 15:
            raise LostTrack("a message whose length is not clear")
        return int(length)


@dataclass(frozen=True, slots=True)
class Listener:
    """Is told of a message: its head, for which it gives the body's length; its pieces; its end."""

    head: Callable[[Head], int]
    piece: Callable[[bytes], None]
    end: Callable[[], None]


class Messages:
    """Reads one direction. `begun_ns`: when the first byte came of the message that is being read."""

    def __init__(self, told: Listener) -> None:
        self.begun_ns = 0
        self._now_ns = 0
        self._told = told
        self._reading = self._read()
        next(self._reading)

    def feed(self, data: bytes, t_ns: int) -> None:
        """More bytes; none: the connection is over. Raises LostTrack where they are no HTTP."""
        self._now_ns = t_ns
        self._reading.send(data)

    def _read(self) -> Generator[None, bytes, None]:
        """Takes bytes as they come; one round of the loop is one message."""
        unread = b""
        while True:
            # Empty lines may stand before a message (RFC 9112 2.2).
            while not (unread := unread.lstrip(b"\r\n")):
                unread = yield
            self.begun_ns, looked = self._now_ns, 0
            while (ends := _HEAD_END.search(unread, looked)) is None:
                if len(unread) > HEAD_BYTES_MAX:
                    raise LostTrack("a message's head without an end")
                looked = max(0, len(unread) - 3)
                unread += yield
            left = self._told.head(_head(unread[: ends.start()]))
            unread = unread[ends.end() :]
            if left == CHUNKED:
                unread = yield from self._chunks(unread)
            while left == NO_HTTP:
                yield
            while left > 0 or left == TO_THE_END:
                if not unread and not (unread := (yield)):
                    break
                piece, unread = (unread, b"") if left < 0 else (unread[:left], unread[left:])
                left -= len(piece) if left > 0 else 0
                self._told.piece(piece)
            self._told.end()

    def _chunks(self, unread: bytes) -> Generator[None, bytes, bytes]:
        """A body in chunks, to its last line; what comes after it is given back."""
        while True:
            line, unread = yield from _line(unread)
            if (size := _CHUNK.fullmatch(line)) is None:
                raise LostTrack("a chunk without a size")
            left = int(size[1], 16)
            if not left:
                break
            while left:
                unread = unread or (yield)
                piece, unread = unread[:left], unread[left:]
                left -= len(piece)
                self._told.piece(piece)
            line, unread = yield from _line(unread)
            if line:
                raise LostTrack("a chunk that is longer than its size")
        while line:  # trailers, up to an empty line
            line, unread = yield from _line(unread)
        return unread


def _line(unread: bytes) -> Generator[None, bytes, tuple[bytes, bytes]]:
    while (at := unread.find(b"\n")) < 0:
        if len(unread) > _LINE_MAX:
            raise LostTrack("a line without an end")
        unread += yield
    return unread[:at].removesuffix(b"\r"), unread[at + 1 :]


def _head(data: bytes) -> Head:
    """The head of a message. Raises LostTrack for lines that are no fields."""
    first, *lines = data.split(b"\n")
    fields: dict[str, str] = {}
    for line in lines:
        if (found := _FIELD.fullmatch(line.removesuffix(b"\r"))) is None:
            raise LostTrack("a line in a message's head that is no field")
        name, value = found[1].decode("ascii").lower(), found[2].decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return Head(first.removesuffix(b"\r").decode("latin-1"), fields)
