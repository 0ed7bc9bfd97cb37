"""A target in, whether it hangs out: a request unanswered although the server has nothing to do."""

import time

import psutil

from mailrace.model.target import Liveness, Target

LOOK_S = 1.0
PATIENCE_S = 10.0
"""For a server that is not ours, whose idleness cannot be seen."""
_IDLE_S = 0.3
_IDLE_CPU_S = 0.02


def hangs(target: Target) -> bool:
    """Whether it answers nobody and is quiet meanwhile: one that is only busy does not hang.

    Of a server of ours the process is watched: it used less than 20 ms of CPU in 0.3 s. One that is not
    ours hangs when its readiness stays unanswered for 10 s.
    """
    if target.liveness(LOOK_S if target.is_ours else PATIENCE_S) is not Liveness.HUNG:
        return False
    return not target.is_ours or _is_idle(target.pid())


def _is_idle(pid: int | None) -> bool:
    try:
        process = psutil.Process(pid)
        before = sum(process.cpu_times()[:2])
        time.sleep(_IDLE_S)
        return sum(process.cpu_times()[:2]) - before < _IDLE_CPU_S
    except psutil.Error:
        return False
