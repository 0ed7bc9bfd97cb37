"""A system in, its schedules out, those first that are worth most: the strategies, and how they are mixed."""

import time
from collections.abc import Callable, Iterator

from mailrace.steer.database_proxy.blocks import Run
from mailrace.steer.explore.context_bound import alternating, within_context_bound
from mailrace.steer.explore.depth_first import Exploration, explore
from mailrace.steer.explore.programs import Programs
from mailrace.steer.explore.random_walk import promise, unseen_share, walk
from mailrace.steer.explore.separate_instances import SeparateInstances

EARLY_SHARE = 0.25
"""Of the budget, of orders and of time, that goes to depth first before few-switch orders have their turn."""
SWITCHES_MAX = 3
MANY = 4
MANY_S_MAX = 10.0
"""More actors than `MANY` get no longer than that for every order: the walk tells more."""
WALK_RUNS = 200
ENDS_AGAIN_MAX = 5
"""So many schedules that hang or crash are run again."""
WALK_S_MAX = 20.0


def depth_and_few_switches(
    separate: SeparateInstances,
    found: Exploration[Run],
    *,
    orders_max: int,
    is_out_of_time: Callable[..., bool],
) -> Iterator[tuple[tuple[int, ...], Run]]:
    """Depth first with sleep sets; where that does not end soon, all few-switch orders before it goes on.

    Depth first leaves the early interleavings for last, and most races need one or two switches. So when the
    budget runs out, the orders that matter most have been run. `found.within` says up to how many switches.
    """
    few: Exploration[Run] = Exploration()

    def spent() -> int:
        return found.explored + found.cut + few.explored + few.missed

    depth_first = explore(
        separate,
        found,
        orders_max=orders_max,
        is_out_of_time=lambda: is_out_of_time() or spent() >= orders_max,
    )
    for leaf in depth_first:
        yield leaf
        if spent() >= max(1, EARLY_SHARE * orders_max) or is_out_of_time(EARLY_SHARE):
            break
    else:
        return
    if len(separate.rig.planned.operations) == 2:
        yield from alternating(separate, few, is_out_of_time=lambda: is_out_of_time(0.5))
    yield from within_context_bound(
        separate,
        few,
        bound=SWITCHES_MAX,
        orders_max=max(0, orders_max - spent()),
        is_out_of_time=lambda: is_out_of_time(1 - EARLY_SHARE),
    )
    yield from depth_first
    if not found.is_complete:
        if spent() >= orders_max:
            found.why_not = f"its budget of {orders_max} orders"
        found.explored += few.explored
        found.missed += few.missed
        found.diverged += few.diverged
        found.within = few.within


def sampled(
    separate: SeparateInstances,
    exploration: Exploration[Run],
    programs: Programs,
    actors: int,
    seed: int,
    depth: int,
    known: set[tuple[int, ...]],
    progress: Callable[[str], None],
) -> list[Run]:
    """The new orders of a random walk; the exploration says what the walk promises."""
    began = time.monotonic()
    seen, fresh = [], []
    for order, run in walk(
        separate,
        exploration,
        actors=actors,
        runs_max=WALK_RUNS,
        seed=seed,
        depth=depth,
        is_out_of_time=lambda: time.monotonic() - began > WALK_S_MAX,
    ):
        programs.learn(run.blocks, run.names, {a.actor: a.reply_class for a in run.record.attempts})
        seen.append(tuple(sorted(b.call for b in run.blocks)))
        if order not in known:
            known.add(order)
            fresh.append(run)
        if len(seen) % 25 == 0:
            progress(f"{len(seen)} random orders run")
    if seen:
        steps = max(len(run.blocks) for run in fresh) if fresh else 1
        exploration.explored -= len(seen) - len(fresh)
        exploration.why_not += (
            f", then {promise(actors, steps, len(seen), depth)}; of what orders tell the actors, "
            f"a share of about {unseen_share(seen):.2f} was not seen (Good-Turing)"
        )
    return fresh
