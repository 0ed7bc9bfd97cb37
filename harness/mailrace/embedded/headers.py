"""Reads the header of a message as Go's net/mail does: takes bytes; gives fields in order, and the body."""

import re
from dataclasses import dataclass
from email.header import decode_header
from email.utils import getaddresses

_WORD = re.compile(r"=\?[^?]+\?[bBqQ]\?[^?]*\?=")


class MalformedHeader(Exception):
    """A header line without a colon; the server answers 451."""


@dataclass(frozen=True, slots=True)
class Header:
    """Fields in their order, names as written, values unfolded and not decoded."""

    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The first value under a name, without regard to case; "" where there is none."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), "")

    def text(self, name: str) -> str:
        """The same, its encoded words decoded."""
        return decoded(self.get(name))

    def addresses(self, name: str) -> list[tuple[str, str]]:
        """(name, address) of a header that lists addresses; empty where one of them is none."""
        values = [value for key, value in self.fields if key.lower() == name.lower()][:1]
        if not values or not values[0].strip(" ,"):
            return []
        found = [(decoded(n), a) for n, a in getaddresses([values[0].strip(" ,")])]
        return found if all("@" in address.strip("@") for _, address in found) else []

    def canonical(self) -> dict[str, list[str]]:
        """Values by name in its canonical spelling (`Message-Id`), names sorted, as `/headers` gives them."""
        found: dict[str, list[str]] = {}
        for key, value in self.fields:
            found.setdefault("-".join(word.capitalize() for word in key.split("-")), []).append(value)
        return dict(sorted(found.items()))


def read_header(raw: bytes, *, is_part: bool = False) -> tuple[Header, bytes]:
    """Fields and body of a message, or of a part of one; raises MalformedHeader, for a message only."""
    fields: list[tuple[str, str]] = []
    start = 0
    while start < len(raw):
        end = raw.find(b"\n", start)
        line, start = (raw[start:], len(raw)) if end < 0 else (raw[start:end], end + 1)
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        if not text:
            break
        if text[0] in " \t" and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {text.strip()}".strip())
            continue
        name, colon, value = text.partition(":")
        if not colon and is_part:
            continue
        if not colon:
            raise MalformedHeader(f"malformed header line: {text}")
        fields.append((name, value.strip()))
    return Header(tuple(fields)), raw[start:]


def decoded(value: str) -> str:
    """A header value with its encoded words as text; one that cannot be decoded stays as it is."""
    if not _WORD.search(value):
        return value
    try:
        pieces = [
            p if isinstance(p, str) else p.decode(c or "ascii", "replace") for p, c in decode_header(value)
        ]
    except (LookupError, ValueError):
        return value
    return "".join(pieces)


def with_header(raw: bytes, name: str, value: str) -> bytes:
    """The message with that header replaced where it stands, else put before all others."""
    header, body = read_header(raw)
    new = f"{name}: {value}\r\n".encode("utf-8", "surrogateescape")
    if not header.get(name):
        return new + raw
    # Only the header is searched: a body may be of many megabytes.
    head = raw[: len(raw) - len(body)]
    lines = rb"(?im)^" + re.escape(name.encode()) + rb":.*\r?\n(?:[ \t].*\r?\n)*"
    return re.sub(lines, lambda _: new, head, count=1) + body


def is_listed(address: str, header: Header) -> bool:
    """Whether a recipient stands in To, Cc or Bcc, without regard to case."""
    listed = (a for name in ("To", "Cc", "Bcc") for _, a in header.addresses(name))
    return any(address.lower() == a.lower() for a in listed)
