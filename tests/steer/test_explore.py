"""Sleep sets against brute force, on systems without any server."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailrace.model.errors import ScheduleMissed
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.strategy import TRIES_MAX, Budget, Coverage, run_schedules

from tests.steer.toy import Toy, interleavings

STEPS = st.tuples(st.sampled_from(("read", "write", "add")), st.sampled_from("xy"))
PROGRAMS = st.lists(st.lists(STEPS, min_size=1, max_size=3).map(tuple), min_size=2, max_size=3).map(tuple)


def walk(system: Toy, schedules_max: int = 100_000) -> tuple[Coverage, dict[tuple[int, ...], object]]:
    every: dict[tuple[int, ...], object] = {}
    found = run_schedules(system, DepthFirst(), Budget(schedules_max=schedules_max), every.__setitem__)
    return found, every


@settings(max_examples=60)
@given(PROGRAMS)
def test_sleep_sets_come_to_what_brute_force_comes_to(
    programs: tuple[tuple[tuple[str, str], ...], ...],
) -> None:
    whole, every = walk(Toy(programs, is_brute=True))
    found, some = walk(Toy(programs))
    assert found.is_complete
    assert whole.is_complete
    assert set(some.values()) == set(every.values())
    assert set(some) <= set(every)
    assert found.explored == len(some) <= whole.explored


def test_brute_force_is_every_order() -> None:
    system = Toy((((("add", "x"),) * 3), ((("add", "y"),) * 3)), is_brute=True)
    found, every = walk(system)
    assert set(every) == interleavings((3, 3))
    assert found.explored == 20
    assert found.cut == 0


def test_independent_actors_are_one_class() -> None:
    found, some = walk(Toy((((("write", "x"),) * 4), ((("write", "y"),) * 4))))
    assert found.explored == 1
    assert len(some) == 1


def test_one_dependent_pair_is_two_classes() -> None:
    system = Toy(((("add", "x"), ("write", "z"), ("add", "x")), (("add", "y"), ("write", "z"), ("add", "y"))))
    found, some = walk(system)
    assert found.explored == 2
    assert len(set(some.values())) == 2


@given(PROGRAMS, st.integers(1, 20))
def test_a_search_that_is_interrupted_goes_on_where_it_was(
    programs: tuple[tuple[tuple[str, str], ...], ...], part: int
) -> None:
    whole, every = walk(Toy(programs))
    strategy, system, found = DepthFirst(), Toy(programs), Coverage()
    some: dict[tuple[int, ...], object] = {}
    while not found.is_complete:
        budget = Budget(schedules_max=found.runs + part, begun=found.runs)
        found = found.and_then(run_schedules(system, strategy, budget, some.__setitem__))
    assert some == every
    assert (found.explored, found.cut, found.limit) == (whole.explored, whole.cut, "")


def test_a_budget_ends_the_search_and_says_so() -> None:
    system = Toy((((("write", "x"),) * 3), ((("write", "x"),) * 3)))
    found, some = walk(system, schedules_max=5)
    assert not found.is_complete
    assert len(some) == 5
    assert "budget of 5" in found.why_not


class Fickle(Toy):
    """Shows other steps in every run."""

    def waiting(self, actor: int) -> str:
        return f"{super().waiting(actor)} {self.starts}"


def test_a_system_that_does_not_repeat_itself_is_missed_never_clean() -> None:
    system = Fickle((((("write", "x"),) * 2), ((("write", "x"),) * 2)))
    found, _ = walk(system)
    assert found.missed > 0
    assert not found.is_complete
    assert "waits with" in found.why_not


class Shuffled(Toy):
    """Its first actor takes its two steps in the other order in the second run, as over a map."""

    def restart(self) -> None:
        super().restart()
        if self.starts in (2, 3):
            self.programs = (self.programs[0][::-1], *self.programs[1:])


def test_a_system_that_diverges_and_then_matches_is_not_complete() -> None:
    steps = (("add", "x"), ("add", "y"))
    found, _ = walk(Shuffled((steps, (("read", "y"), ("read", "x")))))
    assert found.missed == 0
    assert found.diverged > 0
    assert not found.is_complete
    assert "same choices" in found.why_not


class Failing(Toy):
    """Misses its first runs."""

    failures = 0

    def restart(self) -> None:
        super().restart()
        if self.starts <= self.failures:
            raise ScheduleMissed("not this time")


@pytest.mark.parametrize(("failures", "missed"), [(TRIES_MAX - 1, 0), (TRIES_MAX, 1)])
def test_a_miss_is_tried_again_then_counted(failures: int, missed: int) -> None:
    system = Failing((((("write", "x"),)), ((("write", "x"),))))
    system.failures = failures
    found, some = walk(system)
    assert found.missed == missed
    assert found.is_complete is (missed == 0)
    assert len(some) == (2 if not missed else 0)
