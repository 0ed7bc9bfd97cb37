"""A seeded sample of a system's schedules: each interleaving of conflicting steps is as likely as any other.

Selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury, "Selectively uniform concurrency testing",
ASPLOS 2025; in Shuttle since 0.9): only steps that conflict with a step of another actor are selected, and
the actor that is to run the next of them is drawn with a weight, how many of them it has left. A plain random
walk draws each actor alike and so hardly ever lets a short actor be late; here, where every actor has the
number of selected steps that it was seen to have, all interleavings of them have one chance.
"""

import random
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from mailrace.steer.database_proxy.executions import Schedule
from mailrace.steer.database_proxy.independence import Footprint
from mailrace.steer.explore.strategy import Around, Leaf, System


class _Place(NamedTuple):
    """Where an actor stands: how many steps it has run, and the text of the one that waits."""

    actor: int
    steps: int
    text: str


class Census(Around[Leaf]):
    """The `System` inside, while what its actors run is counted: for the weights of a `UniformWalk`."""

    def __init__(self, inside: System[Leaf]) -> None:
        super().__init__(inside)
        self._runs: list[list[tuple[_Place, Footprint]]] = []
        self._way: list[tuple[_Place, Footprint]] = []
        self._steps: Counter[int] = Counter()

    def restart(self) -> None:
        """See `System`."""
        self._way, self._steps = [], Counter()
        super().restart()

    def step(self, actor: int) -> None:
        """See `System`."""
        place = _Place(actor, self._steps[actor], self.waiting(actor))
        self._way.append((place, self.touches(actor)))
        self._steps[actor] += 1
        super().step(actor)

    def finish(self) -> Leaf:
        """See `System`."""
        leaf = super().finish()
        self._runs.append(self._way)
        return leaf

    def conclusion(self) -> tuple[frozenset[_Place], Mapping[_Place, float]]:
        """Steps that conflict with a step of another actor; and how many of them an actor has left.

        The second is for each place that any run came to: those from there on, that one included, on average.
        """
        each = {one for run in self._runs for one in run}
        # Only the order of conflicting steps can change what a schedule comes to, so only these are weighed.
        selected = frozenset(
            place
            for place, mine in each
            if any(place.actor != at.actor and _conflict(mine, its) for at, its in each)
        )
        found: dict[_Place, list[int]] = {}
        for run in self._runs:
            left: dict[int, int] = {}
            for place, _ in reversed(run):
                left[place.actor] = left.get(place.actor, 0) + (place in selected)
                found.setdefault(place, []).append(left[place.actor])
        return selected, {place: sum(numbers) / len(numbers) for place, numbers in found.items()}


def _conflict(mine: Footprint, its: Footprint) -> bool:
    return mine.is_open or its.is_open or not mine.is_apart_from(its)


class UniformWalk:
    """See `Strategy`: `runs` schedules, of which one may come twice.

    The weights are those of a census that was taken before, so the schedules are drawn independently and from
    one distribution: what is estimated from them needs that. A step at a place that the census lacks is taken
    as one that conflicts, and as its actor's last.
    """

    def __init__(self, census: Census[Leaf], *, runs: int, seed: int) -> None:
        self._selected, self._weights = census.conclusion()
        self._left = runs
        self._chance = random.Random(seed)
        self._drawn = 0
        self._dice = random.Random(0)
        self._next: int | None = None
        """The actor that runs until it has run its next selected step; None: it is to be drawn."""

    def begin(self) -> bool:
        """See `Strategy`. A schedule that is missed is tried again with the same draws."""
        self._left -= 1
        self._drawn = self._chance.getrandbits(64)
        return self._left >= 0

    def choose(self, system: System[object], schedule: Schedule) -> int:
        """See `Strategy`."""
        if not schedule:
            self._dice, self._next = random.Random(self._drawn), None
        enabled = system.enabled()
        places = {a: _Place(a, schedule.count(a), system.waiting(a)) for a in enabled}
        if self._next not in places:
            weights = [self._weights.get(places[a], 1.0) for a in enabled]
            # Nobody has a selected step left: in which order the others are run makes no difference.
            self._next = self._dice.choices(enabled, weights)[0] if any(weights) else enabled[0]
        chosen = self._next
        assert chosen is not None
        if places[chosen] in self._selected or places[chosen] not in self._weights:
            self._next = None
        return chosen

    def end(self, schedule: Schedule) -> None:
        """See `Strategy`."""
