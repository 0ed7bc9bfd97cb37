"""Takes a user's own message file; gives what is sent of it: its head, its body, and the tags it asks for.

The file is sent as it stands, with three exceptions. A line feed without a carriage return before it becomes
CRLF, because SMTP has no other end of a line. The header fields that tell messages apart (`REPLACED`) are
sent as `X-Original-…`, and mailrace's own stand in their place. The tags that those fields ask for are asked
for by the round's own fields, so that a round can have tags of its own (`mailrace.scenario.plan`).
"""

import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from functools import lru_cache
from typing import Literal

REPLACED = frozenset({"from", "to", "cc", "bcc", "reply-to", "message-id", "x-tags", "x-mailrace"})
"""Header fields, in lower case, that mailrace writes itself into every message."""

Place = Literal["to", "cc", "bcc"]

_LONE_LF = re.compile(rb"(?<!\r)\n")
_HEAD_END = re.compile(rb"\A\r*\n|\r*\n\r*\n")
_PLUS = re.compile(r'[^\s<>,;:"()@+]*\+([^\s<>,;:"()@]+)@')
_CAN_BE_A_TAG = re.compile(r"[A-Za-z0-9._-]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class PlusTag:
    """A tag that a plus-address in the file asks for: `place` is the header field in which it stands.

    The sender's address counts as a recipient in `To`: the server takes tags from it as well.
    """

    place: Place
    tag: str


@dataclass(frozen=True, slots=True)
class UserMail:
    """A message file, taken apart.

    head       the header's lines without their CRLF, the replaced fields renamed
    end        what separates head and body, as it stands in the file
    body       the rest; a CRLF always ends it
    x_tags     tags of its first `X-Tags`, which is the one that Mailpit reads, decoded, in order
    plus       tags of its plus-addresses, in order
    replaced   the fields that were renamed, each once, in the file's spelling
    """

    head: tuple[bytes, ...]
    end: bytes
    body: bytes
    x_tags: tuple[str, ...]
    plus: tuple[PlusTag, ...]
    replaced: tuple[str, ...]


@lru_cache(maxsize=64)
def user_mail(raw: bytes) -> UserMail:
    """Take a message file apart. Nothing in a file is an error: what is no header field stays as it is."""
    # The first empty line parts head and body; a file without one is all head.
    whole = _LONE_LF.sub(b"\r\n", raw)
    found = _HEAD_END.search(whole)
    head = whole[: found.start()] if found else whole.rstrip(b"\r\n")
    end, body = (found[0], whole[found.end() :]) if found else (b"\r\n\r\n", b"")
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    if not head:
        end = b"\r\n" + end  # the file begins with its empty line, so what ends our own head is added
    # Continued lines are joined for reading; a field that our own head replaces is renamed, and stays.
    lines = head.split(b"\r\n") if head else []
    fields: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        text = line.decode("utf-8", "replace")
        if text[:1] in (" ", "\t") and fields:
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {text.strip()}")
            continue
        name, _, value = text.partition(":")
        fields.append((name.strip(), value.strip()))
        if name.strip().lower() in REPLACED:
            lines[number] = b"X-Original-" + line
    return UserMail(
        head=tuple(lines),
        end=end,
        body=body,
        x_tags=_tags_in(next((value for name, value in fields if name.lower() == "x-tags"), "")),
        plus=tuple(tag for name, value in fields for tag in _plus_tags_in(name.lower(), value)),
        replaced=tuple(dict.fromkeys(name for name, _ in fields if name.lower() in REPLACED)),
    )


def _tags_in(value: str) -> tuple[str, ...]:
    try:
        text = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        text = value  # what cannot be decoded is sent as it stands
    parts = (_CONTROL.sub(" ", part).strip() for part in text.split(","))
    return tuple(part for part in parts if _CAN_BE_A_TAG.search(part))


def _plus_tags_in(name: str, value: str) -> tuple[PlusTag, ...]:
    places: dict[str, Place] = {"from": "to", "to": "to", "cc": "cc", "bcc": "bcc"}
    if name not in places:
        return ()
    found = (part for match in _PLUS.finditer(value) for part in match[1].split("+"))
    ascii_only = ("".join(c if c.isascii() and c.isprintable() else "-" for c in part) for part in found)
    return tuple(PlusTag(places[name], part) for part in ascii_only if _CAN_BE_A_TAG.search(part))
