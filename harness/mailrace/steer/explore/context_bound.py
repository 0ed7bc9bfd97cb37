"""Schedules with few context switches, those with the fewest first; of two actors those that need no luck.

Iterative context bounding (Musuvathi, Qadeer, "Iterative context bounding for systematic testing of
multithreaded programs", PLDI 2007): a switch away from an actor that could have gone on counts, one from an
actor that has ended does not. First every schedule without such a switch is run, then every one with one,
and so on up to the bound: for n actors of k steps their number grows with (n·k)^bound, not with its
factorial.

Nothing is exchanged here: the schedule that would stand for another may have more switches than the bound
allows (Coons, Musuvathi, McKinley, "Bounded partial-order reduction", OOPSLA 2013).
"""

from dataclasses import dataclass

from mailrace.model.errors import ScheduleDiverged
from mailrace.steer.database_proxy.executions import Schedule
from mailrace.steer.explore.strategy import System


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The first choices of a schedule, and the text of the step that each of them ran."""

    schedule: Schedule = ()
    texts: tuple[str, ...] = ()

    def then(self, actor: int, text: str) -> "_Prefix":
        return _Prefix((*self.schedule, actor), (*self.texts, text))


class ContextBound:
    """See `Strategy`: each schedule with at most `bound` context switches beyond the necessary ones.

    within   the number of switches up to which every schedule was run; -1: none
    """

    def __init__(self, bound: int) -> None:
        self.within = -1
        self._left: list[list[_Prefix]] = [[] for _ in range(bound + 1)]
        self._left[0].append(_Prefix())
        self._prefix = self._taken = _Prefix()
        self._others: list[tuple[int, _Prefix]] = []
        self._is_whole = True
        self._is_ended = True

    def begin(self) -> bool:
        """See `Strategy`. Where a schedule was lost, nothing with more switches is begun."""
        self._is_whole = self._is_whole and self._is_ended
        while self.within + 1 < len(self._left):
            if left := self._left[self.within + 1]:
                self._prefix = left.pop()
                self._is_ended = False
                return True
            if not self._is_whole:
                return False
            self.within += 1
        return False

    def choose(self, system: System[object], schedule: Schedule) -> int:
        """The prefix, then whoever went last goes on. What else could run here is a prefix for later."""
        if not schedule:
            self._taken, self._others = _Prefix(), []
        enabled, at = system.enabled(), len(schedule)
        if at < len(self._prefix.schedule):
            chosen, text = self._prefix.schedule[at], self._prefix.texts[at]
            if chosen not in enabled or system.waiting(chosen) != text:
                self._is_whole = False
                raise ScheduleDiverged(f"step {at + 1}: actor {chosen + 1} does not wait with {text!r}")
        else:
            goes_on = bool(schedule) and schedule[-1] in enabled
            chosen = schedule[-1] if goes_on else enabled[0]
            text = system.waiting(chosen)
            for actor in enabled:
                if actor != chosen:
                    # Where the last actor has ended somebody has to be next: that switch does not count.
                    self._others.append((int(goes_on), self._taken.then(actor, system.waiting(actor))))
        self._taken = self._taken.then(chosen, text)
        return chosen

    def end(self, schedule: Schedule) -> None:
        """See `Strategy`."""
        if len(schedule) < len(self._prefix.schedule):
            self._is_whole = False
            raise ScheduleDiverged(f"it ended after {len(schedule)} steps")
        self._is_ended = True
        for switches, prefix in self._others:
            if self.within + 1 + switches < len(self._left):
                self._left[self.within + 1 + switches].append(prefix)


class Alternating:
    """See `Strategy`: of two actors the schedules that one shared instance chooses by itself.

    One actor takes so many steps alone; then they alternate, for the pool gives its connection to the one
    who waits. They need no luck to be realised, so they are worth more than any others when time is short.
    """

    def __init__(self) -> None:
        self._first, self._alone = 0, 0
        self._is_longest = False

    def begin(self) -> bool:
        """See `Strategy`."""
        if self._is_longest:
            self._first, self._alone, self._is_longest = self._first + 1, 0, False
        self._alone += 1
        # Until its end shows how many steps the actor has, each schedule may be the longest.
        self._is_longest = True
        return self._first < 2

    def choose(self, system: System[object], schedule: Schedule) -> int:
        """See `Strategy`."""
        enabled = system.enabled()
        wanted = self._first if len(schedule) < self._alone else 1 - schedule[-1]
        return wanted if wanted in enabled else enabled[0]

    def end(self, schedule: Schedule) -> None:
        """See `Strategy`."""
        self._is_longest = schedule[: self._alone].count(self._first) < self._alone
