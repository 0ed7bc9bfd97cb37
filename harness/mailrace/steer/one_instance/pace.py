"""When actors were told something last in; how long one that is slow by itself has to be waited for out.

All is quiet also while a server sleeps before it sends what it always sends late. Who has not come by then
would seem to be kept out, though nothing keeps it.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from mailrace.steer.explore.graph import Node

PATIENCE_S = 0.1
"""A waiter that is no lock's, but a timer's or another server's, has come for the connection by then."""
SLOW_S = 0.015
"""What comes sooner is there once all is quiet."""
SHARE = 1.3
S_MAX = 4.0
"""For so long a statement may be held meanwhile (`HELD_S_MAX` of the proxy)."""


@dataclass(slots=True)
class Pace:
    """Of the actors of one run. What each never came sooner after is learnt on separate instances."""

    _told: dict[int, float] = field(default_factory=dict)

    def told(self, actor: int) -> None:
        """It was released, or answered, just now."""
        self._told[actor] = time.monotonic()

    def left_s(self, node: Node, actors: Iterable[int]) -> float:
        """So long until whichever of the actors is slow at `node` has had its time; 0: none is."""
        slow = ((a, node.steps[a].after_s) for a in actors if a in node.steps and not node.steps[a].is_late)
        due = (self._told[a] + SHARE * after_s for a, after_s in slow if after_s > SLOW_S and a in self._told)
        return min(S_MAX, max(0.0, max(due, default=0.0) - time.monotonic()))
