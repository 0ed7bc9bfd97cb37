"""Takes an instant; ends a block of code that still runs then. A command's `--time-limit` rests on it.

Every loop looks at the time itself and ends in good order. But it may be waiting for a server that never
answers, in one of very many places, so the block as a whole is ended from outside as well.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

OUT_OF_TIME = "the time limit ended the run before this scenario"
CUT_OFF = "the time limit ended it"
GRACE_S_MAX = 5.0
"""How long after the time limit what is under way may still end by itself."""


class TimeOver(BaseException):
    """The time limit is over; no Exception, so that nobody takes it for a failure of the server."""


def cut_at(ends: float | None, limit_s: float | None) -> float | None:
    """When (monotonic seconds) what still runs is cut off: later by as long as the limit, at most 5 s."""
    return None if ends is None or limit_s is None else ends + min(GRACE_S_MAX, limit_s)


@contextmanager
def over_by(ends: float | None) -> Iterator[None]:
    """Raise TimeOver within the block where it still runs at `ends` (monotonic seconds; None: never).

    Only in the main thread, as Python gives signals to no other; elsewhere the block is left alone. The
    timer's former use, by a test runner for instance, goes on afterwards.
    """
    if ends is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    is_inside = True

    def end(_: int, __: FrameType | None) -> None:
        if is_inside:
            raise TimeOver

    handler = signal.signal(signal.SIGALRM, end)
    former_s, _ = signal.setitimer(signal.ITIMER_REAL, max(0.001, ends - time.monotonic()))
    try:
        yield
    finally:
        is_inside = False
        signal.setitimer(signal.ITIMER_REAL, former_s)
        signal.signal(signal.SIGALRM, handler)
