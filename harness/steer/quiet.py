"""A process in, whether it is quiet out: all its threads sleep, in three looks that agree (STEER.md).

Linux only (`/proc`). Elsewhere quiet is taken to be 20 ms in which nothing reached us; `how_known` says so.
"""

import time
from pathlib import Path

from harness.steer.loop import Loop

LOOKS = 3
LOOK_EVERY_S = 0.00033
FALLBACK_S = 0.02

HAS_PROC = Path("/proc/self/task").is_dir()


def how_known() -> str:
    """How quiet is known on this machine, in words."""
    if HAS_PROC:
        return "quiet: all threads of the server sleep in three looks 0.33 ms apart"
    return f"quiet: nothing reached us for {FALLBACK_S * 1000:.0f} ms (no /proc on this machine)"


def is_asleep(pid: int) -> bool:
    """Whether every thread of the process sleeps now; a process that is gone sleeps."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return True
    for thread in threads:
        try:
            stat = (thread / "stat").read_bytes()
        except OSError:
            continue  # the thread ended between the two looks
        if stat[stat.rfind(b")") + 2 : stat.rfind(b")") + 3] in (b"R", b"D"):
            return False
    return True


def wait_quiet(loop: Loop, pids: list[int], timeout_s: float = 2.0) -> bool:
    """Turn the loop until the processes are quiet and nothing reaches us; whether that came in time."""
    until = time.monotonic() + timeout_s
    agreed = 0
    last_event = time.monotonic()
    while time.monotonic() < until:
        if loop.turn(LOOK_EVERY_S):
            agreed, last_event = 0, time.monotonic()
            continue
        if not HAS_PROC:
            if time.monotonic() - last_event >= FALLBACK_S:
                return True
            continue
        agreed = agreed + 1 if all(map(is_asleep, pids)) else 0
        if agreed >= LOOKS:
            return True
    return False
