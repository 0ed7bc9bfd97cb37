"""The machine that a cell runs on: what it is called, and who may use it when rounds are raced natively.

Two locks of the operating system in the temporary folder, so that it holds for every worker of this user on
the machine, whoever started it, and ends with its holder. `room` is shared by cells that steer and belongs to
one cell alone while that one races. Whoever wants `room` goes through `turn` first: a cell that waits to race
holds it, so that no stream of others makes it wait for ever.
"""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailrace.model.errors import MachineTrouble


def host() -> str:
    """How this machine is called."""
    return socket.gethostname()[:200] or "unknown"


class Room:
    """This machine's room for cells: `shared` while a cell looks, `alone` while it races within that."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: where the locks stand; default: the machine's temporary folder."""
        place = folder or Path(tempfile.gettempdir())
        self._turn = _opened(place / f"mailrace.{os.getuid()}.turn")
        self._room = _opened(place / f"mailrace.{os.getuid()}.room")

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Be one of many; waits until nobody races, nor waits to race."""
        self._take(fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one, from within `shared`; two that want it at once come one after the other."""
        # The own share is given back first: two that kept theirs would wait for each other.
        fcntl.flock(self._room, fcntl.LOCK_UN)
        self._take(fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)
            self._take(fcntl.LOCK_SH)

    def close(self) -> None:
        """Give back what is held."""
        os.close(self._turn)
        os.close(self._room)

    def _take(self, how: int) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._room, how)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)


def _opened(path: Path) -> int:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MachineTrouble(
            f"{path}: cannot be opened ({error.strerror}), so it is not known who else races here; set TMPDIR"
        ) from error
    if os.fstat(handle).st_uid != os.getuid():
        os.close(handle)
        raise MachineTrouble(f"{path}: belongs to somebody else; set TMPDIR to a folder of your own")
    return handle
