"""Takes an error, or how a process ended; gives whether something other than the server caused it."""

import errno
import os

_OWN = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.ENETDOWN}
)
"""The errors of a new connection or process where our own machine lacks something for it."""
_DEPTH_MAX = 10


def own_trouble(error: BaseException) -> str:
    """What the machine that we run on lacked, in words; "" where that was not the cause.

    Libraries wrap the operating system's error, so the whole chain of causes is looked through.
    """
    seen: BaseException | None = error
    for _ in range(_DEPTH_MAX):
        if seen is None:
            break
        if isinstance(seen, MemoryError):
            return "no memory was left on the machine that mailrace runs on"
        if isinstance(seen, OSError) and seen.errno in _OWN:
            what = os.strerror(seen.errno).lower()
            return f"the machine that mailrace runs on was in trouble: {what}"
        inner = [getattr(seen, "reason", None), *seen.args, seen.__cause__, seen.__context__]
        seen = next((one for one in inner if isinstance(one, BaseException)), None)
    return ""


_OUTSIDE = ("KILL", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "XCPU", "XFSZ")
"""Signals by which people, supervisors and the kernel end a process; no fault of a program raises one."""


def ended_from_outside(how: str) -> str:
    """How somebody else ended a process, from `how_it_ended()` ("signal 9 (SIGKILL)"); "" where nobody did.

    SIGSEGV, SIGABRT and their like are a program's own doing.
    """
    return f"from outside by {how}" if how.endswith(tuple(f"(SIG{name})" for name in _OUTSIDE)) else ""
