"""Sockets and callbacks in, one thread of turns out: the loop that the proxy and the actors share.

One thread drives everything while schedules run, so that "release" is a plain call and nothing moves
between two calls of `pump`. While a target starts or answers a blocking REST call, `in_background` turns
the same loop in a thread of its own.
"""

import select
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from mailrace import actors
from mailrace.actors.link import Link
from mailrace.model.errors import InternalError

FINE_S = 0.002
BACKGROUND_TURN_S = 0.5
FD_MAX = 1024
"""What `select` can look at."""
_EPOLL = getattr(selectors, "EpollSelector", ())


class Loop(actors.Loop):
    """The actors' loop, which serves the proxy as well; not thread-safe, and never in two threads at once."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._is_in_background = False

    def watch(self, sock: socket.socket, link: Link, *, write: bool) -> None:
        """Follow an actor's socket; `write` while bytes of it wait to go out."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if write else 0)
        known = self._selector.get_map().get(sock)
        if known is None:
            self._selector.register(sock, events, link)
        elif known.events != events:
            self._selector.modify(sock, events, link)

    def listen(self, sock: socket.socket, callback: Callable[[], None]) -> None:
        """Call `callback` whenever there is something to read (or accept) on `sock`."""
        self._selector.register(sock, selectors.EVENT_READ, callback)

    def turn(self, timeout_s: float) -> int:
        """One look at all sockets, waiting at most `timeout_s`; how many had something."""
        found = self._selector.select(0.0 if self._is_fine(timeout_s) else timeout_s)
        for key, events in found:
            # An earlier callback may have closed it.
            if len(found) > 1 and key.fileobj not in self._selector.get_map():
                continue
            if isinstance(key.data, Link):
                if events & selectors.EVENT_WRITE:
                    key.data.flush()
                if events & selectors.EVENT_READ:
                    key.data.receive()
            else:
                key.data()
        return len(found)

    def _is_fine(self, timeout_s: float) -> bool:
        """Whether a wait this short was made here: epoll's own are whole milliseconds, rounded up."""
        if not 0.0 < timeout_s < FINE_S or not isinstance(self._selector, _EPOLL):
            return False
        if self._selector.fileno() >= FD_MAX:
            return False
        select.select([self._selector], [], [], timeout_s)
        return True

    def pump(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Turn until `done()`, at most `timeout_s`; whether it came true."""
        if self._is_in_background:
            raise InternalError("the loop turns in the background and was pumped in front")
        if done():
            return True
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            self.turn(left)
            if done():
                return True
        return False

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Turn in a thread while the caller blocks in calls of its own; joined at the end."""
        ours, its = socket.socketpair()

        def turns() -> None:
            is_over = threading.Event()
            self.listen(its, is_over.set)
            while not is_over.is_set():
                self.turn(BACKGROUND_TURN_S)

        self._is_in_background = True
        with ours, its, ThreadPoolExecutor(1, thread_name_prefix="mailrace-database-proxy") as pool:
            turning = pool.submit(turns)
            try:
                yield
            finally:
                # A byte ends the turn that is under way, which would wait for more to come.
                ours.send(b"\0")
                failure = turning.exception()
                self.forget(its)
                self._is_in_background = False
        if failure is not None:
            raise InternalError(f"the proxy failed while it turned in the background: {failure!r}")
