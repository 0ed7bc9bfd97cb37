"""Raw mail to what Mailpit stores and shows of it: addresses, bodies, attachments, snippet, search text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message as Part
from email.utils import parsedate_to_datetime

from mailrace.embedded.headers import Header, decoded, read_header

SNIPPET_BYTES_MAX = 200
_NOISE = re.compile(r'(\r?\n|\t|>|<|"|,|;|\(|\))')
_BLOCK_END = re.compile(
    r"</(div|p|td|th|h[1-6]|ul|ol|li|address|article|aside|blockquote|dl|dt|footer|header|hr|main|nav|pre"
    r"|table|thead|tfoot|video)><",
    re.IGNORECASE,
)
_PLUS = re.compile(r"^.+?\+(.*?)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A part that is not the text; `number` is its place in the tree (`0`, `2`, `1.2`)."""

    number: str
    file_name: str
    content_type: str
    content_id: str
    content: bytes


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

    def plus_tags(self) -> list[str]:
        """The tags that plus-addresses in To, Cc, Bcc and From ask for."""
        lists = [self.header.addresses(name) for name in ("To", "Cc", "Bcc")]
        found: list[str] = []
        for _, address in [pair for addresses in lists for pair in addresses] + [self.sender()]:
            match = _PLUS.match(address)
            if match:
                found += match[1].split("+")
        return found

    def x_tags(self) -> list[str]:
        """The tags of X-Tags."""
        value = self.header.text("X-Tags").strip()
        return value.split(",") if value else []

    def snippet(self) -> str:
        """The first 200 bytes of what a reader would see."""
        seen = (
            _visible(self.html) if self.html.strip() else " ".join(self.text.replace("\ufeff", " ").split())
        )
        raw = seen.encode("utf-8", "replace")
        if len(raw) <= SNIPPET_BYTES_MAX:
            return seen
        return raw[:SNIPPET_BYTES_MAX].decode("utf-8", "ignore") + "..."

    def search_text(self) -> str:
        """What a search without a prefix looks through, in small letters."""
        names = ("From", "Subject", "To", "Cc", "Bcc", "Reply-To", "Return-Path")
        pieces = [self.header.text(name) for name in names]
        pieces.append(_visible(self.html, with_links=True) or self.text)
        pieces += [attachment.file_name for attachment in self.attachments]
        return clean_string(" ".join(pieces))


def clean_string(text: str) -> str:
    """Text as it is stored for searches and as searches are put: no punctuation of addresses, small."""
    return " ".join(_NOISE.sub(" ", text.replace("\ufeff", " ")).split()).lower()


def parse(raw: bytes) -> Mail:
    """The parsed mail; raises MalformedHeader."""
    header, _ = read_header(raw)
    texts: list[str] = []
    htmls: list[str] = []
    inline: list[Attachment] = []
    attachments: list[Attachment] = []
    for number, part in _leaves(message_from_bytes(raw), ""):
        kind = part.get_content_type()
        disposition = part.get_content_disposition()
        if kind in ("text/plain", "text/html") and disposition != "attachment" and not part.get_filename():
            (texts if kind == "text/plain" else htmls).append(_text(part))
        elif disposition == "attachment" or (kind == "application/octet-stream" and disposition is None):
            attachments.append(_attachment(number, part))
        else:
            inline.append(_attachment(number, part))
    return Mail(
        header=header,
        text="\n--\n".join(texts),
        html="\n--\n".join(htmls),
        inline=tuple(inline),
        attachments=tuple(attachments),
    )


def _leaves(part: Part, number: str) -> Iterator[tuple[str, Part]]:
    if not part.is_multipart():
        yield number or "0", part
        return
    for index, child in enumerate(part.get_payload(), start=1):
        assert isinstance(child, Part)
        yield from _leaves(child, f"{number}.{index}" if number else str(index))


def _content(part: Part) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(part: Part) -> str:
    charset = part.get_content_charset() or "utf-8"
    try:
        return _content(part).decode(charset, "replace")
    except LookupError:
        return _content(part).decode("utf-8", "replace")


def _attachment(number: str, part: Part) -> Attachment:
    return Attachment(
        number=number,
        file_name=decoded(part.get_filename() or ""),
        content_type=part.get_content_type(),
        content_id=str(part.get("Content-ID") or "").strip("<>"),
        content=_content(part),
    )


def _visible(html: str, *, with_links: bool = False) -> str:
    if not html.strip():
        return ""
    from mailrace.embedded.html_text import visible_text  # rarely needed, and slow to import

    spaced = re.sub(r"(?i)<(br /|br)>", " ", _BLOCK_END.sub(r"</\1> <", html))
    return visible_text(re.sub(r"(?i)<(img)", r" <\1", spaced), with_links=with_links)
