"""Writes what the relay saw into a pipe, and reads it: frames of a connection, what happened, when, bytes.

The last frame says that all before it are there; where a reader does not find it, bytes are missing.
"""

import contextlib
import os
import select
import signal
import struct
from collections.abc import Iterator
from time import monotonic_ns
from typing import NamedTuple

HEAD = struct.Struct("<IBQI")
"""What stands before each frame's bytes: connection, what it is, monotonic nanoseconds, length."""
CONNECTED, CLIENT_SENT, SERVER_SENT, ENDED, WHOLE = range(5)
QUIET_S = 0.02
"""Frames are written together once nothing has passed for about this long, …"""
TOGETHER_S_MAX = 0.2
TOGETHER_BYTES_MAX = 256 * 1024
"""… or when the first of them has waited this long, or when they are this many bytes."""
SMALL_BYTES = 4096
"""Chunks up to this size are not counted: few enough of them pass in TOGETHER_S_MAX."""
BACKLOG_BYTES_MAX = 16 * 1024 * 1024
READ_BYTES_MAX = 256 * 1024


class Frame(NamedTuple):
    """Something that happened on a connection: `what` is CONNECTED (the bytes are JSON), … or ENDED.

    The last frame is WHOLE, on connection 0: the relay ended in order, and nothing is missing.
    """

    connection: int
    what: int
    t_ns: int
    data: bytes


def frames(pipe: int) -> Iterator[list[Frame]]:
    """The frames of a relay's pipe until the relay ends; those that came together in one list."""
    unread = b""
    while came := os.read(pipe, READ_BYTES_MAX):
        unread += came
        at, found = 0, []
        while len(unread) - at >= HEAD.size:
            connection, what, t_ns, length = HEAD.unpack_from(unread, at)
            ends = at + HEAD.size + length
            if ends > len(unread):
                break
            found.append(Frame(connection, what, t_ns, unread[at + HEAD.size : ends]))
            at = ends
        unread = unread[at:]
        yield found


class Copies:
    """The pipe to the recorder. Frames wait here until the traffic pauses, and then go together.

    A write for each frame would wake the recorder each time, which would take the processor that the server
    needs for its answer. A conversation waits for whatever is done here, so little is done. Frames are packed
    and counted later, and a signal tells the time, because a limit on each wait for traffic would cost more
    than a copy.

    due   a descriptor that can be read when `flush` is to be called
    """

    def __init__(self, handle: int) -> None:
        """Only the main thread may make one, because SIGALRM tells it the time."""
        os.set_blocking(handle, False)
        self._handle = handle
        self._frames: list[tuple[int, int, int, bytes]] = []
        self._bulk_bytes = 0
        self._packed = bytearray()
        self.due, self._ringing = os.pipe()
        for end in (self.due, self._ringing):
            os.set_blocking(end, False)
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.set_wakeup_fd(self._ringing, warn_on_full_buffer=False)

    def put(self, connection: int, what: int, data: bytes) -> None:
        """Append a frame; waits only where the reader has fallen `BACKLOG_BYTES_MAX` behind."""
        if not self._frames:
            self._ring_later()
        self._frames.append((connection, what, monotonic_ns(), data))
        if len(data) > SMALL_BYTES:
            self._bulk_bytes += len(data)
            if self._bulk_bytes > TOGETHER_BYTES_MAX:
                self._flush()

    def flush(self) -> None:
        """Write what waits, as far as the pipe takes it, if the traffic pauses or it has waited for long."""
        os.read(self.due, 64)
        now_ns = monotonic_ns()
        if self._frames:
            first_ns, last_ns = self._frames[0][2], self._frames[-1][2]
            if now_ns - last_ns < 0.5e9 * QUIET_S and now_ns - first_ns < 1e9 * TOGETHER_S_MAX:
                self._ring_later()
                return
        self._flush()

    def close(self) -> None:
        """Say that nothing is missing, and wait until all is written."""
        self.put(0, WHOLE, b"")
        self._flush()
        while self._packed:
            self._write_when_it_can()

    def _ring_later(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, QUIET_S)

    def _flush(self) -> None:
        for connection, what, t_ns, data in self._frames:
            self._packed += HEAD.pack(connection, what, t_ns, len(data))
            self._packed += data
        self._frames.clear()
        self._bulk_bytes = 0
        self._write()
        while len(self._packed) > BACKLOG_BYTES_MAX:
            self._write_when_it_can()
        if self._packed:
            self._ring_later()

    def _write_when_it_can(self) -> None:
        select.select([], [self._handle], [])
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if self._packed:
                del self._packed[: os.write(self._handle, self._packed)]
