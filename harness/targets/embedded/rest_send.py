"""POST /send: a mail written as JSON, stored as if it had come over SMTP."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formataddr, formatdate
from typing import Any

from aiohttp import web

from harness.targets.embedded.mailbox import Mailbox, Refused
from harness.targets.embedded.rest_reply import BadJson, as_json, read_json

_RESERVED = ("to", "from", "cc", "bcc", "reply-to", "date", "subject", "content-type", "mime-version")


def send_handler(mailbox: Mailbox) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler; every mistake is 400 with `{"Error": …}`, stored or not."""

    async def send(request: web.Request) -> web.StreamResponse:
        try:
            document = await read_json(request)
            raw, recipients = _compose(document)
            sender = str((document.get("from") or {}).get("Email", ""))
            message = await mailbox.accept(sender, recipients, raw)
        except (BadJson, Refused) as error:
            return as_json({"Error": str(error)}, status=400)
        return as_json({"ID": message})

    return send


def _compose(document: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    mail = _body(document)
    sender = document.get("from") or {}
    mail["From"] = _address(str(sender.get("Name", "")), str(sender.get("Email", "")))
    recipients: list[str] = []
    for name in ("To", "Cc"):
        pairs = _pairs(document.get(name.lower()), name)
        recipients += [address for _, address in pairs]
        if pairs:
            mail[name] = ", ".join(_address(n, a) for n, a in pairs)
    for address in document.get("bcc") or []:
        _check(str(address), "Bcc")
        recipients.append(str(address))
    reply_to = _pairs(document.get("replyto"), "Reply-To")
    if reply_to:
        mail["Reply-To"] = ", ".join(_address(n, a) for n, a in reply_to)
    mail["Subject"] = _encoded(str(document.get("subject", "")))
    mail["Date"] = formatdate()
    tags = [str(tag) for tag in document.get("tags") or []]
    if tags:
        mail["X-Tags"] = ", ".join(tags)
    for name, value in (document.get("headers") or {}).items():
        if name.lower() in (*_RESERVED, *(["x-tags"] if tags else [])):
            raise BadJson(f'cannot overwrite header: "{name}"')
        mail[name] = str(value)
    text = mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return text, recipients


def _encoded(subject: str) -> str:
    return subject if subject.isascii() else Header(subject, "utf-8").encode()


def _body(document: Mapping[str, Any]) -> MIMEText | MIMEMultipart:
    text = MIMEText(str(document.get("text", "")), "plain", "utf-8")
    html = str(document.get("html", "") or "")
    body: MIMEText | MIMEMultipart = text
    if html:
        body = MIMEMultipart("alternative", _subparts=[text, MIMEText(html, "html", "utf-8")])
    files = [_attachment(item) for item in document.get("attachments") or []]
    return MIMEMultipart("mixed", _subparts=[body, *files]) if files else body


def _attachment(item: Mapping[str, Any]) -> MIMEApplication:
    name = str(item.get("Filename", ""))
    try:
        content = base64.b64decode(str(item.get("Content", "")).split(",")[-1], validate=True)
    except binascii.Error as error:
        raise BadJson(f'error decoding base64 attachment "{name}": {error}') from error
    kind = str(item.get("ContentType") or "application/octet-stream").partition("/")[2]
    part = MIMEApplication(content, kind)
    disposition = "inline" if item.get("ContentID") else "attachment"
    part.add_header("Content-Disposition", disposition, filename=name)
    if item.get("ContentID"):
        part.add_header("Content-ID", f"<{item['ContentID']}>")
    return part


def _pairs(items: Sequence[Mapping[str, Any]] | None, name: str) -> list[tuple[str, str]]:
    pairs = [(str(item.get("Name") or ""), str(item.get("Email") or "")) for item in items or []]
    for _, address in pairs:
        _check(address, name)
    return pairs


def _check(address: str, name: str) -> None:
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or " " in address:
        raise BadJson(f"invalid {name} address: {address}")


def _address(name: str, address: str) -> str:
    return formataddr((name, address)) if name else f"<{address}>"
