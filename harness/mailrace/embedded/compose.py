"""Takes a mail as JSON, as `POST /send` does; gives its bytes and the recipients of its envelope."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from typing import Any

_OWN_HEADERS = frozenset(
    ("to", "from", "cc", "bcc", "reply-to", "date", "subject", "content-type", "mime-version")
)


class CannotCompose(Exception):
    """The JSON makes no mail; the text is the release's."""


def compose(document: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    """The mail and the recipients of its envelope; raises CannotCompose. Keys of `document` are small."""
    mail = EmailMessage(policy=SMTP)
    sender = document.get("from") or {}
    mail["From"] = formataddr((str(sender.get("Name") or ""), str(sender.get("Email") or "")))
    lists = {
        name: _addresses(document.get(name.lower().replace("-", "")) or [], name)
        for name in ("To", "Cc", "Reply-To")
    }
    for name, pairs in lists.items():
        if pairs:
            mail[name] = ", ".join(map(formataddr, pairs))
    hidden = _addresses([{"Email": address} for address in document.get("bcc") or []], "Bcc")
    mail["Subject"] = str(document.get("subject") or "")
    mail["Date"] = formatdate()
    tags = [str(tag) for tag in document.get("tags") or []]
    if tags:
        mail["X-Tags"] = ", ".join(tags)
    for name, value in (document.get("headers") or {}).items():
        if name.lower() in _OWN_HEADERS or name in mail:
            raise CannotCompose(f'cannot overwrite header: "{name}"')
        mail[name] = str(value)
    _fill(mail, document)
    return bytes(mail), [address for _, address in (*lists["To"], *lists["Cc"], *hidden)]


def _fill(mail: EmailMessage, document: Mapping[str, Any]) -> None:
    mail.set_content(str(document.get("text") or ""))
    if document.get("html"):
        mail.add_alternative(str(document["html"]), subtype="html")
    for item in document.get("attachments") or []:
        name = str(item.get("Filename") or "")
        try:
            content = base64.b64decode(str(item.get("Content") or "").split(",")[-1], validate=True)
        except binascii.Error as error:
            raise CannotCompose(f'error decoding base64 attachment "{name}": {error}') from error
        kind, _, subkind = str(item.get("ContentType") or "application/octet-stream").partition("/")
        mail.add_attachment(content, maintype=kind, subtype=subkind, filename=name)


def _addresses(items: Sequence[Mapping[str, Any]], name: str) -> list[tuple[str, str]]:
    pairs = [(str(item.get("Name") or ""), str(item.get("Email") or "")) for item in items]
    for _, address in pairs:
        local, _, domain = address.rpartition("@")
        if not (local and domain) or " " in address:
            raise CannotCompose(f"invalid {name} address: {address}")
    return pairs
