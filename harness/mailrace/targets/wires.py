"""The clients of the standard library and of requests, connected by `mailrace.model.dial`."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailrace.model.dial import Address, dial, is_unix
from mailrace.model.target import Addresses, api_address
from mailrace.targets.cutting import whole_within

if TYPE_CHECKING:
    import requests
    from urllib3 import HTTPConnectionPool
    from urllib3.connection import HTTPConnection

    _Connecting = Callable[[HTTPConnection], socket.socket]


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


def opened_by(session: "requests.Session", api: str = "") -> list[socket.socket]:
    """A list that will hold the connections which the session has opened, the last few of them.

    Where the session is for an API at a Unix socket or at `localhost`, it connects by `dial`.
    """
    address = api_address(api)
    is_dialled = is_unix(address[0]) or address[0] == "localhost"
    opened: list[socket.socket] = []
    own = {"_new_conn": _connecting_to(address)} if is_dialled else {}
    for adapter in session.adapters.values():
        manager = getattr(adapter, "poolmanager", None)
        if manager is not None:
            kinds = manager.pool_classes_by_scheme
            manager.pool_classes_by_scheme = {
                scheme: _pool(kind, opened, own) for scheme, kind in kinds.items()
            }
    return opened


def _connecting_to(address: Address) -> "_Connecting":
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    def new_connection(connection: "HTTPConnection") -> socket.socket:
        limit_s = connection.timeout if isinstance(connection.timeout, int | float) else 10.0
        try:
            return dial(address, limit_s)
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, f"no connection within {limit_s:g} s") from error
        except OSError as error:
            raise NewConnectionError(connection, str(error)) from error

    return new_connection


def _pool(
    kind: "type[HTTPConnectionPool]", opened: list[socket.socket], own: "Mapping[str, _Connecting]"
) -> type:
    """A class of urllib3's pools, whose one class of connections notes what it opens, with methods `own`."""
    base = kind.ConnectionCls

    def connect(connection: "HTTPConnection") -> None:
        base.connect(connection)
        # The connection may let go of its socket while the answer is still read from it.
        opened.append(connection.sock)
        del opened[:-4]

    return type("Pool", (kind,), {"ConnectionCls": type("Connection", (base,), {"connect": connect, **own})})
