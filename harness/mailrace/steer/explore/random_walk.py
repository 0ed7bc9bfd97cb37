"""A system too large for every order in, a seeded random sample of its orders out, with what it can promise.

Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): actors get
random priorities, the highest that can runs, and at d-1 random steps the one that runs drops to the bottom.
One run then hits a given race of depth d with probability at least 1/(n·k^(d-1)), for n actors and k steps.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.explore.depth_first import Exploration, Leaf, System

DEPTH = 3


def walk(
    system: System[Leaf],
    found: Exploration[Leaf],
    *,
    actors: int,
    runs_max: int,
    seed: int,
    depth: int = DEPTH,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[tuple[int, ...], Leaf]]:
    """Each run as (order, what it gave); an order may come twice. `found` is counted up; never complete."""
    chance = random.Random(seed)
    steps = 16 * actors
    for _ in range(runs_max):
        if is_out_of_time():
            return
        priorities = chance.sample(range(depth, depth + actors), actors)
        changes = [chance.randrange(1, max(2, steps)) for _ in range(depth - 1)]
        order: list[int] = []
        try:
            system.restart()
            while enabled := system.enabled():
                actor = max(enabled, key=lambda a: priorities[a])
                if len(order) in changes:
                    priorities[actor] = changes.index(len(order))
                    actor = max(enabled, key=lambda a: priorities[a])
                system.step(actor)
                order.append(actor)
            leaf = system.finish()
        except ScheduleMissed as missed:
            found.missed += 1
            found.why_not = str(missed)
            continue
        steps = max(len(order), 2)
        found.explored += 1
        yield tuple(order), leaf


def promise(actors: int, steps: int, runs: int, depth: int = DEPTH) -> str:
    """What so many runs promise, in words, for so many actors and steps of all of them."""
    one = 1.0 / (actors * max(1, steps) ** (depth - 1))
    whole = 1.0 - (1.0 - one) ** runs
    return (
        f"a seeded random walk of {runs} orders (PCT, depth {depth}: a race of that depth is hit by one of "
        f"them with probability at least 1/({actors}·{steps}^{depth - 1}) = {one:.2g}, by all with at least "
        f"{whole:.2g})"
    )


def unseen_share(seen: Sequence[object]) -> float:
    """Good and Turing's estimate of the share of what was not seen: the share of what was seen once."""
    counts = Counter(seen)
    return sum(1 for n in counts.values() if n == 1) / len(seen) if seen else 1.0
