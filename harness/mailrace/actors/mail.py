"""A planned message and an attempt's number in, the whole RFC 5322 bytes out: CRLF, not dot-stuffed."""

import re
from collections.abc import Mapping
from functools import lru_cache

from mailrace.model.errors import InternalError
from mailrace.model.operation import FILLER, Message

_LINE = FILLER.encode() + b"\r\n"
_MARKS = frozenset({b"from", b"to", b"reply-to", b"message-id", b"x-tags", b"x-mailrace", b"bcc"})
_HEADER_END = re.compile(rb"\r?\n\r?\n")


def _generated_body(message: Message) -> bytes:
    """Plain text of exactly `body_bytes` (2 at least): the message's key, then lines that all have alike."""
    first = message.first_words.encode()
    left = max(message.body_bytes, 2) - len(first) - 2
    return first + (b"x" * left + b"\r\n" if left < 2 else b"\r\n" + _filler(left))


@lru_cache(maxsize=8)
def _filler(length_bytes: int) -> bytes:
    """Plain text of exactly that length (2 at least), in lines of 69 bytes; a CRLF always ends it."""
    whole, rest = divmod(length_bytes, len(_LINE))
    if rest == 1:  # too short for a line of its own
        whole, rest = whole - 1, rest + len(_LINE)
    return _LINE * whole + (b"x" * (rest - 2) + b"\r\n" if rest else b"")


def render(message: Message, attempt: int, contents: Mapping[str, bytes]) -> bytes:
    """The bytes of `message` as its attempt number `attempt` (1, 2, …) sends them.

    The marks (From, To, Reply-To, Message-ID, X-Mailrace) come first. A user's own message (`contents` by
    its SHA-256) keeps all its other headers and its body; the headers that the marks replace are kept as
    `X-Original-…`, so nothing of it is lost.
    """
    head = [
        f"From: <{message.sender}>",
        "To: " + ",\r\n ".join(f"<{a}>" for a in message.to),
        f"Reply-To: <{message.reply_to(attempt)}>",
        f"Message-ID: <{message.message_id}>",
        f"X-Mailrace: run={message.domain}; message={message.key}; attempt={attempt}",
    ]
    if message.x_tags:
        head.append("X-Tags: " + ", ".join(message.x_tags))
    head += [f"{name}: {value}" for name, value in message.headers]
    if message.malformed:
        head.append("this header line has no colon")
    if message.file_sha256 is not None:
        own_head, body = _split(contents, message.file_sha256)
        return "\r\n".join(head).encode() + b"\r\n" + own_head + b"\r\n" + body
    head += [
        f"Subject: {message.shown_subject}",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + _generated_body(message)


def _split(contents: Mapping[str, bytes], sha256: str) -> tuple[bytes, bytes]:
    """Header block (each line ended, marks renamed) and body of a user's own message, with CRLF lines."""
    if sha256 not in contents:
        raise InternalError(f"the plan names a message file {sha256[:12]} that it does not hold")
    raw = re.sub(rb"\r\n|\r|\n", b"\r\n", contents[sha256])
    end = _HEADER_END.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw.rstrip(b"\r\n"), b"")
    lines = []
    for line in head.split(b"\r\n"):
        name = line.partition(b":")[0]
        lines.append(b"X-Original-" + line if name.lower() in _MARKS else line)
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    return b"".join(line + b"\r\n" for line in lines), body
