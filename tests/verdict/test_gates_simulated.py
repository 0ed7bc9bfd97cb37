"""10,000 simulated gates a server: how often the rule says PASS where it must not, and where it should.

A server here gives, pair by pair, the target's chance p and the control's chance c to hit, from all that went
before; the rule never sees them. Seeds are fixed; each bound states the chance that a right rule breaks it.
"""

from collections.abc import Callable
from functools import cache

import numpy
import pytest
from mailrace.model.result import ControlResult, Verdict
from mailrace.verdict import decide, settled, sign_flips
from numpy.typing import NDArray
from scipy import stats

GATES = 10_000
Floats = NDArray[numpy.float64]
Bools = NDArray[numpy.bool_]
Rates = Callable[[numpy.random.Generator, int, Floats, Bools], Floats]
"""The next pair's rate of each gate, from the draw, the pair's index, the last rates and who fired last."""


def constant(draw: numpy.random.Generator, pair: int, last: Floats, fired: Bools) -> Floats:
    return last if pair else draw.uniform(0.02, 0.9, GATES)


def drifting(draw: numpy.random.Generator, pair: int, last: Floats, fired: Bools) -> Floats:
    """From 2 % to 89 % within a run, as a warm server does (MAILPIT.md, "Rates")."""
    return (
        numpy.clip(last + draw.normal(0, 0.05, GATES), 0.02, 0.89)
        if pair
        else draw.uniform(0.02, 0.89, GATES)
    )


def bursty(draw: numpy.random.Generator, pair: int, last: Floats, fired: Bools) -> Floats:
    """Mostly 2 %, and 80 % in bursts of ten pairs on average."""
    starts, ends = draw.random(GATES) < 0.05, draw.random(GATES) < 0.1
    is_burst = numpy.where(last > 0.5, ~ends, starts)
    return numpy.where(is_burst, 0.8, 0.02)


def adaptive(draw: numpy.random.Generator, pair: int, last: Floats, fired: Bools) -> Floats:
    """Offsets steered by what fired last: the rate of a pair hangs on the pair before."""
    return numpy.where(fired, 0.05, 0.6)


def independent(draw: numpy.random.Generator, target: Floats, control: Floats) -> tuple[Bools, Bools]:
    return draw.random(GATES) < target, draw.random(GATES) < control


def exclusive(draw: numpy.random.Generator, target: Floats, control: Floats) -> tuple[Bools, Bools]:
    """The worst for the rule: the control fires only where the target does not, as far as that can be."""
    drawn = draw.random(GATES)
    return drawn < target, drawn > 1 - control


def together(draw: numpy.random.Generator, target: Floats, control: Floats) -> tuple[Bools, Bools]:
    drawn = draw.random(GATES)
    return drawn < target, drawn < control


Pairing = Callable[[numpy.random.Generator, Floats, Floats], tuple[Bools, Bools]]


@cache
def verdict(hits: int, fired: int, pairs: int, kind: int) -> Verdict:
    control = ControlResult(
        target="c",
        scenario="s",
        kind=kind,
        why="",
        pairs=pairs,
        pairs_fired=fired,
        hits=fired,
        confidence=0.99,
        bound=None,
    )
    return decide(rounds=pairs, hits=hits, control=control).verdict


def passes(
    rates: Rates,
    pairing: Pairing,
    pairs: int,
    *,
    ratio: float,
    kind: int = 1,
    stops_early: bool = False,
    seed: int,
) -> int:
    """How many of 10,000 gates end PASS, where the target's rate is `ratio` times the control's."""
    draw = numpy.random.default_rng(seed)
    rate, hits = numpy.zeros(GATES), numpy.zeros(GATES, dtype=int)
    fired, last_fired = numpy.zeros(GATES, dtype=int), numpy.zeros(GATES, dtype=bool)
    is_running = numpy.ones(GATES, dtype=bool)
    for pair in range(pairs):
        rate = rates(draw, pair, rate, last_fired)
        hit, last_fired = pairing(draw, rate * ratio, rate)
        hits += hit & is_running
        fired += last_fired & is_running
        if stops_early:
            stopped = {
                (h, f): settled(hits=h, pairs_fired=f, control_kind=kind)
                for h, f in {*zip(hits.tolist(), fired.tolist(), strict=True)}
            }
            is_running &= numpy.array(
                [not stopped[key] for key in zip(hits.tolist(), fired.tolist(), strict=True)]
            )
    return sum(
        verdict(min(h, 1), f, pairs, kind) is Verdict.PASS
        for h, f in zip(hits.tolist(), fired.tolist(), strict=True)
    )


@pytest.mark.parametrize("pairing", [independent, exclusive, together])
@pytest.mark.parametrize("rates", [constant, drifting, bursty, adaptive])
def test_a_target_as_bad_as_its_control_hardly_ever_passes(rates: Rates, pairing: Pairing) -> None:
    """By the rule's own inequality with θ = 1, PASS has at most 2^-17 = 7.6e-6, and 1 % is promised.

    A right rule breaks this test's bound, 5 of 10,000, with a chance below 1e-8.
    """
    assert stats.binom.sf(5, GATES, 2**-17) < 1e-8
    assert passes(rates, pairing, 120, ratio=1.0, seed=1) <= 5


@pytest.mark.parametrize("rates", [constant, drifting, bursty, adaptive])
@pytest.mark.parametrize("stops_early", [False, True])
def test_at_the_bound_itself_pass_stays_under_one_in_a_hundred(rates: Rates, stops_early: bool) -> None:
    """A third as frequent as the control, never in the same pair: the hardest case that the rule promises.

    Of each pair in which either fires, the control has 3 of 4: PASS at most (3/4)^17 = 0.75 %, whenever one
    stops. Above 110 of 10,000 a right rule comes with a chance below 2e-4.
    """
    assert stats.binom.sf(110, GATES, 0.75**17) < 2e-4
    assert passes(rates, exclusive, 150, ratio=1 / 3, stops_early=stops_early, seed=2) <= 110


def test_the_hardest_case_comes_near_what_is_promised() -> None:
    """So that the test above could fail: the share is of the size promised, 75 of 10,000, and not zero."""
    assert passes(constant, exclusive, 150, ratio=1 / 3, stops_early=True, seed=3) >= 20


@pytest.mark.parametrize("rates", [constant, drifting, bursty])
def test_a_dead_control_and_one_of_kind_3_never_pass(rates: Rates) -> None:
    def dead(draw: numpy.random.Generator, target: Floats, control: Floats) -> tuple[Bools, Bools]:
        return numpy.zeros(GATES, dtype=bool), numpy.zeros(GATES, dtype=bool)

    assert passes(rates, dead, 60, ratio=0.0, seed=4) == 0
    assert passes(rates, independent, 60, ratio=0.0, kind=3, seed=4) == 0


def at_least_a_fifth(rates: Rates) -> Rates:
    return lambda draw, pair, last, fired: numpy.maximum(rates(draw, pair, last, fired), 0.2)


def a_fifth(draw: numpy.random.Generator, pair: int, last: Floats, fired: Bools) -> Floats:
    return numpy.full(GATES, 0.2)


@pytest.mark.parametrize(
    "rates", [a_fifth, at_least_a_fifth(constant), at_least_a_fifth(drifting), at_least_a_fifth(bursty)]
)
@pytest.mark.parametrize("stops_early", [False, True])
def test_a_clean_target_passes_in_nine_of_ten(rates: Rates, stops_early: bool) -> None:
    """A control at 0.2 or more fires in 17 of 200 pairs with a chance above 0.99999."""
    assert stats.binom.sf(16, 200, 0.2) > 0.99999
    assert passes(rates, independent, 200, ratio=0.0, stops_early=stops_early, seed=5) >= 0.9 * GATES


def test_sign_flips_stand_bursts_where_one_rate_tests_do_not() -> None:
    """1,000 comparisons of two equal targets over 12 bursty blocks, at 5 %.

    The sign-flip test errs in at most 5 %: above 90 of 1,000 has a chance below 1e-6. The chi-square test of
    the two-by-two table takes all rounds for draws of one rate, as Fisher's does, and errs far more often.
    """
    assert stats.binom.sf(90, 1_000, 0.05) < 1e-6
    draw = numpy.random.default_rng(6)
    flips = one_rate = 0
    for _ in range(1_000):
        first, second = (draw.binomial(25, numpy.where(draw.random(12) < 0.3, 0.8, 0.05)) for _ in range(2))
        flips += sign_flips(first.tolist(), second.tolist()) <= 0.05
        table = [[first.sum(), 300 - first.sum()], [second.sum(), 300 - second.sum()]]
        one_rate += stats.chi2_contingency(table).pvalue <= 0.05
    assert flips <= 90
    assert one_rate >= 300
