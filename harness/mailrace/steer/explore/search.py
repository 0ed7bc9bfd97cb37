"""Which strategies look for a round's schedules, in which order, and how the budget is shared among them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mailrace.steer.database_proxy.executions import Execution, Schedule
from mailrace.steer.explore.context_bound import Alternating, ContextBound
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.judge import class_of
from mailrace.steer.explore.random_walk import DEPTH, RandomWalk, promise
from mailrace.steer.explore.strategy import TRIES_MAX, Budget, Coverage, System, run_schedules
from mailrace.steer.explore.uniform_walk import Census, UniformWalk
from mailrace.steer.explore.unseen import unseen_of

EARLY_SHARE = 0.25
"""Of the schedules and of the time, that depth first has before few-switch schedules have their turn."""
SWITCHES_MAX = 3
MANY = 4
MANY_S_MAX = 1.0
"""More actors than `MANY` get no longer than that for every schedule: the random walk tells more."""
MANY_SAMPLE_SHARE = 0.15
"""Of the time for samples, that more actors than `MANY` get: so few of their schedules are seen in either."""
WALK_RUNS = 200
TELLING_RUNS = 40
"""A sample in which no class came twice by then ends there. Of 300 equally likely classes one would have come
twice with a chance of 93 %, and of more than 300 `WALK_RUNS` schedules would leave over half unseen."""

Take = Callable[[Schedule, Execution], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much of a round is explored.

    bound   only schedules with at most so many context switches beyond the necessary ones
    model_s_max, sample_s_max   how long three or more actors are walked without a server, and then sampled,
            where they have too many schedules to run all
    seed    of the random walk that follows there, unless there is a bound; `depth`: of the races that it is
            to hit (PCT)
    """

    schedules_max: int = 20_000
    seconds_max: float = 60.0
    seed: int = 0
    bound: int | None = None
    depth: int = DEPTH
    model_s_max: float = 30.0
    sample_s_max: float = 12.0


def search(
    system: System[Execution],
    actors: int,
    extent: Extent,
    take: Take,
    predict: Callable[[], str],
) -> Coverage:
    """Run the schedules of a system of so many actors; `take` is given each; one may come twice.

    predict   is called where three or more actors are too many for every schedule, before they are sampled:
              it looks for outcomes that did not come yet, and says what it did as a clause
    """
    began = time.monotonic()
    if extent.bound is not None:
        budget = Budget(schedules_max=extent.schedules_max, until=began + extent.seconds_max)
        return few_switches(system, extent.bound, budget, take)
    known: dict[Schedule, object] = {}

    def taken(schedule: Schedule, execution: Execution) -> None:
        if actors > 2:
            known[schedule] = class_of(execution)
        take(schedule, execution)

    seconds_max = min(extent.seconds_max, MANY_S_MAX) if actors > MANY else extent.seconds_max
    found = depth_and_few_switches(system, actors, extent.schedules_max, seconds_max, taken)
    # What is too large for every schedule is predicted first, for that looks at each of its outcomes once.
    if actors > 2 and not found.is_complete:
        found = replace(found, limit=f"{found.limit}{predict()}")
        share = MANY_SAMPLE_SHARE if actors > MANY else 1.0
        shorter = replace(extent, sample_s_max=share * extent.sample_s_max)
        found = found.and_then(sampled(system, actors, shorter, take, known=known, before=found.limit))
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
    # What few switches missed depth first has run by now; that the same choices gave other statements stays.
    whole = found.is_complete and not few.diverged
    return found if whole else replace(few, bound=None).and_then(found)


def sampled(
    system: System[Execution],
    actors: int,
    extent: Extent,
    take: Take,
    *,
    known: Mapping[Schedule, object],
    before: str,
) -> Coverage:
    """Two samples of schedules. Of what they explored only those that are not `known` yet are counted.

    known    the schedules that were run before, each with its class
    before   what ended the search for every schedule, in words; what the samples promise is said after it

    The first follows priorities, which promises to hit a race of a given depth, and shows what the actors
    run; the second draws uniformly by that, so that what it did not see can be estimated.
    """
    began, seen, census = time.monotonic(), dict(known), Census(system)

    def taken(schedule: Schedule, execution: Execution) -> None:
        seen[schedule] = class_of(execution)
        take(schedule, execution)

    walk = RandomWalk(actors=actors, runs=WALK_RUNS, seed=extent.seed, depth=extent.depth)
    budget = Budget(schedules_max=TRIES_MAX * WALK_RUNS, until=began + 0.5 * extent.sample_s_max)
    found = run_schedules(census, walk, budget, taken)
    # What a walk is worth is not the schedules that it ran but the chance that it would have hit a race.
    limit = before
    if found.explored:
        limit += f", then {promise(actors, max(map(len, seen)), found.explored, extent.depth)}"

    classes: list[object] = []
    before_sample = set(seen.values())

    def drawn(schedule: Schedule, execution: Execution) -> None:
        classes.append(class_of(execution))
        taken(schedule, execution)

    uniform = UniformWalk(census, runs=WALK_RUNS, seed=extent.seed)
    budget = Budget(schedules_max=TELLING_RUNS, until=began + extent.sample_s_max)
    uniformly = run_schedules(system, uniform, budget, drawn)
    # To end here leaves the bound true, for where nothing came twice it is 100 %.
    if len({*classes} | before_sample) < len(classes) + len(before_sample):
        budget = replace(budget, schedules_max=TRIES_MAX * WALK_RUNS, begun=uniformly.runs)
        uniformly = uniformly.and_then(run_schedules(system, uniform, budget, drawn))
    # Of a schedule that was missed nobody knows what it would have shown: it counts as one of a new class.
    unseen = unseen_of([*classes, *[None] * uniformly.missed], before_sample)
    if classes:
        limit += f", then a uniform sample of its conflicting statements (SURW): {unseen}"
    found = found.and_then(uniformly)
    fresh = sum(1 for schedule in seen if schedule not in known)
    return replace(found, explored=fresh, is_complete=False, limit=limit)
