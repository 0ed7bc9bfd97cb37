"""Moves the bytes of all links of one run: one thread, one selector."""

import selectors
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailrace.actors.link import Link


class Loop:
    """A selector over the links of one run. Not for more than one thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, sock: socket.socket, link: "Link", *, write: bool) -> None:
        """Follow a link's socket; `write` while bytes of it wait to go out."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if write else 0)
        if sock in self._selector.get_map():
            self._selector.modify(sock, events, link)
        else:
            self._selector.register(sock, events, link)

    def forget(self, sock: socket.socket) -> None:
        """Stop following a socket, before it is closed."""
        if sock.fileno() >= 0 and sock in self._selector.get_map():
            self._selector.unregister(sock)

    def run(self, until: Callable[[], bool], timeout_s: float) -> bool:
        """Move bytes until `until()` or the limit; whether it came true."""
        deadline = time.monotonic() + timeout_s
        while not until():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            for key, events in self._selector.select(left_s):
                link: Link = key.data
                if events & selectors.EVENT_WRITE:
                    link.flush()
                if events & selectors.EVENT_READ:
                    link.receive()
        return True

    def close(self) -> None:
        """Close the selector; the links close themselves."""
        self._selector.close()
