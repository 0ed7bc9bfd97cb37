"""Takes hits block by block; gives whether one rate can stand for them all."""

from collections.abc import Sequence
from math import sqrt

from mailrace.model.result import Block

_NORMAL_QUANTILE_99 = 2.3263478740408408


def overdispersion(blocks: Sequence[Block]) -> float | None:
    """How many times the variance of the blocks is the binomial one: 1 for one constant rate.

    Pearson's chi-square over its degrees of freedom (McCullagh and Nelder 1989, Generalized Linear Models,
    4.5). None where it says nothing: fewer than two blocks with rounds, or no hit, or hits everywhere.
    """
    used = [block for block in blocks if block.rounds > 0]
    rounds = sum(block.rounds for block in used)
    hits = sum(block.hits for block in used)
    if len(used) < 2 or hits in (0, rounds):
        return None
    rate = hits / rounds
    chi_square = sum((b.hits - b.rounds * rate) ** 2 / (b.rounds * rate * (1.0 - rate)) for b in used)
    return chi_square / (len(used) - 1)


def is_overdispersed(blocks: Sequence[Block]) -> bool:
    """Whether sentences must not assume one rate: a constant rate shows so much spread once in 100 runs.

    The 0.99 quantile of chi-square by Wilson and Hilferty (1931, PNAS 17, 684), within 1 % from 2 degrees
    of freedom on; the chi-square itself is rough where a block expects fewer than 5 hits. An error here
    only makes a sentence more careful or less; no verdict depends on it.
    """
    ratio = overdispersion(blocks)
    if ratio is None:
        return False
    spread = 2.0 / (9.0 * (sum(1 for block in blocks if block.rounds > 0) - 1))
    return bool(ratio > (1.0 - spread + _NORMAL_QUANTILE_99 * sqrt(spread)) ** 3)
