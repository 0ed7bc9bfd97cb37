"""Takes a planned message and an attempt's number; gives its RFC 5322 bytes: with CRLF, not dot-stuffed.

The other way round, it tells whose copy a mail is that a relay got.
"""

import re
from base64 import encodebytes
from collections.abc import Iterable, Mapping
from email import message_from_bytes
from functools import lru_cache

from mailrace.model.attempt import Relayed
from mailrace.model.errors import InternalError
from mailrace.model.operation import FILLER, Message
from mailrace.model.user_mail import user_mail

LINE_CHARS_MAX = 800
"""The longest line: tags that would make a longer one are folded (RFC 5322 2.1.1 allows 998)."""

_MARK = re.compile(rb"^X-Mailrace: run=\S+; message=(\w+); attempt=(\d+)\r?$", re.MULTILINE)
_KEPT = ("From", "To", "Cc", "Reply-To", "Subject")
_LINE = FILLER.encode() + b"\r\n"


def _generated_body(message: Message) -> bytes:
    """Plain text of exactly `body_bytes` (2 at least): the message's key, then the lines of every message."""
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


@lru_cache(maxsize=2)
def _image(length_bytes: int) -> bytes:
    """An attached image of that length: named as one, its content does not matter to Mailpit."""
    head = b'Content-Type: image/png; name="a.png"\r\nContent-Disposition: attachment; filename="a.png"\r\n'
    lines = encodebytes(b"\x89PNG" + bytes(length_bytes)).replace(b"\n", b"\r\n")
    return head + b"Content-Transfer-Encoding: base64\r\n\r\n" + lines


def render(message: Message, attempt: int, contents: Mapping[str, bytes]) -> bytes:
    """The bytes of `message` as its attempt number `attempt` (1, 2, …) sends them.

    The marks (From, To, Cc, Reply-To, Message-ID, X-Mailrace) and the tags come first. Of a user's own
    message (`contents` by its SHA-256) head and body follow, as `mailrace.model.user_mail` gives them.
    """
    head = [
        f"From: <{message.sender}>",
        "To: " + ",\r\n ".join(f"<{a}>" for a in message.to),
        *(["Cc: " + ",\r\n ".join(f"<{a}>" for a in message.cc)] if message.cc else []),
        f"Reply-To: <{message.reply_to(attempt)}>",
        f"Message-ID: <{message.message_id}>",
    ]
    if message.x_tags:
        between = ", " if sum(map(len, message.x_tags)) < LINE_CHARS_MAX else ",\r\n "
        head.append("X-Tags: " + between.join(message.x_tags))
    head += [f"{name}: {value}" for name, value in message.headers]
    # This stands last among our fields, as a user's file whose first line begins with a space would continue
    # it.
    head.append(f"X-Mailrace: run={message.domain}; message={message.key}; attempt={attempt}")
    if message.malformed:
        head.append("this header line has no colon")
    # A user's own message: its file has the rest of the head, and the body.
    if message.file_sha256 is not None:
        if message.file_sha256 not in contents:
            digest = message.file_sha256[:12]
            raise InternalError(f"the plan names a message file {digest} that it does not hold")
        own = user_mail(contents[message.file_sha256])
        lines = [line.encode("utf-8", "replace") for line in head]
        return b"\r\n".join([*lines, *own.head]) + own.end + own.body
    head += [
        f"Subject: {message.shown_subject}",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000",
        "MIME-Version: 1.0",
    ]
    text = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + _generated_body(message)
    if not message.image_bytes:
        return "\r\n".join(head).encode() + b"\r\n" + text
    head.append('Content-Type: multipart/mixed; boundary="mailrace"')
    parts = (b"", text, _image(message.image_bytes))
    return "\r\n".join([*head, "", ""]).encode() + b"--mailrace\r\n".join(parts) + b"--mailrace--\r\n"


def relayed_of(
    mails: Iterable[bytes], messages: Mapping[str, Message], contents: Mapping[str, bytes]
) -> tuple[Relayed, ...]:
    """Those mails of a relay that are copies of `messages`, by their mark, compared with what was sent.

    When a server releases a message it replaces some header fields, such as Date and Message-ID; `_KEPT` must
    stay.
    """
    found = []
    for mail in mails:
        head, _, body = mail.partition(b"\r\n\r\n")
        mark = _MARK.search(head)
        message = messages.get(mark[1].decode()) if mark else None
        if mark is not None and message is not None:
            own, _, sent = render(message, int(mark[2]), contents).partition(b"\r\n\r\n")
            is_whole = body.rstrip(b"\r\n") == sent.rstrip(b"\r\n")
            said = "" if is_whole else f"{len(body)} bytes that are not the {len(sent)} that were sent"
            theirs, ours = _kept(head), _kept(own)
            if altered := [name for name in _KEPT if theirs[name] != ours[name]]:
                said = said or f"another {' and another '.join(altered)} than was sent"
            found.append(Relayed(key=message.key, difference=said))
    return tuple(found)


def _kept(head: bytes) -> dict[str, str]:
    parsed = message_from_bytes(head)
    return {name: " ".join(str(parsed.get(name, "")).split()) for name in _KEPT}
