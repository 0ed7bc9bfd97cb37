"""Gives an HTTP session whose connections can be cut: a limit for the whole of a call.

The time limit of `requests` is one for each read, so a server that sends a byte a second is never too late.
"""

import socket
import threading
from types import TracebackType
from typing import Any, Self

from requests import Session


class Cutter:
    """Within a `with` block of it, the session's connections are shut down once the limit has passed."""

    def __init__(self, session: Session) -> None:
        self._opened: list[socket.socket] = []
        self._limit_s = 0.0
        self._timer: threading.Timer | None = None
        for adapter in session.adapters.values():
            manager = getattr(adapter, "poolmanager", None)
            if manager is not None:
                kinds = manager.pool_classes_by_scheme
                manager.pool_classes_by_scheme = {
                    scheme: _pool(kind, self._opened) for scheme, kind in kinds.items()
                }

    def within(self, limit_s: float) -> Self:
        """The same, with the limit of the next block."""
        self._limit_s = limit_s
        return self

    def __enter__(self) -> Self:
        self._timer = threading.Timer(self._limit_s, self._cut)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _cut(self) -> None:
        for sock in list(self._opened):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except (OSError, ValueError):
                pass


def _pool(kind: Any, opened: list[socket.socket]) -> Any:
    """A class of connection pools that remembers which connections it has opened, the last few of them."""

    class Connection(kind.ConnectionCls):  # type: ignore[misc]
        def connect(self) -> None:
            super().connect()
            # The connection may let go of its socket while the answer is still read from it.
            opened.append(self.sock)
            del opened[:-4]

    class Pool(kind):  # type: ignore[misc]
        ConnectionCls = Connection

    return Pool
