"""The machine that a cell runs on: what it is called, and who may use it when rounds are raced natively.

It uses two locks of the operating system in the temporary folder. Unlike Dask's resources, these hold for
every worker of this user on the machine, whoever started it, and each ends with its holder. Cells that steer
share `room`; a cell that races has it alone. Whoever wants `room` takes `turn` first. A cell that waits to
race keeps `turn`, so that no stream of others makes it wait for ever.
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
    """This machine's room for cells: they share it, until one races and then has it alone.

    The locks belong to the open files and not to a process: a worker shares the room before it starts a
    cell's process, and that process, which inherits the files, holds it until it ends.
    """

    def __init__(self, turn: int, room: int) -> None:
        self.handles = (turn, room)

    @classmethod
    def of(cls, folder: Path | None = None) -> "Room":
        """The room whose locks stand in that folder; default: the machine's temporary folder."""
        place = folder or Path(tempfile.gettempdir())
        names = (f"mailrace.{os.getuid()}.turn", f"mailrace.{os.getuid()}.room")
        turn, room = (_opened(place / name) for name in names)
        return cls(turn, room)

    def share(self) -> bool:
        """Be one of many. False where somebody races or waits to race; then nothing is held."""
        turn, room = self.handles
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            fcntl.flock(room, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(turn, fcntl.LOCK_UN)
        return True

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one, from now until the files are closed; waits until all others are gone.

        The room is not given back here, because what remains to be done after a race would disturb the next
        one.
        """
        turn, room = self.handles
        # Its own share is given back first: two workers that kept theirs would wait for each other.
        fcntl.flock(room, fcntl.LOCK_UN)
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(room, fcntl.LOCK_EX)
        finally:
            fcntl.flock(turn, fcntl.LOCK_UN)
        yield

    def close(self) -> None:
        """Leave it, where nobody else has the files open."""
        for handle in self.handles:
            os.close(handle)


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
