"""REST operations without IO: a request whose last byte can be held, and a parser of its response (h11)."""

import base64
import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import h11

from mailrace.actors.mail import render
from mailrace.actors.script import Command, Ending, Garbage, Reply, Script
from mailrace.model.attempt import Outcome, Stage, Word
from mailrace.model.gateway import GATEWAY
from mailrace.model.operation import Delete, Operation, Read, Release, Send, ViewLatest

_RESPONSE_BYTES_MAX = 32 * 1024 * 1024


class ResponseParser:
    """Collects bytes into HTTP responses on one kept connection."""

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_RESPONSE_BYTES_MAX)
        self._status = 0
        self._body = b""
        self._is_midway = False

    @property
    def is_midway(self) -> bool:
        """Whether part of a response is there, or more than was asked for."""
        return self._is_midway or bool(self._h11.trailing_data[0])

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow on this connection."""
        return self._h11.our_state in (h11.IDLE, h11.DONE)

    def request(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """The bytes of one request; the parser is then set for its response."""
        if self._h11.our_state is h11.DONE:
            self._h11.start_next_cycle()
        fields = [*headers.items(), ("Content-Length", str(len(body)))]
        sent = self._h11.send(h11.Request(method=method, target=target, headers=fields)) or b""
        sent += self._h11.send(h11.Data(data=body)) or b""
        return sent + (self._h11.send(h11.EndOfMessage()) or b"")

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The response that `data` completes, if it does; raises Garbage where it is none."""
        self._is_midway = True
        return self._completed(data)

    def finish(self) -> Iterator[Reply]:
        """The response that the end of the connection completes: one without a length of its own."""
        if self._h11.their_state is not h11.SEND_BODY:
            return iter(())
        try:
            return iter(list(self._completed(b"")))
        except Garbage:  # shorter than the length it promised: cut short
            return iter(())

    def _completed(self, data: bytes) -> Iterator[Reply]:
        try:
            if (
                self._h11.their_state is h11.SEND_RESPONSE
                and not self._h11.trailing_data[0]
                and data[:1] != b"H"
            ):
                raise Garbage("no HTTP response")
            self._h11.receive_data(data)
            while True:
                event = self._h11.next_event()
                if isinstance(event, h11.InformationalResponse):
                    continue
                if isinstance(event, h11.Response):
                    self._status = event.status_code
                elif isinstance(event, h11.Data):
                    self._body += bytes(event.data)
                    if len(self._body) > _RESPONSE_BYTES_MAX:
                        raise Garbage("a response over 32 MiB")
                elif isinstance(event, h11.EndOfMessage):
                    text, self._body, self._is_midway = self._body.decode(errors="replace"), b"", False
                    must_close = self._h11.their_state in (h11.MUST_CLOSE, h11.CLOSED)
                    yield Reply(self._status, text, will_close=must_close)
                    return
                else:  # NEED_DATA, PAUSED, ConnectionClosed
                    return
        except h11.ProtocolError as wrong:
            raise Garbage(str(wrong)) from None


def request_of(
    operation: Operation, attempt: int, ids: Mapping[str, str], contents: Mapping[str, bytes]
) -> tuple[str, str, bytes]:
    """Method, path below the API's root and body of a REST operation; `ids` are the given messages' own."""

    if isinstance(operation, Send):
        return "POST", "/api/v1/send", json.dumps(_posted(operation, attempt, contents)).encode()
    return operation.request(ids)


def _posted(operation: Send, attempt: int, contents: Mapping[str, bytes]) -> dict[str, object]:
    """The JSON of `POST /send` for a message: the same marks, tags and body as over SMTP."""
    message = operation.message
    text = render(message, attempt, contents).partition(b"\r\n\r\n")[2].decode(errors="replace")
    return {
        "From": {"Email": message.sender},
        "To": [{"Email": a} for a in message.to],
        **({"Cc": [{"Email": a} for a in message.cc]} if message.cc else {}),
        "Bcc": list(message.bcc),
        "ReplyTo": [{"Email": message.reply_to(attempt)}],
        "Subject": message.shown_subject,
        "Text": text,
        "Tags": list(message.x_tags),
        "Headers": {
            "Message-ID": f"<{message.message_id}>",
            "X-Mailrace": f"run={message.domain}; message={message.key}; attempt={attempt}",
            **dict(message.headers),
        },
    }


def exchange(
    operation: Operation,
    attempt: int,
    ids: Mapping[str, str],
    contents: Mapping[str, bytes],
    parser: ResponseParser,
    *,
    api: str,
    auth: tuple[str, str] | None,
) -> Script:
    """One operation as requests to `api`; a `Read` repeats its request, and ends with all that came."""
    address = urlsplit(api)
    method, path, body = request_of(operation, attempt, ids, contents)
    # The name of a Unix socket is no host name, so its server is told one that it certainly knows.
    host = "localhost" if address.scheme == "http+unix" else address.netloc
    headers = {"Host": host, "User-Agent": "mailrace", "Accept": "application/json"}
    if body:
        headers["Content-Type"] = "application/json"
    if auth is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
    # Mailpit takes a body of DELETE that is cut off for "all messages", so such a body is never half written:
    # it is held from the last byte of its head on. So is a release, whose message is read before its body.
    held_bytes = 1 + len(body) if isinstance(operation, Delete | Release) else 1
    times = operation.times if isinstance(operation, Read) else 1
    seen: list[str] = []
    for number in range(1, times + 1):
        data = parser.request(method, address.path + path, headers, body)
        reply = yield Command(Stage.REPLY, data, is_last=True, held_bytes=held_bytes)
        seen.append(reply.text)
        if number < times and not parser.is_reusable:
            said = "the server closed the connection between two requests"
            return Ending(Outcome.FAIL, Word.LINK_LOST, reply.code, said)
    is_shown = isinstance(operation, ViewLatest) and reply.code == 302  # its body names the page
    if 200 <= reply.code < 300 or is_shown:
        return Ending(Outcome.OK, Word.ACCEPTED, reply.code, "\n".join(seen))  # a line a poll
    if reply.code in GATEWAY:
        return Ending(Outcome.UNKNOWN, Word.GATEWAY, reply.code, reply.text)
    return Ending(Outcome.FAIL, Word.REFUSED, reply.code, reply.text)
