"""Context bounding, on systems without any server: counts by hand, and all orders at a large bound."""

from itertools import pairwise
from typing import Any, cast

import pytest
from mailrace.model.request import Steering
from mailrace.model.result import Schedules, Verdict
from mailrace.scenario import load, shipped
from mailrace.steer import SteerRequest, steer
from mailrace.steer.explore.context_bound import Alternating
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.search import depth_and_few_switches, few_switches
from mailrace.steer.explore.strategy import Budget, Coverage, run_schedules

from tests.steer.toy import Toy, interleavings


def three_each() -> Toy:
    return Toy(((("add", "x"),) * 3, (("write", "x"),) * 3))


def bounded(
    system: Toy, bound: int, schedules_max: int = 100_000
) -> tuple[Coverage, list[tuple[int, ...]], set[object]]:
    every: list[tuple[tuple[int, ...], object]] = []
    budget = Budget(schedules_max=schedules_max)
    found = few_switches(cast(Any, system), bound, budget, lambda *one: every.append(one))
    return found, [order for order, _ in every], {leaf for _, leaf in every}


def preemptions(order: tuple[int, ...]) -> int:
    """Switches away from an actor that still has steps."""
    return sum(a != b and a in order[i + 1 :] for i, (a, b) in enumerate(pairwise(order)))


# Two actors of three steps. No switch too many: either one first, 2. One: A's first 1 or 2 steps, all of
# B, the rest of A, and the same with B: 4. Two: A is left at 1 or 2 and B at 1 or 2, A then ends: 2 x 2, and
# the same with B: 8. Of 20 in all.
@pytest.mark.parametrize(("bound", "orders"), [(0, 2), (1, 6), (2, 14), (3, 18), (4, 20), (9, 20)])
def test_the_counts_of_a_small_example(bound: int, orders: int) -> None:
    found, every, _ = bounded(three_each(), bound)
    assert found.explored == len(every) == len(set(every)) == orders
    assert set(every) == {o for o in interleavings((3, 3)) if preemptions(o) <= bound}
    assert found.within == bound


def test_the_fewest_switches_come_first() -> None:
    _, every, _ = bounded(three_each(), 4)
    assert [preemptions(order) for order in every] == sorted(preemptions(order) for order in every)


def test_three_actors_without_a_switch_too_many_run_one_after_the_other() -> None:
    system = Toy(((("add", "x"),) * 2, (("add", "y"),) * 2, (("add", "z"),) * 2))
    _, every, _ = bounded(system, 0)
    assert len(every) == 6
    assert all(order[0] == order[1] and order[2] == order[3] for order in every)


def test_a_larger_bound_comes_to_more_and_a_large_one_to_all_that_exploring_comes_to() -> None:
    system = Toy(
        ((("read", "x"), ("write", "y"), ("add", "x")), (("write", "x"), ("read", "y"), ("add", "y")))
    )
    leaves: set[object] = set()
    whole = run_schedules(system, DepthFirst(), Budget(schedules_max=1_000), lambda _, leaf: leaves.add(leaf))
    assert whole.is_complete
    reached = [bounded(system, bound)[2] for bound in range(6)]
    assert all(less <= more for less, more in pairwise(reached))
    assert reached[0] < leaves
    assert reached[5] == leaves


def test_it_is_never_complete_and_says_up_to_where_it_came() -> None:
    found, _, _ = bounded(three_each(), 2)
    assert not found.is_complete
    assert (found.within, found.why_not) == (2, "its bound of 2 context switches")
    found, every, _ = bounded(three_each(), 4, schedules_max=7)
    assert (found.within, found.why_not) == (1, "its budget of 7 schedules")
    assert len(every) == 7


class Fickle(Toy):
    """Shows other steps in every run."""

    def waiting(self, actor: int) -> str:
        return f"{super().waiting(actor)} {self.starts}"


def test_a_system_that_does_not_repeat_itself_is_within_no_bound() -> None:
    found, _, _ = bounded(Fickle(((("write", "x"),) * 2, (("write", "x"),))), 1)
    assert found.diverged > 0
    assert found.within == -1


@pytest.mark.parametrize("lengths", [(1, 1), (3, 2), (2, 4)])
def test_alternating_schedules_are_all_that_are_alone_first_and_then_take_turns(
    lengths: tuple[int, int],
) -> None:
    """One actor takes k steps alone, then they take turns until one has ended; k from 0 to all of them."""
    every: list[tuple[int, ...]] = []
    system = Toy(tuple((("add", "x"),) * n for n in lengths))
    found = run_schedules(system, Alternating(), Budget(schedules_max=100), lambda one, _: every.append(one))
    assert found.is_complete

    def turns(order: tuple[int, ...], alone: int) -> bool:
        left = [i for i in range(max(1, alone), len(order)) if len(set(order[i - 1 :])) == 2]
        return len(set(order[:alone])) <= 1 and all(order[i] != order[i - 1] for i in left)

    wanted = {o for o in interleavings(lengths) if any(turns(o, k) for k in range(max(lengths) + 1))}
    assert set(every) == wanted


def steered(target: str, bound: int) -> tuple[Verdict, str, Schedules]:
    scenario = load(shipped() / "shared-new-tag.race.yaml")
    result = steer(scenario, target, SteerRequest(steering=Steering(bound=bound), seed=1))
    assert result.schedules is not None
    return result.verdict, result.reason, result.schedules


def test_a_server_that_is_clean_within_a_bound_is_no_pass() -> None:
    verdict, reason, clean = steered("embedded", 0)
    assert verdict is Verdict.INCONCLUSIVE
    assert reason.startswith("not finished, for its bound of 0 context switches")
    assert (clean.explored, clean.classes, clean.violating, clean.exhaustive) == (2, 2, 0, False)
    assert clean.orders_run == 2
    assert clean.ms_per_order == pytest.approx(
        1e3 * (clean.seconds["start"] + clean.seconds["explore"]) / 2, abs=1.0
    )
    assert clean.bound.startswith(
        "every schedule with at most 0 context switches beyond the necessary ones of"
    )


class OnceOther(Toy):
    """Waits with other steps in one run, which is one of those with few switches."""

    def waiting(self, actor: int) -> str:
        return f"{super().waiting(actor)}{' once' if self.starts == 230 else ''}"


@pytest.mark.parametrize(("make", "is_complete"), [(Toy, True), (OnceOther, False)])
def test_what_diverged_among_few_switches_is_not_forgotten_when_depth_first_ends(
    make: type[Toy], is_complete: bool
) -> None:
    system = make(((("write", "x"),) * 5, (("write", "x"),) * 5))
    found = depth_and_few_switches(cast(Any, system), 2, 800, 60.0, lambda *_: None)
    assert found.is_complete is is_complete
    assert found.diverged == (not is_complete)
    assert ("same choices" in found.why_not) is not is_complete


@pytest.mark.slow
def test_one_switch_is_enough_for_issue_283() -> None:
    """Between a sender's SELECT and its INSERT the other does both; several orders of a class are run."""
    verdict, _, found = steered("embedded@1.17.0", 1)
    assert verdict is Verdict.RACE
    assert not found.exhaustive
    assert found.violating >= 1
    assert found.explored > found.classes > found.violating
    assert "1 context switch beyond" in found.bound
