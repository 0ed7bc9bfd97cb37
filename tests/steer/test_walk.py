"""The random walk: seeded, bounded, and what it promises."""

from itertools import pairwise

import pytest
from mailrace.steer.explore.random_walk import RandomWalk, promise
from mailrace.steer.explore.strategy import Budget, Coverage, run_schedules

from tests.steer.toy import Toy, interleavings


def sample(seed: int, runs: int = 200, depth: int = 3) -> tuple[Coverage, list[tuple[int, ...]]]:
    system = Toy(((("add", "x"),) * 3, (("add", "y"),) * 3))
    every: list[tuple[int, ...]] = []
    strategy = RandomWalk(actors=2, runs=runs, seed=seed, depth=depth)
    found = run_schedules(system, strategy, Budget(schedules_max=10_000), lambda one, _: every.append(one))
    return found, every


def switches(order: tuple[int, ...]) -> int:
    return sum(a != b for a, b in pairwise(order))


def test_the_same_seed_walks_the_same_orders() -> None:
    assert sample(7)[1] == sample(7)[1]
    assert sample(7)[1] != sample(8)[1]


def test_a_walk_comes_to_many_orders() -> None:
    found, orders = sample(1, runs=2_000)
    assert found.explored == len(orders) == 2_000
    assert set(orders) <= interleavings((3, 3))
    # With two changes a run switches at most three times: once by each change, once where an actor ends.
    assert {o for o in interleavings((3, 3)) if switches(o) <= 2} <= set(orders)
    assert max(map(switches, orders)) <= 3


def test_the_promise_is_that_of_the_paper() -> None:
    """1 - (1 - 1/(2·10²))^100 = 0.394."""
    assert "walk of 100 schedules" in promise(2, 10, 100)
    assert "probability at least 1/(2·10^2) = 0.005, by all with at least 0.39" in promise(2, 10, 100)


def test_a_smaller_depth_promises_more_of_simpler_races() -> None:
    """Of depth 1 an order of priorities is enough: one of n actors first."""
    assert "PCT, depth 1" in promise(8, 60, 1, 1)
    assert "1/(8·60^0) = 0.12" in promise(8, 60, 1, 1)
    assert "1/(8·60^1) = 0.0021" in promise(8, 60, 1, 2)


@pytest.mark.parametrize(("depth", "most"), [(1, 1), (2, 2), (3, 3)])
def test_the_depth_bounds_the_switches(depth: int, most: int) -> None:
    """Two actors: one switch where the first ends, and one more for each change of priorities."""
    _, orders = sample(1, runs=500, depth=depth)
    assert max(map(switches, orders)) == most
