"""Takes lines on stdin; at its end, which is our death, kills the processes and removes the folders named.

Runs as a process of its own, `python -I -S watcher.py`, with the standard library only: a mailrace killed by
SIGKILL cannot clean up, and Linux's parent-death signal is bound to a thread, is Linux only, and leaves
files. One line an order: `+pid N`, `-pid N`, `+folder PATH`, `-folder PATH`.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

DIE_S_MAX = 2.0


def main() -> None:
    """Read orders until mailrace is gone, then clean up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    left: dict[tuple[str, str], None] = {}
    for line in sys.stdin:
        kind, _, value = line.rstrip("\n").partition(" ")
        if kind[:1] == "+":
            left[kind[1:], value] = None
        else:
            left.pop((kind[1:], value), None)
    pids = [int(value) for kind, value in left if kind == "pid"]
    for pid in pids:
        _kill(pid, signal.SIGKILL)
        _kill_group(pid)
    ends = time.monotonic() + DIE_S_MAX
    while time.monotonic() < ends and any(_runs(pid) for pid in pids):
        time.sleep(0.005)
    for kind, value in left:
        if kind == "folder" and Path(value).name.startswith("mailrace-"):
            shutil.rmtree(value, ignore_errors=True)


def _kill(pid: int, number: int) -> bool:
    """Send a signal; whether there was such a process."""
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _runs(pid: int) -> bool:
    """Whether it is there and no zombie, which in a container may wait for its reaper for ever."""
    if not _kill(pid, 0):
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return not Path("/proc/self").exists()


def _kill_group(pid: int) -> None:
    """Its children too, such as Go's compilers: each process of ours leads a group of its own."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass


if __name__ == "__main__":
    main()
