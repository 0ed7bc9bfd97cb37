"""A process in, what its threads do out, and whether it is quiet: all sleep, in three looks that agree.

Linux only (`/proc`). Elsewhere quiet is taken to be 20 ms in which nothing reached us; `how_known` says so.
"""

import os
import time
from enum import StrEnum
from pathlib import Path

import psutil

from mailrace.steer.database_proxy.loop import Loop

LOOKS = 3
QUIET_S_MAX = 2.0
LOOK_EVERY_S = 0.00033
BRISK_S = 0.0001
"""Waited before a look, where a single one is enough."""
FALLBACK_S = 0.02

HAS_PROC = Path("/proc/self/task").is_dir()


class Threads(StrEnum):
    """What the threads of a process do, all of them together; the value is said in sentences."""

    ASLEEP = "asleep"
    """Each waits for something: a request, a lock, a timer."""
    BUSY = "busy"
    """At least one runs, or waits for a disk."""
    STOPPED = "stopped by a signal from outside (SIGSTOP)"
    """It does not hang: it would go on if it were continued (SIGCONT)."""


_STOPPED = (b"T", b"t")
_BUSY = (b"R", b"D")
"""Thread states as proc(5) has them: stopped, traced; running, waiting for a disk."""


def how_known() -> str:
    """How quiet is known on this machine, in words."""
    if HAS_PROC:
        return "quiet: all threads of the server sleep in three looks 0.33 ms apart"
    return f"quiet: nothing reached us for {FALLBACK_S * 1000:.0f} ms (no /proc on this machine)"


def threads_of(pid: int) -> Threads:
    """What the threads of the process do now; one that is gone counts as asleep."""
    if not HAS_PROC:
        return _threads_by_psutil(pid)
    folder = f"/proc/{pid}/task"
    try:
        threads = os.listdir(folder)
    except OSError:
        return Threads.ASLEEP
    found = Threads.ASLEEP
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
        # The state follows the name, which stands in brackets and may hold any character.
        state = stat[stat.rfind(b")") + 2 : stat.rfind(b")") + 3]
        if state in _STOPPED:
            return Threads.STOPPED
        if state in _BUSY:
            found = Threads.BUSY
    return found


def _threads_by_psutil(pid: int) -> Threads:
    try:
        return Threads.STOPPED if psutil.Process(pid).status() == psutil.STATUS_STOPPED else Threads.ASLEEP
    except psutil.Error:
        return Threads.ASLEEP


def is_asleep(pid: int) -> bool:
    """Whether every thread of the process sleeps now; a process that is gone sleeps."""
    return threads_of(pid) is Threads.ASLEEP


def wait_quiet(loop: Loop, pids: list[int], looks: int = LOOKS) -> bool:
    """Turn the loop until the processes are quiet and nothing reaches us; whether that came in time.

    looks   so many have to agree
    """
    until = time.monotonic() + QUIET_S_MAX
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
