"""Pairs in which the control fired to what a clean target then means (DESIGN.md, "Controls")."""

from math import ceil, expm1, log, log1p

CONFIDENCE = 0.99
THETA = 1.0 / 3.0
"""The rule's default: a race at least a third as frequent as the control would have been seen."""


def pairs_needed(theta: float = THETA, confidence: float = CONFIDENCE) -> int:
    """The least h with (1+θ)^h ≥ 1/(1−confidence): 17 by default; θ = 1: 7; θ = 1/10: 49.

    The product over pairs of 0 where the target hit, 1+θ where only the control fired, and 1 otherwise is a
    supermartingale if in each pair the target hits with at least θ times the control's probability, given
    all that went before. By Ville's inequality (Ville 1939, Étude critique de la notion de collectif) it
    ever reaches 1/(1−confidence) with probability at most 1−confidence: whenever one stops looking,
    whatever the drift, and however the two of a pair depend on each other.
    Raises ValueError unless θ > 0 and 0 < confidence < 1.
    """
    if theta <= 0.0 or not 0.0 < confidence < 1.0:
        raise ValueError(f"theta {theta} must be above 0, confidence {confidence} between 0 and 1")
    # 1/(1-0.75) is 4 and two doublings reach it: the last bits of the logarithms must not ask for a third.
    return max(1, ceil(-log1p(-confidence) / log1p(theta) - 1e-12))


def theta_bound(pairs_fired: int, confidence: float = CONFIDENCE) -> float | None:
    """θ* = (1−confidence)^(−1/h) − 1 for a target that never hit; None where the control never fired.

    "A race at least θ* times as frequent as the control would have been seen with that confidence."
    Source and conditions as for `pairs_needed`.
    """
    return expm1(-log(1.0 - confidence) / pairs_fired) if pairs_fired > 0 else None


def settled(
    *,
    hits: int,
    pairs_fired: int,
    control_kind: int | None,
    confidence: float = CONFIDENCE,
    theta: float = THETA,
) -> bool:
    """Whether more rounds can change nothing: `--until decided` stops here.

    One hit on a promise is proof. A clean target is settled once the control fired in enough pairs; the rule
    holds at any stopping time, so looking after each pair costs no confidence. A control of kind 3, or
    none, never settles a clean one.
    """
    return hits > 0 or (control_kind in (1, 2) and pairs_fired >= pairs_needed(theta, confidence))
