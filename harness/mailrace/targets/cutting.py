"""Takes connections and a limit; gives a block in which they are shut down once it has passed.

Sockets, `requests` and smtplib limit the time of each single read, so a server that sends a byte a second is
never too late for them. Here an exchange as a whole has a limit.
"""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf


@contextmanager
def whole_within(limit_s: float, sockets: Callable[[], Iterable[socket.socket | None]]) -> Iterator[None]:
    """Raise TimeoutError where the block takes longer; whoever waits in it for these sockets is woken up.

    sockets   asked only when the limit has passed, because the block may make a connection first
    """
    ends = time.monotonic() + limit_s
    with _CUTTER.at(ends, sockets):
        try:
            yield
        except (OSError, http.client.HTTPException) as wrong:
            if time.monotonic() >= ends:
                raise TimeoutError(f"no whole answer within {limit_s:g} s") from wrong
            raise
    if time.monotonic() >= ends:  # what was cut may look like a whole answer
        raise TimeoutError(f"no whole answer within {limit_s:g} s")


Sockets = Callable[[], Iterable[socket.socket | None]]


class _Cutter:
    """One thread for all blocks: a timer for each exchange would take longer than the exchange."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[object, tuple[float, Sockets]] = {}
        self._wakes = inf
        self._thread = threading.Thread()

    @contextmanager
    def at(self, ends: float, sockets: Sockets) -> Iterator[None]:
        """A block whose sockets are shut down at that monotonic instant, if it has not ended by then."""
        block = object()
        with self._changed:
            self._due[block] = (ends, sockets)
            if not self._thread.is_alive():  # as after a fork, which takes no thread along
                self._thread = threading.Thread(target=self._cut, name="mailrace-cutter", daemon=True)
                self._thread.start()
            elif ends < self._wakes:
                self._changed.notify()
        try:
            yield
        finally:
            # Once this lock is held, nothing of the block is being cut any more.
            with self._changed:
                self._due.pop(block, None)

    def _cut(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                over = [block for block, (ends, _) in self._due.items() if ends <= now]
                for block in over:
                    shut(self._due.pop(block)[1]())
                self._wakes = min((ends for ends, _ in self._due.values()), default=inf)
                self._changed.wait(None if self._wakes == inf else max(0.0, self._wakes - time.monotonic()))


_CUTTER = _Cutter()


def shut(sockets: Iterable[socket.socket | None]) -> None:
    """Shut the connections down, so that whoever reads from one of them meets its end."""
    for sock in sockets:
        try:
            if sock is not None:
                # Not the TLS socket's own method, which would also take away the object that a reader uses.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass
