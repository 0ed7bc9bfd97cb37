"""Takes a server's addresses; gives whether SMTP greets and REST is ready, each look within a limit."""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from harness.model.target import Addresses


def smtp_greeting(addresses: Addresses, timeout_s: float) -> str:
    """The first line of its SMTP side. Raises OSError (a time out among them) where there is none."""
    link = socket.create_connection((addresses.smtp_host, addresses.smtp_port), timeout_s)
    try:
        if addresses.smtp_tls == "tls":
            link = ssl.create_default_context().wrap_socket(link, server_hostname=addresses.smtp_host)
        with link.makefile("rb") as lines:
            line = lines.readline(1_000).decode("utf-8", "replace").strip()
        if line.startswith("220"):
            link.sendall(b"QUIT\r\n")
        return line
    finally:
        link.close()


def rest_status(addresses: Addresses, path: str, timeout_s: float) -> int:
    """The HTTP status of a path of its REST side. Raises OSError or http.client.HTTPException."""
    url = urlsplit(addresses.api)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=timeout_s)
    try:
        connection.request("GET", url.path + path)
        return connection.getresponse().status
    finally:
        connection.close()
