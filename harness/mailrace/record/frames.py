"""What the relay saw in, frames in a pipe out, and back: a connection, what it is, when, and the bytes.

The last frame says that all before it are there: a reader that does not find it knows that bytes are missing.
"""

import os
import select
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

HEAD = struct.Struct("<IBQI")
"""What stands before each frame's bytes: connection, what it is, monotonic nanoseconds, length."""
CONNECTED, CLIENT_SENT, SERVER_SENT, ENDED, WHOLE = range(5)
BACKLOG_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """A thing that happened on a connection: `what` is CONNECTED (the bytes are JSON), … or ENDED.

    WHOLE is the last one, of connection 0: the relay ended in order, and nothing is missing.
    """

    connection: int
    what: int
    t_ns: int
    data: bytes


def frames(pipe: BinaryIO) -> Iterator[Frame]:
    """The frames of a relay's pipe, until the relay ends."""
    while len(head := pipe.read(HEAD.size)) == HEAD.size:
        connection, what, t_ns, length = HEAD.unpack(head)
        data = pipe.read(length)
        if len(data) < length:
            return
        yield Frame(connection, what, t_ns, data)


class Copies:
    """The pipe to the recorder. What it does not take at once waits here, so that no conversation does."""

    def __init__(self, handle: int) -> None:
        os.set_blocking(handle, False)
        self._handle = handle
        self._waiting = bytearray()

    def put(self, connection: int, what: int, data: bytes) -> None:
        """Append a frame; waits only where the reader has fallen `BACKLOG_BYTES_MAX` behind."""
        head = HEAD.pack(connection, what, time.monotonic_ns(), len(data))
        if self._waiting:
            self._waiting += head + data
        else:
            frame = head + data
            written = self._write(frame)
            if written < len(frame):
                self._waiting += frame[written:]
        while len(self._waiting) > BACKLOG_BYTES_MAX:
            self._flush_some()

    def flush(self) -> bool:
        """Write what waits; whether something still does."""
        if self._waiting:
            del self._waiting[: self._write(self._waiting)]
        return bool(self._waiting)

    def close(self) -> None:
        """Say that nothing is missing, and wait until all is written."""
        self.put(0, WHOLE, b"")
        while self._waiting:
            self._flush_some()

    def _flush_some(self) -> None:
        select.select([], [self._handle], [])
        self.flush()

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._handle, data)
        except BlockingIOError:
            return 0
