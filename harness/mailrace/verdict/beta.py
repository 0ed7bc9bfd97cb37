"""The incomplete beta function and its inverse, from which exact binomial bounds are made."""

from math import exp, lgamma, log, log1p

_STEPS_MAX = 10_000
_PRECISION = 1e-16
_TINY = 1e-300


def incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), the chance that a beta(a, b) variable is at most x; for 0 ≤ x ≤ 1 and a, b > 0.

    The continued fraction of DLMF 8.17.22 by Lentz's method (Lentz 1976, Applied Optics 15, 668), on the
    side of the mean where it converges fast, in about sqrt(max(a, b)) steps.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, by bisection: the function rises, so the two ends always hold it."""
    low, high = 0.0, 1.0
    # Until no double lies between the two; a root near 0 takes the most halvings.
    for _ in range(1_100):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if incomplete_beta(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _fraction(x: float, a: float, b: float) -> float:
    c = 1.0
    d = 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _STEPS_MAX):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        change = 1.0
        for term in (even, odd):
            d = 1.0 / _not_zero(1.0 + term * d)
            c = _not_zero(1.0 + term / c)
            value *= c * d
            change = c * d
        if abs(change - 1.0) < _PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
