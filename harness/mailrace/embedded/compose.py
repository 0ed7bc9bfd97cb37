"""A mail written as JSON to its bytes: headers sorted, parts nested, as the release's own builder does it."""

import base64
import binascii
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from email.header import Header
from email.utils import formatdate
from typing import Any

_RESERVED = frozenset(
    ("to", "from", "cc", "bcc", "reply-to", "date", "subject", "content-type", "mime-version")
)


class CannotCompose(Exception):
    """What was asked for makes no mail; the text is the release's."""


def compose(document: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    """The mail and the recipients of its envelope; raises CannotCompose. Keys of `document` are small."""
    sender = document.get("from") or {}
    headers = {"From": _address(str(sender.get("Name") or ""), str(sender.get("Email") or ""))}
    recipients: list[str] = []
    for name in ("To", "Cc"):
        pairs = _pairs(document.get(name.lower()), name)
        recipients += [address for _, address in pairs]
        headers |= _listed(name, pairs)
    recipients += [a for _, a in _pairs(({"Email": a} for a in document.get("bcc") or []), "Bcc")]
    headers |= _listed("Reply-To", _pairs(document.get("replyto"), "Reply-To"))
    headers |= {"Subject": _encoded(str(document.get("subject") or "")), "Date": formatdate()}
    tags = [str(tag) for tag in document.get("tags") or []]
    headers |= {"X-Tags": ", ".join(tags)} if tags else {}
    for name, value in (document.get("headers") or {}).items():
        if name.lower() in _RESERVED or (tags and name.lower() == "x-tags"):
            raise CannotCompose(f'cannot overwrite header: "{name}"')
        headers["-".join(word.capitalize() for word in name.split("-"))] = _encoded(str(value))
    return _body(document, headers | {"Mime-Version": "1.0"}), recipients


def _body(document: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    files = document.get("attachments") or []
    text, html = str(document.get("text") or ""), str(document.get("html") or "")

    def letter(outer: Mapping[str, str]) -> bytes:
        if not html:
            return _text(outer, text, "plain")
        return _multipart(outer, "alternative", [_text({}, text, "plain"), _text({}, html, "html")])

    if not files:
        return letter(headers)
    return _multipart(headers, "mixed", [letter({}), *(_attachment(item) for item in files)])


def _part(headers: Mapping[str, str], body: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in sorted(headers.items())).encode()
    return lines + b"\r\n" + body if body else lines


def _text(headers: Mapping[str, str], text: str, kind: str) -> bytes:
    headers = {**headers, "Content-Type": f"text/{kind}; charset=utf-8"}
    return _transferred(headers, re.sub(r"\r?\n", "\r\n", text).encode())


def _transferred(headers: Mapping[str, str], content: bytes) -> bytes:
    if content.isascii():
        return _part(headers, content)
    packed = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return _part({**headers, "Content-Transfer-Encoding": "base64"}, packed)


def _multipart(headers: Mapping[str, str], kind: str, parts: Sequence[bytes]) -> bytes:
    boundary = f"bounds-{uuid.uuid4()}"
    kinds = f"multipart/{kind};\r\n boundary={boundary}"
    start = f"\r\n--{boundary}\r\n".encode()
    end = f"\r\n--{boundary}--\r\n".encode()
    return _part({**headers, "Content-Type": kinds}, b"") + b"".join(start + part for part in parts) + end


def _attachment(item: Mapping[str, Any]) -> bytes:
    name = str(item.get("Filename") or "")
    try:
        content = base64.b64decode(str(item.get("Content") or "").split(",")[-1], validate=True)
    except binascii.Error as error:
        raise CannotCompose(f'error decoding base64 attachment "{name}": {error}') from error
    detected = "text/plain; charset=utf-8" if content.isascii() else "application/octet-stream"
    disposition = "inline" if item.get("ContentID") else "attachment"
    quoted = name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'
    headers = {"Content-Type": str(item.get("ContentType") or detected)}
    headers |= {"Content-Disposition": f"{disposition}; filename={quoted}"}
    headers |= {"Content-Id": f"<{item['ContentID']}>"} if item.get("ContentID") else {}
    return _transferred(headers, content)


def _pairs(items: Iterable[Mapping[str, Any]] | None, name: str) -> list[tuple[str, str]]:
    pairs = [(str(item.get("Name") or ""), str(item.get("Email") or "")) for item in items or ()]
    for _, address in pairs:
        local, _, domain = address.rpartition("@")
        if not (local and domain) or " " in address:
            raise CannotCompose(f"invalid {name} address: {address}")
    return pairs


def _listed(name: str, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {name: ", ".join(_address(n, a) for n, a in pairs)} if pairs else {}


def _address(name: str, address: str) -> str:
    if not name:
        return f"<{address}>"
    return f'"{name}" <{address}>' if name.isascii() else f"{_encoded(name)} <{address}>"


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8").encode()
