"""A seeded random sample of a system's schedules, where it is too large for all of them; what that promises.

Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): actors get
random priorities, the highest that can runs, and at d-1 random steps the one that runs drops to the bottom.
One run then hits a given race of depth d with probability at least 1/(n·k^(d-1)), for n actors and k steps.
"""

import random

from mailrace.steer.database_proxy.executions import Schedule
from mailrace.steer.explore.strategy import System

DEPTH = 3
STEPS_AN_ACTOR = 16
"""How many steps an actor is taken to have before the first run showed it."""


class RandomWalk:
    """See `Strategy`: `runs` schedules, of which one may come twice."""

    def __init__(self, *, actors: int, runs: int, seed: int, depth: int = DEPTH) -> None:
        self._actors, self._left, self._depth = actors, runs, depth
        self._chance = random.Random(seed)
        self._steps = STEPS_AN_ACTOR * actors
        self._drawn: list[int] = []
        self._priorities: list[int] = []
        self._drops: list[int] = []
        """The steps before which the actor that would run drops to the bottom."""

    def begin(self) -> bool:
        """See `Strategy`."""
        self._left -= 1
        self._drawn = self._chance.sample(range(self._depth, self._depth + self._actors), self._actors)
        self._drops = [self._chance.randrange(1, max(2, self._steps)) for _ in range(self._depth - 1)]
        return self._left >= 0

    def choose(self, system: System[object], schedule: Schedule) -> int:
        """See `Strategy`."""
        if not schedule:
            self._priorities = list(self._drawn)
        enabled = system.enabled()
        actor = max(enabled, key=self._priorities.__getitem__)
        if len(schedule) in self._drops:
            self._priorities[actor] = self._drops.index(len(schedule))
            actor = max(enabled, key=self._priorities.__getitem__)
        return actor

    def end(self, schedule: Schedule) -> None:
        """See `Strategy`."""
        self._steps = max(len(schedule), 2)


def promise(actors: int, steps: int, runs: int, depth: int = DEPTH) -> str:
    """What so many runs promise, in words, for so many actors and steps of all of them."""
    one = 1.0 / (actors * max(1, steps) ** (depth - 1))
    whole = 1.0 - (1.0 - one) ** runs
    return (
        f"a seeded random walk of {runs} schedules (PCT, depth {depth}: a race of that depth is hit by one "
        f"of them with probability at least 1/({actors}·{steps}^{depth - 1}) = {one:.2g}, by all with at "
        f"least {whole:.2g})"
    )
