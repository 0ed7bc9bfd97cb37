"""How long replies are waited for: a server that is only slow, or was stopped by somebody, does not hang."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailrace.actors import Link, Loop
from mailrace.model.target import Liveness, Target
from mailrace.race.hang import TROUBLE, Doing, doing, look_at
from mailrace.race.limits import Limits

_SERIAL_TIMES = 5
"""A reply may take this many times as long as all operations take one after the other."""
_TOTAL_TIMES = 6
"""A server that works, or goes on answering, is waited for at most this many times `quiet_s` in all."""


@dataclass(frozen=True, slots=True)
class Waited:
    """How a wait ended: everything came; or the server hangs; or for a reason, `why`, that is not its fault.

    is_machines   the machine caused `why`; else the server was only busy for very long
    """

    is_done: bool = False
    is_hang: bool = False
    why: str = ""
    is_machines: bool = False


DONE = Waited(is_done=True)


class Patience:
    """Waits for the replies of one lane.

    serial_s    what all operations take one after the other, from the calibration; 0: not known
    is_proven   hangs of this server were waited for in full before: while it answers nobody at all, a short
                look is enough from now on
    """

    def __init__(self, target: Target, limits: Limits) -> None:
        self.serial_s = 0.0
        self.is_proven = False
        self._target = target
        self._limits = limits

    @property
    def quiet_s(self) -> float:
        """How long nothing may come while the server rests."""
        return self._limits.reply_s + _SERIAL_TIMES * self.serial_s

    def wait(self, loop: Loop, links: Sequence[Link], done: Callable[[], bool]) -> Waited:
        """Run the loop until `done()`, or until it is clear why it will not come true."""
        started = quiet_since = time.monotonic()
        came = self._came(links)
        pause_s = 0.0
        seen = Doing.UNSEEN
        while True:
            before, began = look_at(self._target.pid()), time.monotonic()
            if loop.run(done, min(self._limits.look_s, self.quiet_s)):
                return DONE
            now = time.monotonic()
            if self._target.how_it_ended():
                return Waited(why="its process ended")
            # Whoever got an answer meanwhile shows that the server goes on; one that works shows it, too.
            seen = doing(self._target.pid(), before) if self._target.is_ours else Doing.UNSEEN
            if seen in TROUBLE:
                pause_s += now - began
            if self._came(links) > came or seen in (Doing.WORKING, *TROUBLE):
                came, quiet_since = self._came(links), now
            if pause_s > self._limits.pause_s:
                return Waited(why=TROUBLE.get(seen, "its process was stopped"), is_machines=True)
            if now - quiet_since >= self.quiet_s or self._hangs_again(now - quiet_since):
                return Waited(is_hang=True)
            if now - started - pause_s > _TOTAL_TIMES * self.quiet_s:
                return Waited(why=f"it was still busy after {now - started:.0f} s")

    def _hangs_again(self, quiet_s: float) -> bool:
        """Whether a server that was seen to hang does so now: nobody else is answered either."""
        least_s = self._limits.look_s + _SERIAL_TIMES * self.serial_s
        if not self.is_proven or not self._target.is_ours or quiet_s < least_s:
            return False
        return self._target.liveness(self._limits.look_s) is Liveness.HUNG

    def _came(self, links: Sequence[Link]) -> int:
        """Replies that are there, whole ones: a byte a second is no progress."""
        return sum(len(link.conversation.marks) for link in links if link.conversation is not None)
