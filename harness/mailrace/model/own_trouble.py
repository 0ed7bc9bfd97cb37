"""Takes an error, or a process's end; gives whether it says nothing of the server: others caused it."""

import errno
import os
import signal

_OWN = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.ENETDOWN}
)
"""What making a connection or a process ends with where our own machine lacks what it takes."""
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


_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What people, supervisors and the kernel (short of memory) end a process with; none sends it to itself."""


def ended_from_outside(how: str) -> str:
    """How somebody else ended a process, from `how_it_ended()` ("signal 9 (SIGKILL)"); "" where nobody did.

    SIGSEGV, SIGABRT and their like are a program's own doing.
    """
    number = how.removeprefix("signal ").partition(" ")[0]
    for one in _OUTSIDE if number.isdigit() else ():
        if int(number) == one:
            return f"from outside by signal {number} ({one.name})"
    return ""
