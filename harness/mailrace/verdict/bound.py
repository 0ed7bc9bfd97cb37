"""How often the control must fire for a clean target to be a PASS (docs/verdicts.md)."""

from math import ceil, expm1, log, log1p

from mailrace.model.result import Rule


def pairs_needed(theta: float, confidence: float) -> int:
    """The least h with (1+θ)^h ≥ 1/(1−confidence): at 0.99, θ = 1/3: 17; 1: 7; 1/10: 49.

    Give each pair a factor: 0 where the target hit, 1+θ where only the control fired, and 1 otherwise. If in
    each pair, given all that went before, the target hits with at least θ times the control's probability,
    the product of these factors is a supermartingale. By Ville's inequality (Ville 1939, Étude critique de la
    notion de collectif) it ever reaches 1/(1−confidence) with probability at most 1−confidence: whenever one
    stops looking, whatever the drift, and however the two of a pair depend on each other.
    Raises ValueError unless θ > 0 and 0 < confidence < 1.
    """
    if theta <= 0.0 or not 0.0 < confidence < 1.0:
        raise ValueError(f"theta {theta} must be above 0, confidence {confidence} between 0 and 1")
    # 1/(1-0.75) is 4 and two doublings reach it: the last bits of the logarithms must not ask for a third.
    return max(1, ceil(-log1p(-confidence) / log1p(theta) - 1e-12))


def theta_bound(pairs_fired: int, confidence: float) -> float | None:
    """θ* = (1−confidence)^(−1/h) − 1 for a target that never hit; None where the control never fired.

    "A race at least θ* times as frequent as the control would have been seen with that confidence."
    Source and conditions as for `pairs_needed`.
    """
    return expm1(-log(1.0 - confidence) / pairs_fired) if pairs_fired > 0 else None


def is_settled(*, hits: int, pairs_fired: int, control_kind: int | None, rule: Rule) -> bool:
    """Whether more rounds can change nothing: `--until decided` stops here.

    One hit on a promise is proof. A clean target is settled once the control fired in enough pairs; the rule
    holds at any stopping time, so looking after each pair costs no confidence. A control of kind 3, or
    none, never settles a clean one.
    """
    return hits > 0 or (control_kind in (1, 2) and pairs_fired >= rule_pairs(rule))


def rule_pairs(rule: Rule) -> int:
    """Pairs in which the control must fire for a PASS: 17 for a single verdict, 27 where there are 22."""
    return pairs_needed(rule.theta, rule.confidence_each)
