"""Takes raw mail; gives what Mailpit stores and shows: addresses, bodies, attachments, snippet, search text.

A mail of many megabytes is cut at its boundaries and not copied line by line; parts are decoded when asked.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as Part
from email.utils import parsedate_to_datetime

from mailrace.embedded.headers import Header, decoded, read_header

SNIPPET_BYTES_MAX = 200
_NOISE = str.maketrans(dict.fromkeys('\n\t><",;()\ufeff', " "))
_UNSEEN = re.compile(r"(?is)<(script|title|style|noscript)\b.*?</\1>")
_BLOCK_END = re.compile(r"(?i)<br ?/?>|</(?:div|p|t[dh]|h[1-6]|[uo]l|li|table|header|footer)>")
_TAG = re.compile(r"(?s)<[^>]*>")
_PLUS = re.compile(r"^.+?\+(.*?)@")
_PART_HEADERS = ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "Content-ID")


class Unparsable(Exception):
    """A mail whose parts cannot be told apart, such as a multipart without a boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A part that is not the text; `number` is its place in the tree (`0`, `2`, `1.2`)."""

    number: str
    part: Part

    @property
    def file_name(self) -> str:
        """As the part names it, "" where it does not."""
        return decoded(self.part.get_filename() or "")

    @property
    def content_id(self) -> str:
        """Without its angle brackets."""
        return str(self.part.get("Content-ID") or "").strip("<>")

    def content(self) -> bytes:
        """The decoded bytes."""
        return _content(self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as parsed; text bodies of several parts are joined as Mailpit shows them."""

    header: Header
    text: str
    html: str
    inline: tuple[Attachment, ...]
    attachments: tuple[Attachment, ...]

    @property
    def message_id(self) -> str:
        """Without its angle brackets."""
        return self.header.get("Message-ID").strip("<>")

    @property
    def date(self) -> str | None:
        """The Date header as RFC 3339, None where it has none that can be read."""
        try:
            stamp = parsedate_to_datetime(self.header.get("Date"))
        except (TypeError, ValueError):
            return None
        return stamp.isoformat().replace("+00:00", "Z") if stamp.tzinfo else f"{stamp.isoformat()}Z"

    def sender(self) -> tuple[str, str]:
        """(name, address) of From; what is no address is a name."""
        found = self.header.addresses("From")
        return found[0] if found else (self.header.text("From"), "")

    def people(self) -> dict[str, object]:
        """Sender and recipients as JSON shows them."""
        headers = {"To": "To", "Cc": "Cc", "Bcc": "Bcc", "ReplyTo": "Reply-To"}
        listed = {key: self.header.addresses(name) for key, name in headers.items()}
        name, address = self.sender()
        return {
            "From": {"Name": name, "Address": address},
            **{key: [{"Name": n, "Address": a} for n, a in pairs] for key, pairs in listed.items()},
        }

    def plus_tags(self) -> list[str]:
        """The tags that plus-addresses in To, Cc, Bcc and From ask for."""
        listed = [pair for name in ("To", "Cc", "Bcc") for pair in self.header.addresses(name)]
        matches = [_PLUS.match(address) for _, address in [*listed, self.sender()]]
        return [tag for match in matches if match for tag in match[1].split("+")]

    def x_tags(self) -> list[str]:
        """The tags of X-Tags."""
        value = self.header.text("X-Tags").strip()
        return value.split(",") if value else []

    def snippet(self) -> str:
        """The first 200 bytes of what a reader would see."""
        # The beginning is enough, as a text may have megabytes.
        start = self.text.replace("\ufeff", " ").lstrip()[: 50 * SNIPPET_BYTES_MAX]
        seen = _visible(self.html) or " ".join(start.split())
        raw = seen.encode("utf-8", "replace")
        if len(raw) <= SNIPPET_BYTES_MAX:
            return seen
        return raw[:SNIPPET_BYTES_MAX].decode("utf-8", "ignore") + "..."

    def search_text(self) -> str:
        """What a search without a prefix looks through, in small letters."""
        names = ("From", "Subject", "To", "Cc", "Bcc", "Reply-To", "Return-Path")
        pieces = [self.header.text(name) for name in names]
        pieces.append(_visible(self.html) or self.text)
        pieces += [attachment.file_name for attachment in self.attachments]
        return clean_string(" ".join(pieces))


def clean_string(text: str) -> str:
    """Text as it is stored for searches and as searches are put: no punctuation of addresses, small."""
    return " ".join(text.translate(_NOISE).split()).lower()


def parse(raw: bytes) -> Mail:
    """The parsed mail; raises MalformedHeader and Unparsable."""
    header, body = read_header(raw)
    texts: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    inline: list[Attachment] = []
    attachments: list[Attachment] = []
    for number, part in _leaves(header, body, ""):
        kind = part.get_content_type()
        disposition = part.get_content_disposition()
        if kind in texts and disposition != "attachment" and not part.get_filename():
            texts[kind].append(_text(part))
        elif disposition == "attachment" or (kind == "application/octet-stream" and disposition is None):
            attachments.append(Attachment(number=number, part=part))
        else:
            inline.append(Attachment(number=number, part=part))
    return Mail(
        header=header,
        text="\n--\n".join(texts["text/plain"]),
        html="\n--\n".join(texts["text/html"]),
        inline=tuple(inline),
        attachments=tuple(attachments),
    )


def _leaves(header: Header, body: bytes, number: str) -> Iterator[tuple[str, Part]]:
    """The parts that hold no other parts, with their places in the tree."""
    part = Part()
    for name in _PART_HEADERS:
        if value := header.get(name):
            part[name] = value
    if part.get_content_maintype() != "multipart":
        part.set_payload(body.decode("ascii", "surrogateescape"))
        yield number or "0", part
        return
    boundary = part.get_boundary()
    if not boundary:
        raise Unparsable("Unable to parse message")
    for index, piece in enumerate(_pieces(body, boundary.encode("utf-8", "replace")), start=1):
        inner, content = read_header(piece, is_part=True)
        yield from _leaves(inner, content, f"{number}.{index}" if number else str(index))


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between the lines of the boundary, in order."""
    mark = b"--" + boundary
    start, at = -1, body.find(mark)
    while at >= 0:
        end = at + len(mark)
        is_line = (at == 0 or body[at - 1 : at] == b"\n") and body[end : end + 1] in (b"", b"\r", b"\n", b"-")
        if is_line:
            if start >= 0:
                yield body[start:at].removesuffix(b"\n").removesuffix(b"\r")
            if body[end : end + 2] == b"--":
                return
            start = body.find(b"\n", end) + 1 or len(body)
        at = body.find(mark, end)
    if start >= 0:
        yield body[start:]


def _content(part: Part) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Part) -> str:
    try:
        return _content(part).decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return _content(part).decode("utf-8", "replace")


def _visible(source: str) -> str:
    """The text of HTML that a reader sees, on one line."""
    text = _TAG.sub("", _BLOCK_END.sub(" ", _UNSEEN.sub("", source)))
    return " ".join(html.unescape(text).split())
