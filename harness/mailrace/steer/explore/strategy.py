"""What a strategy is, and how its schedules are run: one after the other, until none is left or time is up.

Nothing here knows a server: `System` is all that is asked for, so that tests compare the strategies with
brute force. The protocol is that of the schedulers of Shuttle and Fray: a strategy is asked whether there
is another schedule, then at each state whose step is next, and is told when the schedule has ended.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Generic, Protocol, TypeVar

from mailrace.model.errors import ScheduleDiverged, ScheduleMissed
from mailrace.steer.database_proxy.executions import Schedule
from mailrace.steer.database_proxy.independence import Footprint

Leaf_co = TypeVar("Leaf_co", covariant=True)
Leaf = TypeVar("Leaf")

TRIES_MAX = 3
"""Runs of one schedule before it counts as missed."""


class System(Protocol[Leaf_co]):
    """Actors that take one step at a time; the same choices from the start give the same steps."""

    def restart(self) -> None:
        """Put everything back to the start, each actor's first step waiting."""

    def enabled(self) -> tuple[int, ...]:
        """Actors that have a step waiting, ascending; none: the schedule is complete."""

    def waiting(self, actor: int) -> str:
        """The step that waits, in a text that is the same in each run."""

    def commute(self, one: int, other: int) -> bool:
        """Whether the waiting steps of two actors are independent at this state."""

    def touches(self, actor: int) -> Footprint:
        """What the waiting step of the actor reads and writes."""

    def step(self, actor: int) -> None:
        """Run the actor's waiting step, until its next one waits or it has ended."""

    def finish(self) -> Leaf_co:
        """What the complete schedule gave."""


class Around(Generic[Leaf]):
    """A system that does what the one inside does; a subclass says where it does not."""

    def __init__(self, inside: System[Leaf]) -> None:
        self._inside = inside

    def restart(self) -> None:
        """See `System`."""
        self._inside.restart()

    def enabled(self) -> tuple[int, ...]:
        """See `System`."""
        return self._inside.enabled()

    def waiting(self, actor: int) -> str:
        """See `System`."""
        return self._inside.waiting(actor)

    def commute(self, one: int, other: int) -> bool:
        """See `System`."""
        return self._inside.commute(one, other)

    def touches(self, actor: int) -> Footprint:
        """See `System`."""
        return self._inside.touches(actor)

    def step(self, actor: int) -> None:
        """See `System`."""
        self._inside.step(actor)

    def finish(self) -> Leaf:
        """See `System`."""
        return self._inside.finish()


class Strategy(Protocol):
    """Chooses which schedules of a system are run, and in which order. It may be interrupted between two."""

    def begin(self) -> bool:
        """Go to the next schedule; False: none is left. One that was begun may be run several times."""

    def choose(self, system: System[object], schedule: Schedule) -> int | None:
        """The enabled actor whose step follows `schedule`, which is () at the start of each run.

        None: whatever may follow was run already in another order. Raises ScheduleDiverged where the system
        does not wait with what it waited with before.
        """

    def end(self, schedule: Schedule) -> None:
        """The schedule is complete. Raises ScheduleDiverged where it used to have more steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most so many runs, `begun` of them before, and none begun after `until` (in monotonic seconds)."""

    schedules_max: int
    until: float = inf
    begun: int = 0

    def spent_by(self, runs: int) -> str:
        """What is used up, in words, after so many more runs; "" while there is some left."""
        if self.begun + runs >= self.schedules_max:
            return f"its budget of {self.schedules_max} schedules"
        return "its time" if time.monotonic() >= self.until else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was looked at of a system.

    explored      schedules that were run to their end
    cut           runs that ended early, since other schedules stand for all that were left
    missed        schedules that did not come in `TRIES_MAX` runs
    diverged      runs in which the same choices led to other steps: of such a system no schedule stands for
                  others
    bound         context switches that were allowed beyond the necessary ones; None: any number
    within        the number of them up to which every schedule was run; -1: none
    is_complete   every class of schedules was run
    trouble       what went wrong with a schedule, in words; "" if nothing did
    limit         what ended it before every class was run, in words; "" if nothing did
    """

    explored: int = 0
    cut: int = 0
    missed: int = 0
    diverged: int = 0
    bound: int | None = None
    within: int = -1
    is_complete: bool = False
    trouble: str = ""
    limit: str = ""

    @property
    def why_not(self) -> str:
        """What kept it from being complete, in words."""
        return self.trouble or self.limit

    @property
    def runs(self) -> int:
        """Schedules that were begun: complete, cut or missed."""
        return self.explored + self.cut + self.missed

    def and_then(self, later: "Coverage") -> "Coverage":
        """This one and what was looked at after it, which says whether that was all, and what ended it."""
        return replace(
            later,
            explored=self.explored + later.explored,
            cut=self.cut + later.cut,
            missed=self.missed + later.missed,
            diverged=self.diverged + later.diverged,
            within=max(self.within, later.within),
            is_complete=later.is_complete and not self.missed and not self.diverged,
            trouble=self.trouble or later.trouble,
        )


def run_schedules(
    system: System[Leaf], strategy: Strategy, budget: Budget, take: Callable[[Schedule, Leaf], None]
) -> Coverage:
    """Run schedules until none is left or the budget is spent; `take` is given each complete one.

    The strategy keeps its place, so a second call goes on where the first one stopped. `is_complete` says
    that none was left, missed or diverged.
    """
    explored = cut = missed = diverged = runs = 0
    trouble = ""
    is_left = True
    while not (spent := budget.spent_by(runs)) and (is_left := strategy.begin()):
        for tried in range(1, TRIES_MAX + 1):
            runs += 1
            try:
                found = _run(system, strategy)
            except ScheduleMissed as wrong:
                # A miss says nothing of the system, so the same schedule is run again. Where other steps came
                # by the same choices, running it again may hide that but cannot undo it.
                if isinstance(wrong, ScheduleDiverged):
                    diverged += 1
                    trouble = f"the same choices did not give the same statements ({wrong})"
                if tried == TRIES_MAX:
                    missed += 1
                    trouble = str(wrong)
                continue
            if found is None:
                cut += 1
            else:
                explored += 1
                take(*found)
            break
    return Coverage(
        explored=explored,
        cut=cut,
        missed=missed,
        diverged=diverged,
        is_complete=not is_left and not missed and not diverged,
        trouble=trouble,
        limit=spent,
    )


def _run(system: System[Leaf], strategy: Strategy) -> tuple[Schedule, Leaf] | None:
    """One run from the start to the end, and what it gave; None: the strategy left it."""
    system.restart()
    schedule: Schedule = ()
    while system.enabled():
        actor = strategy.choose(system, schedule)
        if actor is None:
            return None
        system.step(actor)
        schedule = (*schedule, actor)
    leaf = system.finish()
    strategy.end(schedule)
    return schedule, leaf
