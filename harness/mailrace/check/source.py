"""Takes a message as it was sent and its source as the server shows it; gives where they differ, in words.

Measured on Mailpit 1.17.0 to 1.33.1: before the message that it was sent it puts `Received`, `Return-Path`, a
`Bcc` for recipients that stand in no header, and a `Message-ID` where there is none. It replaces a
`Return-Path` that is there, and makes CR CR LF one line's end. All else it keeps byte for byte. Over `POST
/send` it writes the message itself, so there the marks and the decoded text are compared.
"""

import re
from email import message_from_bytes
from email.message import Message as Parsed
from email.utils import getaddresses

from mailrace.model.attempt import Source
from mailrace.model.secrets import without_secrets

_ADDED = frozenset({b"received", b"return-path", b"bcc"})
_LINE_END = re.compile(rb"\r*\n")
_ADDRESSES = ("From", "To", "Reply-To")
_TEXTS = ("Subject", "Message-ID", "X-Mailrace")
SHOWN_CHARS_MAX = 60


def compare_source(sent: bytes, raw: bytes, *, is_posted: bool = False) -> Source:
    """The source `raw` of a stored message beside the bytes `sent` (as `render` gives them, not stuffed).

    is_posted   the message went over `POST /send`, so the server has composed it
    """
    ours, theirs = (_marks_of(sent), _marks_of(raw)) if is_posted else (_lines_of(sent), _lines_of(raw))
    # A message that was sent without a Message-ID got one from the server.
    if not is_posted and not any(line.lower().startswith(b"message-id:") for line in ours):
        theirs = [line for line in theirs if not line.lower().startswith(b"message-id:")]
    return Source(size_bytes=len(raw), difference=_difference(ours, theirs))


def _lines_of(raw: bytes) -> list[bytes]:
    """The lines of a message without the header fields that the server adds or replaces."""
    lines = _LINE_END.split(raw)
    end = lines.index(b"") if b"" in lines else len(lines)
    kept: list[bytes] = []
    is_added = False
    for line in lines[:end]:
        if line[:1] not in (b" ", b"\t"):  # a folded line belongs to the field above it
            is_added = line.partition(b":")[0].strip().lower() in _ADDED
        if not is_added:
            kept.append(line)
    return kept + lines[end:]


def _marks_of(raw: bytes) -> list[bytes]:
    """What stays the same whoever composes the message: addresses, subject, IDs, the words of its text."""
    parsed: Parsed = message_from_bytes(raw)
    found = []
    for name in _ADDRESSES:
        addresses = [a.lower() for _, a in getaddresses([str(v) for v in parsed.get_all(name, [])])]
        found.append(f"{name}: {', '.join(addresses)}")
    found += [f"{name}: {' '.join(str(parsed.get(name, '')).split())}" for name in _TEXTS]
    part = next((p for p in parsed.walk() if p.get_content_type() == "text/plain"), parsed)
    payload = part.get_payload(decode=True)
    words = payload.split() if isinstance(payload, bytes) else []
    return [line.encode(errors="replace") for line in found] + words


def _difference(ours: list[bytes], theirs: list[bytes]) -> str:
    if ours == theirs:
        return ""
    at = next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        at = min(len(ours), len(theirs))
    sent = f"{_shown(ours[at])} was sent" if at < len(ours) else "no more was sent"
    stored = f"{_shown(theirs[at])} is stored" if at < len(theirs) else "nothing more is stored"
    return f"{stored} where {sent}"


def _shown(line: bytes) -> str:
    return repr(without_secrets(line.decode("utf-8", "backslashreplace"))[:SHOWN_CHARS_MAX])
