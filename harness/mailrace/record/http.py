"""The bytes of an HTTP/1.1 connection in, one operation a request out.

h11 reads both directions (RFC 9112): what the client sent is fed to a server's state machine, what the server
sent to a client's, and each is told what the other saw, so that both know when an exchange is over. Nothing
that h11 makes is ever sent. After an upgrade (web sockets) the bytes pass unread, which is said.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h11

from mailrace.model.attempt import Outcome
from mailrace.record.api_call import Request, about_reply, about_request, wants_reply
from mailrace.record.watch import TLS_WORDS, LostTrack, Teller, is_encrypted, outcome_of_code

REQUEST_BYTES_MAX = 8 * 1024 * 1024
"""So much of a request's body is kept until its reply: enough for a mail that is sent by REST."""
WEB_SOCKET_WORDS = "the connection was upgraded (web socket)"
"""Mailpit only tells by it what has happened: nothing that a client sends there changes the store."""
REPLY_BYTES_MAX = 4 * 1024 * 1024
"""So much of a reply's body, unpacked: more than a page of 5,000 rows; beyond it the rows are not told."""


@dataclass(slots=True)
class _Exchange:
    """A request and what of its reply has come."""

    invoked_ns: int
    request: Request
    body: bytearray = field(default_factory=bytearray)
    code: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    reply: bytearray = field(default_factory=bytearray)
    is_reply_wanted: bool = False
    is_sent: bool = False
    completed_ns: int | None = None
    """When the reply was whole: a server may answer before the request is."""


class HttpWatch:
    """Follows one HTTP connection. Raises LostTrack where it cannot.

    prefix   the path under which the server lives, such as "/mail" (Mailpit's `--webroot`); "" for none
    """

    def __init__(self, teller: Teller, prefix: str = "") -> None:
        self._teller = teller
        self._prefix = prefix
        self._client = h11.Connection(h11.SERVER, max_incomplete_event_size=1024 * 1024)
        self._server = h11.Connection(h11.CLIENT, max_incomplete_event_size=1024 * 1024)
        self._exchange: _Exchange | None = None
        self._is_opaque = False
        self._is_first = True

    def client_sent(self, data: bytes, t_ns: int) -> None:
        """A piece of a request."""
        if self._is_first and is_encrypted(data):
            self._is_opaque = True
            self._teller.not_seen(t_ns, TLS_WORDS)
        self._is_first = False
        if not self._is_opaque:
            self._follow(self._client, data, t_ns)

    def server_sent(self, data: bytes, t_ns: int) -> None:
        """A piece of a reply."""
        if not self._is_opaque:
            self._follow(self._server, data, t_ns)

    def ended(self, t_ns: int) -> None:
        """The link is gone. A reply without a length ends with it; a request without a reply is unknown."""
        if self._is_opaque or self._exchange is None:
            return
        if self._exchange.code and self._exchange.completed_ns is None:
            self._follow(self._server, b"", t_ns)
        if (exchange := self._exchange) is None:
            return
        if exchange.completed_ns is not None:
            # It was answered before it was wholly sent, and the rest was never sent.
            self._tell(exchange, exchange.completed_ns, outcome_of_code(exchange.code), "")
        else:
            self._tell(exchange, t_ns, Outcome.UNKNOWN, "the connection ended")

    def _follow(self, side: h11.Connection, data: bytes, t_ns: int) -> None:
        try:
            side.receive_data(data)
            for event in _events(side):
                self._saw(side, event, t_ns)
            if self._is_opaque or self._exchange is None:
                return
            if self._client.our_state is h11.SWITCHED_PROTOCOL:
                self._is_opaque = True
                self._tell(self._exchange, t_ns, Outcome.OK, "upgraded")
                self._teller.not_seen(t_ns, WEB_SOCKET_WORDS)
        except (h11.RemoteProtocolError, h11.LocalProtocolError) as wrong:
            raise LostTrack(str(wrong)) from wrong

    def _saw(self, side: h11.Connection, event: Any, t_ns: int) -> None:
        match event:
            case h11.Request():
                target = event.target.decode("latin-1")
                request = Request(event.method.decode("latin-1"), target, self._prefix)
                self._exchange = _Exchange(t_ns, request, is_reply_wanted=wants_reply(request))
                self._server.send(event)
            case h11.InformationalResponse():
                self._client.send(event)
            case h11.Response() if self._exchange is not None:
                self._exchange.code = event.status_code
                self._exchange.headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in event.headers}
                self._client.send(event)
            case h11.Data() if self._exchange is not None:
                self._piece(self._exchange, side, event)
            case h11.EndOfMessage() if self._exchange is not None:
                self._ended_message(self._exchange, side, event, t_ns)

    def _piece(self, exchange: _Exchange, side: h11.Connection, event: h11.Data) -> None:
        if side is self._server:
            if exchange.is_reply_wanted and len(exchange.reply) < REPLY_BYTES_MAX:
                exchange.reply += event.data
            self._client.send(event)
        else:
            if len(exchange.body) < REQUEST_BYTES_MAX:
                exchange.body += event.data
            self._server.send(event)

    def _ended_message(
        self, exchange: _Exchange, side: h11.Connection, event: h11.EndOfMessage, t_ns: int
    ) -> None:
        if side is self._server:
            exchange.completed_ns = t_ns
            self._client.send(event)
        else:
            exchange.is_sent = True
            self._server.send(event)
        # Only an exchange that is over in both directions is told, for the request says what it is about.
        if exchange.completed_ns is None or not exchange.is_sent:
            return
        self._tell(exchange, exchange.completed_ns, outcome_of_code(exchange.code), "")
        if self._client.our_state is h11.DONE and self._client.their_state is h11.DONE:
            self._client.start_next_cycle()
            self._server.start_next_cycle()
            # A pipelined request that came early has waited inside of h11 until now.
            for waiting in _events(self._client):
                self._saw(self._client, waiting, t_ns)

    def _tell(self, exchange: _Exchange, t_ns: int, outcome: Outcome, text: str) -> None:
        self._exchange = None
        body, reply = bytes(exchange.body), _unpacked(exchange)
        about = about_request(exchange.request, body)
        if outcome is not Outcome.UNKNOWN:
            about |= about_reply(exchange.request, exchange.code, reply)
        if text:
            about["text"] = text
        kind = str(about.pop("kind"))
        self._teller.operation(
            kind,
            exchange.invoked_ns,
            t_ns,
            outcome,
            code=exchange.code,
            said=reply.decode("utf-8", "replace") if exchange.code >= 400 else "",
            content=("json", body) if kind == "send" else None,
            **about,
        )


def _events(side: h11.Connection) -> Iterator[Any]:
    while True:
        event = side.next_event()
        if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
            return
        yield event


def _unpacked(exchange: _Exchange) -> bytes:
    """The reply's body as it was before it was packed; empty where it is too large or in a form not known."""
    how = exchange.headers.get("content-encoding", "")
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
