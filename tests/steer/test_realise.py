"""Realisation against a pool that is played with a die: chances, tries, repeats, and when it gives up."""

import itertools
from typing import Any, cast

import pytest
from mailrace.model.errors import ScheduleMissed
from mailrace.steer.explore.graph import Graph, Node, always
from mailrace.steer.one_instance.planned_schedule import PlannedSchedule
from mailrace.steer.one_instance.realise import REPEATS, realise

from tests.steer.lattice import lattice
from tests.steer.pool import Flight, Pool

TRIES = 4_000


def one_leaf_an_order(order: tuple[int, ...]) -> tuple[Graph, Node]:
    """A graph in which each schedule ends in a leaf of its own, and the leaf of that one."""
    grid = lattice(order.count(0), order.count(1))

    def grown(node: Node) -> Node:
        """The same state, reached by one schedule only."""
        return Node(node.histories, {actor: grown(child) for actor, child in node.edges.items()}, node.steps)

    graph = Graph(grown(grid.root), 0, True)
    leaf = graph.leaf_of(order)
    assert leaf is not None
    return graph, leaf


def share(pool: Pool, plan: PlannedSchedule) -> float:
    came = 0
    for _ in range(TRIES):
        try:
            came += pool.run(plan).schedule is not None
        except ScheduleMissed:
            continue
    return came / TRIES


@pytest.mark.parametrize(
    "order", [(0, 1, 0, 1, 0), (0, 1, 1, 0, 0), (0, 1, 1, 1, 0, 0), (0, 1, 1, 1, 1, 0, 0, 0), (0, 0, 1, 1, 0)]
)
def test_the_chance_is_what_the_pool_gives(order: tuple[int, ...]) -> None:
    """4,000 tries: the share is within 4 standard errors, 4·√(0.25/4000) = 0.032, of the chance."""
    graph, leaf = one_leaf_an_order(order)
    plan = PlannedSchedule(graph, leaf, always)
    assert share(Pool(graph), plan) == pytest.approx(plan.chance, abs=0.032)


def test_seven_deviations_come_in_one_of_some_three_hundred_tries() -> None:
    """Each needs a decoy's draw of 8 in 9 and then one of two: (4/9)^7 = 0.0034."""
    graph, _ = one_leaf_an_order((0, 1, 1, 1, 1, 1, 1, 1, 1, 0))
    order = (0, 1, 1, 1, 1, 1, 1, 1, 1, 0)
    assert PlannedSchedule.along(graph, order, always).chance == pytest.approx((4 / 9) ** 7)


def realised(pool: Pool, graph: Graph, leaf: Node, **options: Any) -> Any:
    def is_bad(run: Any) -> bool:
        return graph.leaf_of(cast(Flight, run).schedule) is leaf

    return realise(cast(Any, pool), leaf, always, is_bad=is_bad, **options)


def test_a_hard_order_is_realised_and_repeated_ten_times() -> None:
    order = (0, 1, 1, 1, 1, 1, 0, 0)
    graph, leaf = one_leaf_an_order(order)
    pool = Pool(graph)
    done = realised(pool, graph, leaf)
    assert [run.schedule for run in done.runs] == [order] * (REPEATS + 1)
    assert done.tries + sum(done.repeat_tries) == pool.runs
    assert len(done.repeat_tries) == REPEATS
    assert 0.0 < done.chance < 0.05


def test_without_an_order_there_is_no_try() -> None:
    graph, leaf = one_leaf_an_order((0, 1, 1, 0))
    pool = Pool(graph)

    def never(_node: Node, _last: int, actor: int) -> bool:
        return actor == 0

    done = realise(cast(Any, pool), leaf, never, is_bad=lambda _: True)
    assert (done.is_realised, done.tries, pool.runs, done.chance) == (False, 0, 0, 0.0)


def test_what_is_never_bad_is_given_up_and_its_tries_are_told() -> None:
    graph, leaf = one_leaf_an_order((0, 1, 1, 0))
    done = realise(cast(Any, Pool(graph)), leaf, always, is_bad=lambda _: False)
    assert not done.is_realised
    assert 20 < done.tries < 100


def test_the_time_ends_it_at_the_next_try() -> None:
    graph, leaf = one_leaf_an_order((0, 1, 1, 0))
    looks = itertools.count()
    done = realised(Pool(graph), graph, leaf, is_out_of_time=lambda: next(looks) >= 12)
    assert done.is_realised
    assert len(done.runs) <= REPEATS
    assert done.tries + sum(done.repeat_tries) == 12


def test_a_late_waiter_is_learned_from_the_tries() -> None:
    """Where a lock is let go the waiter is late, always: the plan by the pool's rule never comes."""
    order = (0, 1, 0, 1, 0, 1)
    graph, leaf = one_leaf_an_order(order)
    late = graph.root.edges[0].edges[1]
    assert realised(Pool(graph), graph, leaf).tries == 1
    done = realised(Pool(graph, late=frozenset({late})), graph, leaf)
    assert done.is_realised
    assert done.tries > 1
    assert done.chance < 0.6
