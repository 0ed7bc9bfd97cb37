"""Takes the bytes of an HTTP/1.1 connection; gives an operation for each request.

Replies come in the order of the requests (RFC 9112 9.3.2), which may be pipelined. After an upgrade (web
sockets) the bytes pass unread, and the record says so.
"""

import re
import zlib
from collections import deque
from dataclasses import dataclass, field

from mailrace.model.attempt import Outcome
from mailrace.model.gateway import GATEWAY
from mailrace.record.api_call import Request, about_reply, about_request
from mailrace.record.http_messages import NO_HTTP, TO_THE_END, Head, Listener, Messages
from mailrace.record.watch import (
    TLS_WORDS,
    WAITING_MAX,
    LostTrack,
    Teller,
    is_encrypted,
    outcome_of_code,
)

REQUEST_BYTES_MAX = 8 * 1024 * 1024
"""How much of a request's body is kept until its reply: enough for a mail that is sent by REST."""
REPLY_BYTES_MAX = 4 * 1024 * 1024
"""How much of a reply's unpacked body is kept: more than 5,000 rows; rows of a longer one are not told."""
WEB_SOCKET_WORDS = "the connection was upgraded (web socket)"
"""By it Mailpit only tells what has happened: nothing that a client sends there changes the store."""
_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.[01]")
REFUSES_BYTES, REFUSAL_BYTES_MAX = 12, 64 * 1024
_REFUSES = re.compile(rb"HTTP/1[.][01] 400|H?T?T?P?/?1?[.]?[01]? ?4?0?\Z")
"""How a refusal begins, or the part of it that is there."""
_REFUSAL = re.compile(
    rb"HTTP/1\.(?:0 400(?!.*connection: keep-alive)[^\n]*\n"
    rb"|1 400[^\n]*\n(?:[^\r\n]+\r\n)*connection: close\r\n)"
    rb"(?:[^\r\n]+\r\n)*\r\n(?:(?!HTTP/1\.).)*",
    re.IGNORECASE | re.DOTALL,
)
"""Whole refusals, after which the server closes."""
_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([1-5]\d\d)(?: .*)?")


@dataclass(slots=True)
class _Exchange:
    """A request, and as much of its reply as has come."""

    invoked_ns: int
    request: Request
    body: bytearray = field(default_factory=bytearray)
    code: int = 0
    packing: str = ""
    reply: bytearray = field(default_factory=bytearray)
    is_sent: bool = False
    completed_ns: int | None = None
    """When the reply was whole, which may be before the request is."""


class HttpWatch:
    """Follows one HTTP connection. Raises LostTrack where it cannot.

    prefix   the path under which the server lives, such as "/mail" (Mailpit's `--webroot`); "" for none
    """

    def __init__(self, teller: Teller, prefix: str = "") -> None:
        self._teller = teller
        self._prefix = prefix
        self._client = Messages(Listener(self._requested, self._sent, self._request_ended))
        self._server = Messages(Listener(self._replied, self._came, self._reply_ended))
        self._exchanges: deque[_Exchange] = deque()
        """Exchanges that are not over in both directions; a reply belongs to the first that has none."""
        self._now_ns = 0
        self._is_opaque = False
        self._is_first = True
        self._junk: LostTrack | None = None
        """Why what was sent is no request, while nothing else is under way."""
        self._refusal = b""
        """The server's answer to it."""

    def client_sent(self, data: bytes, t_ns: int) -> None:
        """A piece of a request."""
        is_junk = self._is_first and is_encrypted(data)
        self._is_first = False
        if is_junk:
            self._junk = LostTrack(TLS_WORDS)
        elif not self._is_opaque and self._junk is None:
            try:
                self._client.feed(data, t_ns)
            except LostTrack as why:
                self._lost(why)

    def server_sent(self, data: bytes, t_ns: int) -> None:
        """A piece of a reply."""
        self._now_ns = t_ns
        if self._is_opaque:
            return
        # Bytes that come while no request is under way are kept: they may turn out to be the refusal of junk.
        self._refusal = self._refusal + data if self._junk is not None or not self._exchanges else b""
        if self._junk is None:
            try:
                self._server.feed(data, t_ns)
            except LostTrack as why:
                self._lost(why)
        is_long = len(self._refusal) > REFUSAL_BYTES_MAX
        if self._junk is not None and (is_long or not _REFUSES.match(self._refusal[:REFUSES_BYTES])):
            self._unseen(t_ns)

    def ended(self, t_ns: int) -> None:
        """The link is gone. A reply without a length ends with it; a request without a reply is unknown."""
        if self._is_opaque:
            return
        if self._junk is not None:
            # Junk that a server refuses as no request at all, and then closes, has done nothing.
            if not _REFUSAL.fullmatch(self._refusal):
                self._unseen(t_ns)
            return
        self._now_ns = t_ns
        self._server.feed(b"", t_ns)
        for exchange in [*self._exchanges]:
            if exchange.completed_ns is not None:
                # It was answered before it was wholly sent, and the rest was never sent.
                self._tell(exchange, exchange.completed_ns, _outcome_of(exchange.code))
            else:
                self._tell(exchange, t_ns, Outcome.UNKNOWN, "the connection ended")

    def _lost(self, why: LostTrack) -> None:
        """Give up, or wait: nobody knows what a request without a reply did; junk may have done nothing."""
        if self._exchanges:
            raise why
        self._junk = why

    def _unseen(self, t_ns: int) -> None:
        assert self._junk is not None
        if str(self._junk) != TLS_WORDS:
            raise self._junk
        self._is_opaque = True
        self._teller.not_seen(t_ns, TLS_WORDS)

    def _requested(self, head: Head) -> int:
        line = _REQUEST_LINE.fullmatch(head.first)
        if line is None:
            raise LostTrack("a request line that is none")
        if len(self._exchanges) >= WAITING_MAX:
            raise LostTrack("a thousand requests without a reply")
        request = Request(line[1], line[2], self._prefix)
        self._exchanges.append(_Exchange(self._client.begun_ns, request))
        return head.length(0)

    def _sent(self, piece: bytes) -> None:
        body = self._exchanges[-1].body
        if len(body) < REQUEST_BYTES_MAX:
            body += piece

    def _request_ended(self) -> None:
        self._exchanges[-1].is_sent = True
        self._over()

    @property
    def _answered(self) -> _Exchange:
        """The exchange to which a reply belongs that comes now: the first whose reply is not whole."""
        for exchange in self._exchanges:
            if exchange.completed_ns is None:
                return exchange
        raise LostTrack("a reply to no request")

    def _replied(self, head: Head) -> int:
        line = _STATUS_LINE.fullmatch(head.first)
        if line is None:
            raise LostTrack("a status line that is none")
        exchange = self._answered
        exchange.code = int(line[1])
        exchange.packing = head.fields.get("content-encoding", "").lower()
        is_tunnel = exchange.request.method == "CONNECT" and exchange.code < 300
        if exchange.code == 101 or is_tunnel:
            self._is_opaque = True
            self._tell(exchange, self._now_ns, Outcome.OK, "upgraded")
            self._teller.not_seen(self._now_ns, WEB_SOCKET_WORDS)
            return NO_HTTP
        # These have no body, whatever their fields say (RFC 9112 6.3).
        if exchange.request.method == "HEAD" or exchange.code < 200 or exchange.code in (204, 304):
            return 0
        return head.length(TO_THE_END)

    def _came(self, piece: bytes) -> None:
        exchange = self._answered
        if exchange.request.has_rows and len(exchange.reply) < REPLY_BYTES_MAX:
            exchange.reply += piece

    def _reply_ended(self) -> None:
        exchange = self._answered
        if exchange.code >= 200:  # else the server says only that it goes on, and the reply is still to come
            exchange.completed_ns = self._now_ns
            self._over()

    def _over(self) -> None:
        """Tell of exchanges that are over in both directions, since the request says what they are about."""
        while self._exchanges and self._exchanges[0].is_sent:
            first = self._exchanges[0]
            if first.completed_ns is None:
                return
            self._tell(first, first.completed_ns, _outcome_of(first.code))

    def _tell(self, exchange: _Exchange, t_ns: int, outcome: Outcome, text: str = "") -> None:
        self._exchanges.remove(exchange)
        body, reply = bytes(exchange.body), _unpacked(exchange)
        kind, about = about_request(exchange.request, body)
        if outcome is not Outcome.UNKNOWN:
            about |= about_reply(exchange.request, exchange.code, reply)
        if text:
            about["text"] = text
        about["code"] = exchange.code
        self._teller.operation(
            kind,
            exchange.invoked_ns,
            t_ns,
            outcome,
            said=reply.decode("utf-8", "replace") if exchange.code >= 400 else "",
            content=("json", body) if kind == "send" else None,
            **about,
        )


def _unpacked(exchange: _Exchange) -> bytes:
    """The reply's body as it was before it was packed; empty where it is too large or in a form not known."""
    how = exchange.packing
    if len(exchange.reply) >= REPLY_BYTES_MAX or how not in ("", "identity", "gzip", "deflate"):
        return b""
    if how not in ("gzip", "deflate"):
        return bytes(exchange.reply)
    try:
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
        body = unpacking.decompress(bytes(exchange.reply), REPLY_BYTES_MAX)
    except zlib.error:
        return b""
    return b"" if unpacking.unconsumed_tail else body


def _outcome_of(status: int) -> Outcome:
    """What a response promises; what a proxy says for the server promises nothing."""
    return Outcome.UNKNOWN if status in GATEWAY else outcome_of_code(status)
