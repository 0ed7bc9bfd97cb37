"""Which strategies look for a round's schedules, in which order, and how the budget is shared among them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mailrace.steer.database_proxy.executions import Execution, Schedule
from mailrace.steer.explore.context_bound import Alternating, ContextBound
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.random_walk import DEPTH, RandomWalk, promise, unseen_share
from mailrace.steer.explore.strategy import TRIES_MAX, Budget, Coverage, System, run_schedules

EARLY_SHARE = 0.25
"""Of the schedules and of the time, that depth first has before few-switch schedules have their turn."""
SWITCHES_MAX = 3
MANY = 4
MANY_S_MAX = 10.0
"""More actors than `MANY` get no longer than that for every schedule: the random walk tells more."""
WALK_RUNS = 200
WALK_S_MAX = 20.0

Take = Callable[[Schedule, Execution], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of a round is explored.

    bound   only schedules with at most so many context switches beyond the necessary ones
    seed    of the random walk that follows where three or more actors are too many for every schedule and
            there is no bound; `depth`: of the races that it is to hit (PCT)
    """

    schedules_max: int = 20_000
    seconds_max: float = 60.0
    seed: int = 0
    bound: int | None = None
    depth: int = DEPTH


def search(system: System[Execution], actors: int, extent: Extent, take: Take) -> Coverage:
    """Run the schedules of a system of so many actors; `take` is given each; one may come twice."""
    began = time.monotonic()
    if extent.bound is not None:
        budget = Budget(schedules_max=extent.schedules_max, until=began + extent.seconds_max)
        return few_switches(system, extent.bound, budget, take)
    known: set[Schedule] = set()

    def taken(schedule: Schedule, execution: Execution) -> None:
        known.add(schedule)
        take(schedule, execution)

    seconds_max = min(extent.seconds_max, MANY_S_MAX) if actors > MANY else extent.seconds_max
    found = depth_and_few_switches(system, actors, extent.schedules_max, seconds_max, taken)
    if actors > 2 and not found.is_complete:
        found = found.and_then(sampled(system, actors, extent, take, known=known, before=found.limit))
    return found


def few_switches(system: System[Execution], bound: int, budget: Budget, take: Take) -> Coverage:
    """Every schedule within the bound. Never complete, for what lies beyond the bound is not looked at."""
    strategy = ContextBound(bound)
    found = run_schedules(system, strategy, budget, take)
    limit = found.limit or f"its bound of {bound} context switches"
    return replace(found, is_complete=False, bound=bound, within=strategy.within, limit=limit)


def depth_and_few_switches(
    system: System[Execution], actors: int, schedules_max: int, seconds_max: float, take: Take
) -> Coverage:
    """Depth first with sleep sets; where that does not end soon, all few-switch schedules before it goes on.

    Depth first leaves the early interleavings for last, and most races need one or two switches. So when the
    budget runs out, the schedules that matter most have been run. `within` says up to how many switches.
    """
    began = time.monotonic()
    depth_first = DepthFirst()
    early = Budget(
        schedules_max=max(1, int(EARLY_SHARE * schedules_max)), until=began + EARLY_SHARE * seconds_max
    )
    found = run_schedules(system, depth_first, early, take)
    if not found.limit:
        return found
    # Depth first was interrupted, and keeps its place. What the others find meanwhile may be of classes that
    # it comes to later, so it is counted apart: where depth first does end, its own count is that of classes.
    few = Coverage()
    budget = Budget(schedules_max=schedules_max, until=began + 0.5 * seconds_max, begun=found.runs)
    if actors == 2:
        few = run_schedules(system, Alternating(), budget, take)
    budget = replace(budget, until=began + (1 - EARLY_SHARE) * seconds_max, begun=budget.begun + few.runs)
    few = few.and_then(few_switches(system, SWITCHES_MAX, budget, take))
    budget = Budget(schedules_max=schedules_max, until=began + seconds_max, begun=found.runs + few.runs)
    found = found.and_then(run_schedules(system, depth_first, budget, take))
    return found if found.is_complete else replace(few, bound=None).and_then(found)


def sampled(
    system: System[Execution],
    actors: int,
    extent: Extent,
    take: Take,
    *,
    known: set[Schedule],
    before: str,
) -> Coverage:
    """A random walk. Of what it explored only the schedules that are not `known` yet are counted.

    before   what ended the search for every schedule, in words; the walk's promise is said after it
    """
    seen: dict[Schedule, None] = {}
    told: list[object] = []

    def taken(schedule: Schedule, execution: Execution) -> None:
        seen[schedule] = None
        told.append(tuple(sorted(step.call for step in execution.steps)))
        take(schedule, execution)

    walk = RandomWalk(actors=actors, runs=WALK_RUNS, seed=extent.seed, depth=extent.depth)
    budget = Budget(schedules_max=TRIES_MAX * WALK_RUNS, until=time.monotonic() + WALK_S_MAX)
    found = run_schedules(system, walk, budget, taken)
    # What a walk is worth is not the schedules that it ran but the chance that it would have hit a race.
    limit = before
    if told:
        limit += (
            f", then {promise(actors, max(map(len, seen)), len(told), extent.depth)}; of what schedules tell "
            f"the actors, a share of about {unseen_share(told):.2f} was not seen (Good-Turing)"
        )
    fresh = sum(1 for schedule in seen if schedule not in known)
    return replace(found, explored=fresh, is_complete=False, limit=limit)
