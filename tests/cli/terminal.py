"""The command with a terminal of a given width on stdout and another on stderr, and what each shows."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

from tests.running import COMMAND, environment

LIMIT_S = 120.0
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Colours, and the moves of the cursor that a line needs to be written over."""


def in_terminal(*words: object, cwd: Path, columns: int = 80) -> tuple[int, list[str], list[str]]:
    """(status, lines on stdout, lines on stderr), without colours; what was written over is a line, too."""
    (cwd / "tmp").mkdir(exist_ok=True)
    ends = [pty.openpty() for _ in range(2)]
    for _, slave in ends:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    (out, out_slave), (err, err_slave) = ends
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)],
        cwd=cwd,
        env={**environment(cwd / "tmp"), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=out_slave,
        stderr=err_slave,
    )
    os.close(out_slave)
    os.close(err_slave)
    said: dict[int, bytes] = {out: b"", err: b""}
    still, ends_at = {out, err}, time.monotonic() + LIMIT_S
    try:
        while still:
            ready, _, _ = select.select(still, [], [], max(0.0, ends_at - time.monotonic()))
            assert ready, f"{words}: no end within {LIMIT_S:g} s; until then {said}"
            for one in ready:
                try:
                    chunk = os.read(one, 65_536)
                except OSError:  # a pseudo-terminal whose other end is closed
                    chunk = b""
                said[one] += chunk
                if not chunk:
                    still.discard(one)
        status = process.wait(LIMIT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(LIMIT_S)
        os.close(out)
        os.close(err)
    shown, told = (lines(said[one].decode()) for one in (out, err))
    return status, shown, told


def lines(text: str) -> list[str]:
    """Each line that was shown for a while, without what colours it or moves the cursor."""
    return [line.rstrip() for line in re.split(r"[\r\n]+", CONTROL.sub("", text))]
