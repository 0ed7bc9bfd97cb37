"""A process in, whether it is quiet out: all its threads sleep, in three looks that agree (STEER.md).

Linux only (`/proc`). Elsewhere quiet is taken to be 20 ms in which nothing reached us; `how_known` says so.
"""

import os
import time
from pathlib import Path

from mailrace.steer.loop import Loop

LOOKS = 3
LOOK_EVERY_S = 0.00033
BRISK_S = 0.0001
"""Before a look that is the only one."""
FALLBACK_S = 0.02

HAS_PROC = Path("/proc/self/task").is_dir()


def how_known() -> str:
    """How quiet is known on this machine, in words."""
    if HAS_PROC:
        return "quiet: all threads of the server sleep in three looks 0.33 ms apart"
    return f"quiet: nothing reached us for {FALLBACK_S * 1000:.0f} ms (no /proc on this machine)"


def is_asleep(pid: int) -> bool:
    """Whether every thread of the process sleeps now; a process that is gone sleeps."""
    folder = f"/proc/{pid}/task"
    try:
        threads = os.listdir(folder)
    except OSError:
        return True
    for thread in threads:
        try:
            file = os.open(f"{folder}/{thread}/stat", os.O_RDONLY)
        except OSError:
            continue  # the thread ended between the two looks
        try:
            stat = os.read(file, 256)
        except OSError:
            continue
        finally:
            os.close(file)
        if stat[stat.rfind(b")") + 2 : stat.rfind(b")") + 3] in (b"R", b"D"):
            return False
    return True


def wait_quiet(loop: Loop, pids: list[int], timeout_s: float = 2.0, looks: int = LOOKS) -> bool:
    """Turn the loop until the processes are quiet and nothing reaches us; whether that came in time.

    looks   so many have to agree
    """
    until = time.monotonic() + timeout_s
    agreed = 0
    last_event = time.monotonic()
    while time.monotonic() < until:
        if loop.turn(LOOK_EVERY_S if looks > 1 else BRISK_S):
            agreed, last_event = 0, time.monotonic()
            continue
        if not HAS_PROC:
            if time.monotonic() - last_event >= FALLBACK_S:
                return True
            continue
        agreed = agreed + 1 if all(map(is_asleep, pids)) else 0
        if agreed >= looks:
            return True
    return False
