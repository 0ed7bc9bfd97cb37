"""The uniform sample: each interleaving of conflicting steps alike; what it says of what it did not see."""

import random
from collections import Counter

import pytest
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.random_walk import RandomWalk
from mailrace.steer.explore.strategy import Budget, Strategy, System, run_schedules
from mailrace.steer.explore.uniform_walk import Census, UniformWalk
from mailrace.steer.explore.unseen import CONFIDENCE, unseen_of

from tests.steer.toy import Step, Toy, interleavings

pytestmark = pytest.mark.slow

Order = tuple[int, ...]
SHARED: Step = ("write", "x")


def own(actor: int) -> Step:
    return ("write", f"own{actor}")


def straight(*lengths: int, each_after: int = 0) -> Toy:
    """Actors with so many shared steps, before each of which they have steps that concern nobody."""
    return Toy(tuple(((own(a),) * each_after + (SHARED,)) * n for a, n in enumerate(lengths)))


def conflicting_order(system: Toy, order: Order) -> Order:
    """Whose shared steps came one after the other."""
    at, kept = [0] * len(system.programs), []
    for actor in order:
        if system.programs[actor][at[actor]] == SHARED:
            kept.append(actor)
        at[actor] += 1
    return tuple(kept)


def sample(system: Toy, strategy: Strategy) -> list[Order]:
    every: list[Order] = []
    budget = Budget(schedules_max=1_000_000)
    run_schedules(system, strategy, budget, lambda order, _: every.append(order))
    return [conflicting_order(system, order) for order in every]


def walk_of(system: Toy, seed: int, runs: int, trials: int = 20) -> UniformWalk:
    """Once a few other schedules have shown what the actors run."""
    census = Census(system)
    other = RandomWalk(actors=len(system.programs), runs=trials, seed=seed)
    run_schedules(census, other, Budget(schedules_max=trials), lambda *_: None)
    return UniformWalk(census, runs=runs, seed=seed)


def uniformly(system: Toy, seed: int, runs: int) -> list[Order]:
    return sample(system, walk_of(system, seed, runs))


class PlainWalk(UniformWalk):
    """Any actor alike at each step, as a random walk is without weights."""

    def choose(self, system: System[object], schedule: Order) -> int:
        if not schedule:
            self._dice = random.Random(self._drawn)
        return self._dice.choice(system.enabled())


def chi_square(found: list[Order], every: set[Order]) -> float:
    assert set(found) <= every
    counts, expected = Counter(found), len(found) / len(every)
    return sum((counts[order] - expected) ** 2 / expected for order in every)


# The 99.9 % quantiles of chi-square with 4, 19 and 59 degrees of freedom.
@pytest.mark.parametrize(
    ("lengths", "limit"), [((1, 4), 18.47), ((1, 1, 3), 43.82), ((1, 2, 3), 98.32)], ids=str
)
@pytest.mark.parametrize("each_after", [0, 2])
def test_each_interleaving_of_conflicting_steps_is_as_likely(
    lengths: tuple[int, ...], limit: float, each_after: int
) -> None:
    system = straight(*lengths, each_after=each_after)
    every = interleavings(lengths)
    assert chi_square(uniformly(system, seed=1, runs=2_000), every) < limit
    plain = sample(system, PlainWalk(Census(system), runs=2_000, seed=1))
    assert chi_square(plain, every) > 2 * limit


def test_steps_that_concern_nobody_change_no_weight() -> None:
    """An actor with ten steps of its own is no later with its one shared step than without them."""
    system = Toy((((own(0),) * 10 + (SHARED,)), (SHARED,) * 3))
    assert chi_square(uniformly(system, seed=3, runs=2_000), interleavings((1, 3))) < 16.27


def test_one_seed_draws_one_sample() -> None:
    system = straight(2, 3)
    assert uniformly(system, 7, 50) == uniformly(system, 7, 50) != uniformly(system, 8, 50)


def test_where_actors_stop_early_every_outcome_is_still_come_to() -> None:
    """A read that ends its actor: the weights are then what the census found left on average."""
    system = Toy(((("read", "x"), SHARED, SHARED), (("add", "x"), ("add", "x"), ("add", "x"))))
    whole: set[object] = set()
    brute = Toy(system.programs, is_brute=True)
    run_schedules(brute, DepthFirst(), Budget(schedules_max=10_000), lambda _, leaf: whole.add(leaf))
    seen: set[object] = set()
    strategy = walk_of(system, seed=1, runs=400)
    run_schedules(system, strategy, Budget(schedules_max=10_000), lambda _, leaf: seen.add(leaf))
    assert seen == whole


def test_without_a_census_it_is_a_plain_walk() -> None:
    system = straight(1, 2)
    every = sample(system, UniformWalk(Census(system), runs=2_000, seed=1))
    assert 0.4 < every.count((0, 1, 1)) / 2_000 < 0.6


def test_what_is_unseen_of_a_small_sample_by_hand() -> None:
    # Of 4 one class came once, and the second half brought it: 1 of 2 at 95 %: 1 - the root of 0.05.
    found = unseen_of(["a", "a", "a", "b"])
    assert (found.schedules, found.estimate) == (4, 0.25)
    assert found.at_most == pytest.approx(0.9747, abs=1e-4)
    # None of 100 was new: 1 - 0.05^(1/100).
    assert unseen_of(["a"] * 200).at_most == pytest.approx(0.02951, abs=1e-5)
    assert unseen_of([]).at_most == unseen_of(["a"]).at_most == 1.0
    assert unseen_of(["a", "b"], known=["a", "b"]).estimate == 0.0


def test_a_schedule_that_was_missed_counts_as_one_of_a_new_class() -> None:
    assert unseen_of(["a"] * 20 + [None] * 5).at_most > unseen_of(["a"] * 25).at_most
    assert unseen_of(["a", "a", None, None]).estimate == 0.5


WEIGHTS = {
    "alike": [1.0] * 60,
    "zipf": [1.0 / n for n in range(1, 400)],
    "geometric": [0.8**n for n in range(60)],
    "one and many rare": [300.0, *[1.0] * 100],
}
REPEATS, SCHEDULES = 400, 60


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_bound_holds_as_often_as_it_says_and_the_estimate_does_not(name: str) -> None:
    """Simulated samplers with known masses. 400 repeats: three standard errors of 95 % are 3.3 %."""
    weights, dice = WEIGHTS[name], random.Random(1)
    whole, classes = sum(weights), range(len(weights))
    held = estimated = says = 0
    for _ in range(REPEATS):
        drawn = dice.choices(classes, weights, k=SCHEDULES)
        unseen = sum(weights[c] for c in set(classes) - set(drawn)) / whole
        told = unseen_of(drawn)
        held += unseen <= told.at_most
        estimated += unseen <= told.estimate
        says += told.at_most < 1.0
    assert held / REPEATS >= CONFIDENCE - 0.033
    assert estimated / REPEATS < 0.85, "a bound that always holds would say nothing here"
    assert says == REPEATS


def test_it_holds_of_the_sampler_itself() -> None:
    """Of 210 interleavings, all alike, 100 are drawn: the share that never came is known exactly."""
    system, every = straight(2, 2, 3), interleavings((2, 2, 3))
    held = 0
    for seed in range(40):
        drawn = uniformly(system, seed, 100)
        held += 1.0 - len(set(drawn)) / len(every) <= unseen_of(drawn).at_most
    assert held >= 36


def test_a_walk_by_priorities_leaves_out_most_of_them() -> None:
    """Why there is a uniform sample beside it: PCT of depth 3 switches at most twice by its own will."""
    system = straight(3, 3, 3)
    pct = set(sample(system, RandomWalk(actors=3, runs=1_000, seed=1)))
    assert len(pct) < 0.4 * len(set(uniformly(system, seed=1, runs=1_000)))
