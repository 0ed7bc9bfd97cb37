"""Takes a server's addresses; gives whether SMTP greets and REST is alive, each look within a limit."""

import base64
import http.client
import smtplib
import socket
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from mailrace.model.dial import dial, is_unix
from mailrace.model.own_trouble import own_trouble
from mailrace.model.target import Addresses, Liveness
from mailrace.targets.cutting import whole_within
from mailrace.targets.wires import Smtp


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long a target is waited for, in seconds; the defaults are what every command uses.

    ready_s      until both ports of a process that we start answer
    look_s       for one look at them: another program that took a port may accept and never greet
    greeting_s   for the SMTP greeting of a server that is not ours
    answer_s     for each REST answer of such a server
    """

    ready_s: float = 5.0
    look_s: float = 1.0
    greeting_s: float = 5.0
    answer_s: float = 10.0


WAITS = Waits()


def smtp_greeting(addresses: Addresses, timeout_s: float, tls: ssl.SSLContext | None = None) -> str:
    """The first line of its SMTP side. Raises OSError (a time out among them) where there is none."""
    with dial((addresses.smtp_host, addresses.smtp_port), timeout_s) as plain:
        link = tls.wrap_socket(plain, server_hostname=addresses.smtp_host) if tls else plain
        with link:
            line = _first_line(link, timeout_s).decode("utf-8", "replace").strip()
            if line.startswith("220"):
                link.sendall(b"QUIT\r\n")
            return line


def is_pop3(addresses: Addresses, timeout_s: float) -> bool:
    """Whether its POP3 side greets. Raises OSError (a time out among them) where nothing comes."""
    with dial((addresses.smtp_host, addresses.pop3_port), timeout_s) as link:
        greets = _first_line(link, timeout_s).startswith(b"+OK")
        link.sendall(b"QUIT\r\n")
        return greets


def _first_line(link: socket.socket, timeout_s: float) -> bytes:
    """What comes up to a line end, 1,000 bytes or the end; the limit is for all of it, not for each byte."""
    ends, data = time.monotonic() + timeout_s, b""
    while b"\n" not in data and len(data) < 1_000:
        left_s = ends - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("no whole line within the limit")
        link.settimeout(left_s)
        part = link.recv(1_000)
        if not part:
            break
        data += part
    return data.partition(b"\n")[0]


def starttls(addresses: Addresses, timeout_s: float, tls: ssl.SSLContext | None) -> None:
    """Turn one connection to TLS and leave. Raises OSError: ssl.SSLError, or smtplib's where it refuses."""
    with closing(Smtp(addresses, timeout_s)) as link, link.whole_within(timeout_s):
        link.starttls(context=tls)
        link.docmd("QUIT")


LOOKER = "looks-only@mailrace-looks-only.test"
NO_AUTH = (500, 502, 503, 504)
"""Replies to AUTH where a server does not know it or does not take it here (RFC 5321 4.2.4, RFC 4954 4)."""


def smtp_refusal(
    addresses: Addresses, auth: tuple[str, str] | None, timeout_s: float, tls: ssl.SSLContext | None
) -> str:
    """Why its SMTP takes no mail from us, with the next step, as far as logins and TLS go; "" if it does.

    A session is opened as a sender opens it, up to MAIL, and is left. Whatever else goes wrong there is left
    to the race itself, which tells of it.
    """
    place = addresses.smtp_place
    wrapped = tls if addresses.smtp_tls == "tls" else None
    try:
        with closing(Smtp(addresses, timeout_s, wrapped)) as link, link.whole_within(timeout_s):
            link.ehlo()
            if addresses.smtp_tls == "starttls":
                link.starttls(context=tls)
                link.ehlo()
            if auth is not None:
                secret = base64.b64encode(f"\0{auth[0]}\0{auth[1]}".encode()).decode()
                code, said = link.docmd("AUTH", f"PLAIN {secret}")
                if code >= 400:
                    return _why_no_login(place, code, said.decode("utf-8", "replace"))
            code, said = link.docmd("MAIL", f"FROM:<{LOOKER}>")
            link.docmd("RSET")
            link.docmd("QUIT")
    except (OSError, smtplib.SMTPException, ValueError):
        return ""
    # The reply to MAIL is the last word of a server that takes no mail from us without TLS or a login.
    text = said.decode("utf-8", "replace")
    if code == 530 and "TLS" in text.upper():
        return f"{place} wants TLS first ({code} {text}); give tls=starttls"
    if code in (530, 535):
        return (
            f"{place} wants a login ({code} {text}); give it in MAILRACE_SMTP_USER and "
            f"MAILRACE_SMTP_PASSWORD, or as `machine {place}` in a netrc file"
        )
    return ""


def _why_no_login(place: str, code: int, text: str) -> str:
    if "TLS" in text.upper() or code == 538:
        return f"{place} takes a login over TLS only ({code} {text}); give tls=starttls or tls=tls"
    if code in NO_AUTH:
        return (
            f"{place} takes no login ({code} {text} to AUTH); unset MAILRACE_SMTP_USER and "
            f"MAILRACE_SMTP_PASSWORD, or take `machine {place}` out of the netrc file; if it offers AUTH "
            "over TLS only, give tls=starttls"
        )
    return (
        f"{place} refuses the login ({code} {text}); mend MAILRACE_SMTP_USER and MAILRACE_SMTP_PASSWORD, or "
        f"`machine {place}` in the netrc file"
    )


def rest_status(addresses: Addresses, path: str, timeout_s: float, tls: ssl.SSLContext | None = None) -> int:
    """The HTTP status of a path of its REST side. Raises OSError or http.client.HTTPException."""
    host, port, is_tls = addresses.api_host_port()
    connection = http.client.HTTPConnection("localhost" if is_unix(host) else host, port or 80)
    connection.sock = dial((host, port), timeout_s)
    if is_tls:
        connection.sock = (tls or ssl.create_default_context()).wrap_socket(
            connection.sock, server_hostname=host
        )
    with closing(connection), whole_within(timeout_s, lambda: [connection.sock]):
        connection.request("GET", urlsplit(addresses.api).path + path)
        return connection.getresponse().status


def look(
    addresses: Addresses, timeout_s: float, tls: ssl.SSLContext | None = None, path: str = "/readyz"
) -> Liveness:
    """ALIVE where `/readyz` answers anything: it asks the database, and blocks where that hangs."""
    try:
        rest_status(addresses, path, timeout_s, tls)
    except TimeoutError:
        return Liveness.HUNG
    except (OSError, http.client.HTTPException) as wrong:
        return Liveness.UNSEEN if own_trouble(wrong) else Liveness.DEAD
    return Liveness.ALIVE
