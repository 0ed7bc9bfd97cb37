"""Takes a target that does not answer; gives why: a hang of its own, or the machine that it runs on.

A request that is unanswered is no hang yet. The process may be stopped by a signal from outside, wait for a
disk, or simply be busy; only a server that rests while somebody waits for it hangs.
"""

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from mailrace.model.target import Liveness, Target
from mailrace.targets import ExternalTarget

LOOK_S = 1.0
PATIENCE_S = 10.0
"""How long a server may leave everybody waiting: one that is not ours, or one of ours while it rests."""
PAUSE_S_MAX = 60.0
"""How long a stopped process, or one that waits for its disk, is waited for."""
_IDLE_S = 0.3
_IDLE_SHARE = 0.07
"""A server that uses less than this share of one processor does nothing for anybody."""


class Doing(StrEnum):
    """What a process of ours was seen to do."""

    WORKING = "working"
    RESTING = "resting"
    STOPPED = "stopped"
    """By SIGSTOP, a debugger or a frozen control group: somebody outside did that."""
    ON_DISK = "on disk"
    """It waits in the kernel, uninterruptibly: a disk or another device does not answer."""
    UNSEEN = "unseen"


TROUBLE = {
    Doing.STOPPED: "its process was stopped by a signal from outside (state T in /proc)",
    Doing.ON_DISK: "its process waited for a disk (state D in /proc)",
}
"""Which of these the machine causes, in words."""


@dataclass(frozen=True, slots=True)
class Look:
    """A process at an instant: CPU seconds that it has used, and when that was."""

    cpu_s: float
    at_s: float


def look_at(pid: int | None) -> Look | None:
    """The process now; None where it cannot be seen."""
    try:
        return Look(sum(psutil.Process(pid).cpu_times()[:2]), time.monotonic())
    except (psutil.Error, OSError):
        return None


def doing(pid: int | None, before: Look | None) -> Doing:
    """What the process has done since `before`; any of its threads may be what all others wait for."""
    states = _states(pid)
    if states & {"T", "t"}:
        return Doing.STOPPED
    now = look_at(pid)
    if now is None or before is None or now.at_s <= before.at_s:
        return Doing.UNSEEN
    if (now.cpu_s - before.cpu_s) / (now.at_s - before.at_s) >= _IDLE_SHARE:
        return Doing.WORKING
    return Doing.ON_DISK if "D" in states else Doing.RESTING


def hangs(target: Target, patience_s: float = PATIENCE_S) -> bool:
    """Whether it answers nobody, and rests, for all of `patience_s`: one that is busy does not hang.

    A server of ours is judged by its process. One that is not ours hangs when it answers nothing that needs
    its database, and does answer over HTTP what needs none; one that answers nothing at all may only be
    stopped.
    """
    if target.liveness(LOOK_S if target.is_ours else patience_s) is not Liveness.HUNG:
        return False
    if not target.is_ours:
        return not is_frozen(target)
    resting_since = started = time.monotonic()
    while time.monotonic() - resting_since < patience_s:
        before = look_at(target.pid())
        time.sleep(_IDLE_S)
        seen = doing(target.pid(), before)
        if seen is not Doing.RESTING:
            resting_since = time.monotonic()
        if resting_since - started > PAUSE_S_MAX or target.liveness(LOOK_S) is not Liveness.HUNG:
            return False
    return True


def is_frozen(target: Target) -> bool:
    """Whether a server that is not ours answers nothing at all, not even where no database is asked."""
    return isinstance(target, ExternalTarget) and not target.is_frontend_alive(LOOK_S * 2)


def _states(pid: int | None) -> set[str]:
    """The states of all its threads, as in /proc/PID/task/*/stat; empty where there is no /proc."""
    found = set()
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found.add((thread / "stat").read_text(errors="replace").rpartition(")")[2].split()[0])
    except (OSError, IndexError):
        pass
    if _has_frozen_group(pid):
        found.add("T")
    return found


def _has_frozen_group(pid: int | None) -> bool:
    """Whether its control group is frozen (version 2), as a paused container's is."""
    try:
        group = Path(f"/proc/{pid}/cgroup").read_text(errors="replace").rpartition("::")[2].strip()
        return "frozen 1" in Path(f"/sys/fs/cgroup{group}/cgroup.events").read_text(errors="replace")
    except OSError:
        return False
