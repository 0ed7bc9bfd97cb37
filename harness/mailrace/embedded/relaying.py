"""Hands a stored message to an SMTP server: with the bytes that a release of it has."""

import asyncio
import re
from collections.abc import Sequence
from email.utils import formatdate

from mailrace.embedded.headers import read_header, with_header
from mailrace.embedded.settings import Address
from mailrace.embedded.storing import new_id
from mailrace.embedded.versions import Version

SECONDS_MAX = 10.0
_BCC = re.compile(rb"(?im)^Bcc:.*\r?\n(?:[ \t].*\r?\n)*")


class RelayFailed(Exception):
    """The relay did not take it; the text says why."""


def released(raw: bytes, version: Version) -> tuple[str, bytes]:
    """Sender and mail as they are handed on: no Bcc, a new Date and Message-ID; "" where it has no From."""
    header, body = read_header(raw)
    senders = header.addresses("Sender") or header.addresses("From")
    head = _BCC.sub(b"", raw[: len(raw) - len(body)])
    mail = with_header(head + body, "Date", formatdate().replace("-0000", "+0000"))
    name = "Message-ID" if version.since(1, 27) else "Message-Id"
    return senders[0][1] if senders else "", with_header(mail, name, f"<{new_id()}@mailpit>")


async def relay(to: Address, sender: str, recipients: Sequence[str], mail: bytes) -> None:
    """Hand a mail to the relay; meanwhile others are served. Raises RelayFailed."""
    # It is needed by few, and imported when it is: each start would be later for it.
    import smtplib

    def send() -> None:
        with smtplib.SMTP(*to, local_hostname="localhost", timeout=SECONDS_MAX) as client:
            client.sendmail(sender, list(recipients), mail)

    try:
        await asyncio.to_thread(send)
    except (OSError, smtplib.SMTPException) as error:
        raise RelayFailed(f"SMTP error: {error}") from error
