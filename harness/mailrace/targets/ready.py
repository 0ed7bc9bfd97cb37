"""Takes a server's addresses; gives whether SMTP greets and REST is alive, each look within a limit."""

import http.client
import smtplib
import socket
import ssl
from urllib.parse import urlsplit

from mailrace.model.own_trouble import own_trouble
from mailrace.model.target import Addresses, Liveness


def smtp_greeting(addresses: Addresses, timeout_s: float, tls: ssl.SSLContext | None = None) -> str:
    """The first line of its SMTP side. Raises OSError (a time out among them) where there is none."""
    with socket.create_connection((addresses.smtp_host, addresses.smtp_port), timeout_s) as plain:
        link = tls.wrap_socket(plain, server_hostname=addresses.smtp_host) if tls else plain
        with link, link.makefile("rb") as lines:
            line = lines.readline(1_000).decode("utf-8", "replace").strip()
            if line.startswith("220"):
                link.sendall(b"QUIT\r\n")
            return line


def starttls(addresses: Addresses, timeout_s: float, tls: ssl.SSLContext | None) -> None:
    """Turn one connection to TLS and leave. Raises OSError: ssl.SSLError, or smtplib's where it refuses."""
    place = (addresses.smtp_host, addresses.smtp_port)
    with smtplib.SMTP(*place, local_hostname="localhost", timeout=timeout_s) as link:
        link.starttls(context=tls)


def rest_status(addresses: Addresses, path: str, timeout_s: float, tls: ssl.SSLContext | None = None) -> int:
    """The HTTP status of a path of its REST side. Raises OSError or http.client.HTTPException."""
    url = urlsplit(addresses.api)
    host = url.hostname or ""
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(host, url.port, timeout=timeout_s, context=tls)
    else:
        connection = http.client.HTTPConnection(host, url.port, timeout=timeout_s)
    try:
        connection.request("GET", url.path + path)
        return connection.getresponse().status
    finally:
        connection.close()


def look(
    addresses: Addresses, timeout_s: float, tls: ssl.SSLContext | None = None, path: str = "/readyz"
) -> Liveness:
    """ALIVE where `/readyz` answers, whatever it says: it asks the database, and blocks on a hung one."""
    try:
        rest_status(addresses, path, timeout_s, tls)
    except TimeoutError:
        return Liveness.HUNG
    except (OSError, http.client.HTTPException) as wrong:
        return Liveness.UNSEEN if own_trouble(wrong) else Liveness.DEAD
    return Liveness.ALIVE
