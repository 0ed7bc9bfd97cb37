"""Takes the hits of rounds; gives an interval or an upper bound of the hit rate."""

from mailrace.model.result import Interval
from mailrace.verdict.beta import beta_quantile


def clopper_pearson(hits: int, rounds: int, confidence: float = 0.95) -> Interval:
    """The exact two-sided interval of a hit rate; (0, 1) where there were no rounds.

    Clopper and Pearson 1934, Biometrika 26, 404. It holds its confidence or more for independent rounds of
    ONE rate; a warm server drifts (`is_overdispersed`), and then it describes these rounds only.
    Raises ValueError unless 0 ≤ hits ≤ rounds and 0 < confidence < 1.
    """
    _require(hits, rounds, confidence)
    tail = (1.0 - confidence) / 2.0
    low = _lower(hits, rounds, tail)
    high = 1.0 - _lower(rounds - hits, rounds, tail)
    return Interval(low=low, high=high, confidence=confidence)


def upper_bound(hits: int, rounds: int, confidence: float = 0.95) -> float:
    """The exact one-sided upper bound of a hit rate: "at most 1.5 % with 95 %" for 0 of 200.

    Source and conditions as for `clopper_pearson`.
    """
    _require(hits, rounds, confidence)
    return 1.0 - _lower(rounds - hits, rounds, 1.0 - confidence)


def _lower(hits: int, rounds: int, tail: float) -> float:
    """The rate at which that many hits or more have the chance `tail`."""
    return beta_quantile(tail, hits, rounds - hits + 1) if hits else 0.0


def _require(hits: int, rounds: int, confidence: float) -> None:
    if not 0 <= hits <= rounds:
        raise ValueError(f"{hits} hits of {rounds} rounds: hits must be from 0 to the rounds")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence {confidence}: give one between 0 and 1")
