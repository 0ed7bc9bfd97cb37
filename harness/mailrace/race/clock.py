"""Gives whether this machine's clock was set back: by it a server of ours dates the mails that arrive."""

import time
from collections.abc import Callable

_SLOWED_SHARE = 0.001
"""A steady clock may run slower by this share; one that is corrected without a jump loses half of it."""
_READ_NS = 1_000_000
"""What two readings may differ by, since two clocks cannot be read at once; the server tells milliseconds."""


class Clock:
    """The wall clock beside the monotonic one, which is never set.

    now   gives both, in nanoseconds
    """

    def __init__(self, now: Callable[[], tuple[int, int]] = lambda: (time.time_ns(), time.monotonic_ns())):
        self._now = now
        self._wall_ns, self._monotonic_ns = now()
        self._is_steady = True

    def is_steady(self) -> bool:
        """Whether it was never set back since it was first looked at, as far as looks can tell."""
        wall_ns, monotonic_ns = self._now()
        passed_ns = monotonic_ns - self._monotonic_ns
        lost_ns = passed_ns - (wall_ns - self._wall_ns)
        self._wall_ns, self._monotonic_ns = wall_ns, monotonic_ns
        # Mail that arrived before may long seem to come from the future, so the clock never counts as steady
        # again.
        self._is_steady &= lost_ns <= _READ_NS + _SLOWED_SHARE * passed_ns
        return self._is_steady
