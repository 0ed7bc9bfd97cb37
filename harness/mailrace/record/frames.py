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
TOGETHER_BYTES_MAX = 64 * 1024
TOGETHER_S_MAX = 0.02
"""Frames wait for so much, or for so long, and are then written together."""
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
    """The pipe to the recorder. Frames wait here for a moment and go together, so that no conversation does.

    A write for each frame would wake the recorder each time, and it would take the processor that the server
    needs for its answer.
    """

    def __init__(self, handle: int) -> None:
        os.set_blocking(handle, False)
        self._handle = handle
        self._waiting = bytearray()
        self._since_ns = 0

    def put(self, connection: int, what: int, data: bytes | memoryview) -> None:
        """Append a frame; waits only where the reader has fallen `BACKLOG_BYTES_MAX` behind."""
        now_ns = time.monotonic_ns()
        if not self._waiting:
            self._since_ns = now_ns
        self._waiting += HEAD.pack(connection, what, now_ns, len(data))
        self._waiting += data
        if len(self._waiting) > TOGETHER_BYTES_MAX or now_ns - self._since_ns > 1e9 * TOGETHER_S_MAX:
            self.flush()
        while len(self._waiting) > BACKLOG_BYTES_MAX:
            self._flush_some()

    def flush(self) -> None:
        """Write what waits, as far as the pipe takes it."""
        if self._waiting:
            del self._waiting[: self._write(self._waiting)]

    @property
    def is_waiting(self) -> bool:
        """Whether something waits to be written."""
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
