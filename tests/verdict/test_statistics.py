"""Each formula against scipy over a grid, and against figures that the design names."""

from math import comb

import numpy
import pytest
import scipy  # its `stats` is loaded by the test that asks for it, and not in each worker
from hypothesis import given
from hypothesis import strategies as st
from mailrace.model.result import Block, Rule
from mailrace.verdict import (
    clopper_pearson,
    is_overdispersed,
    is_settled,
    rule_pairs,
    theta_bound,
    upper_bound,
)
from mailrace.verdict.beta import beta_quantile, incomplete_beta
from mailrace.verdict.bound import pairs_needed
from mailrace.verdict.drift import overdispersion

pytestmark = pytest.mark.slow

CONFIDENCES = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)


@pytest.mark.parametrize("rounds", [1, 2, 3, 7, 20, 60, 100, 1_000, 9_646, 100_000])
def test_clopper_pearson_is_scipys(rounds: int) -> None:
    for hits in {0, 1, 2, rounds // 10, rounds // 3, rounds // 2, rounds - 1, rounds} & set(
        range(rounds + 1)
    ):
        for confidence in CONFIDENCES:
            tail = (1 - confidence) / 2
            low = scipy.stats.beta.ppf(tail, hits, rounds - hits + 1) if hits else 0.0
            high = scipy.stats.beta.isf(tail, hits + 1, rounds - hits) if hits < rounds else 1.0
            ours = clopper_pearson(hits, rounds, confidence)
            assert ours.low == pytest.approx(low, rel=1e-9, abs=1e-12)
            assert ours.high == pytest.approx(high, rel=1e-9, abs=1e-12)
            assert ours.confidence == confidence


def test_incomplete_beta_is_scipys() -> None:
    for a in (0.5, 1, 3, 40, 2_000):
        for b in (0.5, 1, 7, 300, 10_000):
            for x in (0.0, 1e-6, 0.01, a / (a + b), 0.5, 0.99, 1.0):
                assert incomplete_beta(x, a, b) == pytest.approx(
                    scipy.stats.beta.cdf(x, a, b), rel=1e-9, abs=1e-13
                )


def test_beta_quantile_inverts_it() -> None:
    for p in (1e-4, 0.3, 0.9):
        assert incomplete_beta(beta_quantile(p, 3, 50), 3, 50) == pytest.approx(p, rel=1e-12)


def test_a_clean_run_has_the_upper_bound_of_the_binomial() -> None:
    assert upper_bound(0, 200) == pytest.approx(1 - 0.05 ** (1 / 200), rel=1e-12)
    assert f"{100 * upper_bound(0, 200):.1f} %" == "1.5 %"
    assert upper_bound(5, 5) == 1.0


def test_no_rounds_say_nothing() -> None:
    interval = clopper_pearson(0, 0)
    assert (interval.low, interval.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("hits", "rounds", "confidence"), [(2, 1, 0.9), (-1, 5, 0.9), (1, 2, 1.0), (1, 2, 0.0)]
)
def test_impossible_counts_are_refused(hits: int, rounds: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"hits must|confidence"):
        clopper_pearson(hits, rounds, confidence)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_rate_and_mirrors(counts: tuple[int, int]) -> None:
    hits, rounds = counts
    here, there = clopper_pearson(hits, rounds), clopper_pearson(rounds - hits, rounds)
    assert here.low <= hits / rounds <= here.high
    assert here.low == pytest.approx(1 - there.high, abs=1e-12)


@pytest.mark.parametrize(
    ("theta", "confidence", "pairs"),
    [
        (1 / 3, 0.99, 17),
        (1, 0.99, 7),
        (0.1, 0.99, 49),
        (1, 0.75, 2),
        (1, 0.5, 1),
        (1, 0.875, 3),
        (1e6, 0.5, 1),
    ],
)
def test_pairs_needed(theta: float, confidence: float, pairs: int) -> None:
    assert pairs_needed(theta, confidence) == pairs


@given(st.floats(0.01, 10), st.floats(0.5, 0.9999))
def test_the_bound_and_the_pairs_are_one_rule(theta: float, confidence: float) -> None:
    needed = pairs_needed(theta, confidence)
    bound = theta_bound(needed, confidence)
    assert bound is not None
    assert bound <= theta * (1 + 1e-9)
    fewer = theta_bound(needed - 1, confidence)
    assert fewer is None or fewer > theta


def test_a_control_that_never_fired_bounds_nothing() -> None:
    assert theta_bound(0, 0.99) is None
    assert theta_bound(17, 0.99) == pytest.approx(0.3111, abs=1e-4)


def test_settled_either_way() -> None:
    assert is_settled(hits=1, pairs_fired=0, control_kind=None, rule=Rule())
    assert is_settled(hits=0, pairs_fired=17, control_kind=1, rule=Rule())
    assert is_settled(hits=0, pairs_fired=17, control_kind=2, rule=Rule())
    assert not is_settled(hits=0, pairs_fired=16, control_kind=1, rule=Rule())
    assert not is_settled(hits=0, pairs_fired=1_000, control_kind=3, rule=Rule())
    assert not is_settled(hits=0, pairs_fired=1_000, control_kind=None, rule=Rule())


@pytest.mark.parametrize(("verdicts", "pairs"), [(1, 17), (2, 19), (22, 27), (110, 33)])
def test_verdicts_that_share_one_confidence_need_more_pairs_each(verdicts: int, pairs: int) -> None:
    rule = Rule(verdicts=verdicts)
    assert rule_pairs(rule) == pairs
    assert is_settled(hits=0, pairs_fired=pairs, control_kind=1, rule=rule)
    assert not is_settled(hits=0, pairs_fired=pairs - 1, control_kind=1, rule=rule)


def test_impossible_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="theta 0"):
        pairs_needed(0, 0.99)
    with pytest.raises(ValueError, match="confidence 1"):
        pairs_needed(1, 1)


def blocks(hits: list[int], rounds: int = 50) -> list[Block]:
    return [Block(first_round=i * rounds, rounds=rounds, hits=h, control_hits=0) for i, h in enumerate(hits)]


def test_overdispersion_is_pearsons_chi_square() -> None:
    hits = [3, 10, 25, 40, 12]
    table = numpy.array([hits, [50 - h for h in hits]])
    assert overdispersion(blocks(hits)) == pytest.approx(
        scipy.stats.chi2_contingency(table).statistic / 4, rel=1e-12
    )


def test_overdispersion_says_nothing_of_too_little() -> None:
    for silent in ([], [4], [0, 0, 0], [50, 50]):
        assert overdispersion(blocks(silent)) is None
        assert not is_overdispersed(blocks(silent))
    assert overdispersion([*blocks([4, 9]), *blocks([0], rounds=0)]) == overdispersion(blocks([4, 9]))


def test_a_drifting_rate_is_told_from_a_constant_one() -> None:
    """At 1 % false calls in 1,000 runs, 40 are passed with a chance below 1e-12."""
    assert scipy.stats.binom.sf(40, 1_000, 0.01) < 1e-12
    draw = numpy.random.default_rng(11)
    calls = sum(is_overdispersed(blocks(draw.binomial(50, 0.3, 10).tolist())) for _ in range(1_000))
    assert calls <= 40
    drifts = sum(
        is_overdispersed(blocks(draw.binomial(50, draw.uniform(0.02, 0.89, 10)).tolist())) for _ in range(200)
    )
    assert drifts == 200


def test_the_threshold_is_the_quantile_of_chi_square() -> None:
    """Wilson and Hilferty's approximation, seen through the predicate: just below and just above."""
    for degrees in (2, 4, 9, 19):
        quantile = scipy.stats.chi2.ppf(0.99, degrees)
        spread = 2 / (9 * degrees)
        ours = degrees * (1 - spread + scipy.stats.norm.ppf(0.99) * spread**0.5) ** 3
        assert ours == pytest.approx(quantile, rel=0.02)


def test_clopper_pearson_covers_what_it_says() -> None:
    """The exact chance, over all outcomes of 30 rounds, that the interval holds the rate."""
    for rate in (0.01, 0.1, 0.37, 0.5):
        holds = 0.0
        for hits in range(31):
            interval = clopper_pearson(hits, 30)
            if interval.low <= rate <= interval.high:
                holds += comb(30, hits) * rate**hits * (1 - rate) ** (30 - hits)
        assert holds >= 0.95
