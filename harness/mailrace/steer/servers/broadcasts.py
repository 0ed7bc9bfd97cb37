"""Takes stores and deletions; gives when the server broadcasts statistics, which no operation asks for.

A server counts its messages a quarter of a second after it stored or deleted some, once for all until then.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from mailrace.steer.database_proxy.proxy import DatabaseProxy
from mailrace.steer.database_proxy.statement_text import BROADCAST_END, COUNT_ALL

BROADCAST_S = 0.25


@dataclass(slots=True)
class Broadcasts:
    """Of all instances of a rig, as the proxy counts their statements.

    _due   by instance: the monotonic second at which one may come, and how many had come before
    """

    proxy: DatabaseProxy
    _due: dict[int, tuple[float, int]] = field(default_factory=dict)
    _ended: int = 0

    def __post_init__(self) -> None:
        self.proxy.counted = frozenset((COUNT_ALL, BROADCAST_END))

    def follow(self, instances: Iterable[int], began: float) -> None:
        """These instances have changed their store since then (monotonic)."""
        for instance in instances:
            if not self._is_due(instance):
                self._due[instance] = began + BROADCAST_S, self.proxy.tally[instance, BROADCAST_END]

    def let_pass(self, instances: Iterable[int], needed_s: float) -> None:
        """Wait for those that would come within so many seconds; the gate has to let them through."""
        for instance in instances:
            if self._is_due(instance):
                left_s = self._due[instance][0] - time.monotonic()
                if left_s <= needed_s:
                    self._await(instance, max(0.0, left_s) + BROADCAST_S)

    def begin(self, instances: Iterable[int], began: float, calm_s: float) -> None:
        """A run of these instances begins; `calm_s`: none may come for so long; 0: it does not matter."""
        every = list(instances)
        if calm_s:
            self.let_pass(every, calm_s)
        self.follow(every, began)
        self._ended = self._number()

    def may_come(self, instance: int) -> bool:
        """Whether one of that instance may come now; once one may, another may until the next run begins."""
        return instance not in self._due or time.monotonic() >= self._due[instance][0]

    def has_come(self) -> bool:
        """Whether one has ended since the run began."""
        return self._number() != self._ended

    def _number(self) -> int:
        return sum(times for (_, text), times in self.proxy.tally.items() if text == BROADCAST_END)

    def _await(self, instance: int, seconds_max: float) -> None:
        self.proxy.loop.pump(lambda: not self._is_due(instance), seconds_max)
        self._due.pop(instance, None)

    def _is_due(self, instance: int) -> bool:
        return instance in self._due and self._due[instance][1] == self.proxy.tally[instance, BROADCAST_END]
