"""The clients of the standard library and of requests, connected by `mailrace.model.dial`."""

import smtplib
import socket
import ssl
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailrace.model.dial import Address, dial, is_unix
from mailrace.model.target import Addresses, api_address
from mailrace.targets.cutting import whole_within

if TYPE_CHECKING:
    import requests
    from urllib3.connection import HTTPConnection


class Smtp(smtplib.SMTP):
    """smtplib's client, connected to the SMTP side of `addresses`; `tls` wraps its link from the start.

    Raises OSError or SMTPException where it gets no (whole) greeting within the limit.
    """

    def __init__(self, addresses: Addresses, timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        self._address = (addresses.smtp_host, addresses.smtp_port)
        self._wrapped = tls
        try:
            with self.whole_within(timeout_s):
                super().__init__(*self._address, local_hostname="localhost", timeout=timeout_s)
        except OSError:
            self.close()
            raise

    def whole_within(self, limit_s: float) -> AbstractContextManager[None]:
        """A block in which it is cut off, with a TimeoutError, once the limit has passed."""
        return whole_within(limit_s, lambda: [self.sock])

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = dial(self._address, timeout)
        return self._wrapped.wrap_socket(sock, server_hostname=host) if self._wrapped else sock


def wire_url(api: str) -> str:
    """The URL that requests is given for an API: over a Unix socket its host is only a word."""
    url = urlsplit(api)
    return f"http://localhost{url.path}" if url.scheme == "http+unix" else api


def over_our_dial(session: "requests.Session", api: str) -> None:
    """Where the API is at a Unix socket or at `localhost`, make a session's connections by `dial`."""
    address = api_address(api)
    if is_unix(address[0]) or address[0] == "localhost":
        adapter = _adapter(address)
        session.mount("http://", adapter)
        session.mount("https://", adapter)


def _adapter(address: Address) -> "requests.adapters.HTTPAdapter":
    """An adapter of requests whose connections are made by `dial`."""
    import requests
    import urllib3
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    def new_connection(connection: "HTTPConnection") -> socket.socket:
        limit_s = connection.timeout if isinstance(connection.timeout, int | float) else 10.0
        try:
            return dial(address, limit_s)
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, f"no connection within {limit_s:g} s") from error
        except OSError as error:
            raise NewConnectionError(connection, str(error)) from error

    # requests takes connections from urllib3's pools, and a pool has one class of connections. Those classes
    # are derived here and not at import, so that a command which asks no server does not load requests.
    plain = type("_Plain", (HTTPConnection,), {"_new_conn": new_connection})
    wrapped = type("_Wrapped", (HTTPSConnection,), {"_new_conn": new_connection})
    pools = {
        "http": type("_Pool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("_TlsPool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": wrapped}),
    }

    adapter = requests.adapters.HTTPAdapter()
    adapter.poolmanager.pool_classes_by_scheme = pools
    return adapter
