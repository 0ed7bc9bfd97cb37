"""Chances and decisions of a planned schedule, by hand: the pool hands on to the one that waits, or draws."""

import pytest
from mailrace.steer.explore.graph import Graph, Node, always, count_schedules
from mailrace.steer.one_instance.planned_schedule import DECOYS_QUEUED_MAX, Draws, PlannedSchedule
from mailrace.steer.one_instance.routes import fewest_preemptions, likely_schedules, preemptions_of

from tests.steer.lattice import lattice

NOBODY: frozenset[int] = frozenset()


def along(graph: Graph, schedule: tuple[int, ...]) -> PlannedSchedule:
    return PlannedSchedule.along(graph, schedule, always)


def test_orders_are_counted_by_sums_over_the_graph() -> None:
    graph = lattice(7, 7)
    (leaf,) = graph.leaves()
    assert count_schedules(graph, always) == {leaf: 3432}


def test_orders_that_keep_two_blocks_together() -> None:
    def together(node: Node, _last: int, actor: int) -> bool:
        return actor == 0 or node.number(0) != 1

    graph = lattice(2, 1)
    assert sum(count_schedules(graph, together).values()) == 2


@pytest.mark.parametrize("schedule", [(0, 0, 1, 1), (0, 1, 0, 1), (1, 0, 1, 0)])
def test_strict_alternation_after_a_release_point_is_no_deviation(schedule: tuple[int, ...]) -> None:
    graph = lattice(2, 2)
    assert preemptions_of(graph, schedule, always) == 0
    assert along(graph, schedule).chance == 1.0


def test_one_deviation_needs_a_decoy_and_two_draws() -> None:
    """A B | A again is free; B B while A waits is not: a decoy of n+1 first, then one of two."""
    graph, schedule = lattice(3, 3), (0, 1, 1, 0, 1, 0)
    assert preemptions_of(graph, schedule, always) == 1
    chance = along(graph, schedule).chance
    assert 0.25 <= chance <= 0.5
    plan = along(graph, schedule)
    assert plan.hold(graph.root, 0, frozenset({0}), 0).release == (1,)
    after = graph.root.edges[0]
    decision = plan.hold(after, 1, frozenset({0, 1}), 0)
    assert decision.decoys >= 1
    assert not decision.is_lost


def test_the_last_deviation_may_use_many_decoys() -> None:
    """Nothing but the deviation is left to chance: first any decoy's draw, then one of two."""
    graph, schedule = lattice(2, 2), (0, 1, 1, 0)
    most = DECOYS_QUEUED_MAX
    assert along(graph, schedule).chance == pytest.approx(most / (most + 1) * 1 / 2)


def test_a_draw_that_went_wrong_is_lost_at_once() -> None:
    graph, schedule = lattice(3, 3), (0, 1, 1, 0, 1, 0)
    plan = along(graph, schedule)
    node = graph.root.edges[0].edges[1]
    assert plan.hold(node, 0, frozenset({0, 1}), 0).is_lost


def test_any_order_to_the_leaf_is_welcome_without_a_route() -> None:
    graph = lattice(3, 3)
    (leaf,) = graph.leaves()
    assert PlannedSchedule(graph, leaf, always).chance == 1.0


def test_an_order_that_a_lock_forbids_has_no_chance() -> None:
    def locked(node: Node, _last: int, actor: int) -> bool:
        return not (actor == 1 and node.number(0) == 1)

    graph = lattice(2, 1)
    (leaf,) = graph.leaves()
    assert fewest_preemptions(graph, leaf, locked) in {(0, 0, 1), (1, 0, 0)}

    def never(node: Node, _last: int, actor: int) -> bool:
        return actor != 1

    assert fewest_preemptions(graph, leaf, never) is None
    assert PlannedSchedule.along(graph, (0, 1, 0), locked).chance == 0.0


def test_what_a_lock_keeps_together_is_no_deviation() -> None:
    def locked(node: Node, _last: int, actor: int) -> bool:
        return not (actor == 1 and node.number(0) == 2)

    graph, schedule = lattice(3, 2), (0, 1, 0, 0, 1)
    assert preemptions_of(graph, schedule, always) == 1
    assert preemptions_of(graph, schedule, locked) == 0


def test_the_fewest_deviations_are_found() -> None:
    graph = lattice(4, 4)
    (leaf,) = graph.leaves()
    schedule = fewest_preemptions(graph, leaf, always)
    assert schedule is not None
    assert preemptions_of(graph, schedule, always) == 0


def test_the_likely_orders_are_all_that_brute_force_finds_and_the_cheapest_first() -> None:
    graph = lattice(3, 3)
    (leaf,) = graph.leaves()
    schedules = likely_schedules(graph, leaf, always, 1_000)
    assert len(schedules) == len(set(schedules)) == 20
    assert preemptions_of(graph, schedules[0], always) == 0
    assert preemptions_of(graph, schedules[-1], always) == max(
        preemptions_of(graph, schedule, always) for schedule in schedules
    )
    assert likely_schedules(graph, leaf, always, 3) == schedules[:3]


def test_whom_a_lock_keeps_out_no_decoy_lets_in() -> None:
    """B's second step waits for A's second one: after B's first only A is queued, decoys or not."""

    def locked(node: Node, _last: int, actor: int) -> bool:
        return not (actor == 1 and node.number(1) == 1 and node.number(0) == 1)

    graph = lattice(3, 2)
    assert PlannedSchedule.along(graph, (0, 1, 1, 0, 0), locked).chance == 0.0
    assert PlannedSchedule.along(graph, (0, 1, 0, 1, 0), locked).chance == 1.0


def test_a_waiter_that_was_seen_to_come_late_is_given_decoys() -> None:
    """It was kept waiting by a lock, so it is not in the pool's queue when the lock is let go."""
    graph, schedule = lattice(2, 2), (0, 1, 0, 1)
    draws = Draws()
    plan = PlannedSchedule.along(graph, schedule, always, draws)
    after = graph.root.edges[0]
    both = frozenset({0, 1})
    assert plan.hold(after, 1, both, 0).decoys == 0
    for _ in range(30):
        draws.note(after, 1, is_waiter=False)
    assert plan.chance < 0.6
    assert plan.hold(after, 1, both, 0).decoys > 0


def test_one_late_waiter_among_many_changes_little() -> None:
    graph, schedule = lattice(2, 2), (0, 1, 0, 1)
    draws = Draws()
    plan = PlannedSchedule.along(graph, schedule, always, draws)
    for number in range(20):
        draws.note(graph.root.edges[0], 1, is_waiter=number > 0)
    assert plan.chance > 0.9
