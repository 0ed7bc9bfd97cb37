"""Hits of two targets in paired blocks to the probability that chance alone parts them so far."""

from collections import Counter
from collections.abc import Sequence


def sign_flips(first: Sequence[int], second: Sequence[int]) -> float:
    """The two-sided p-value of the paired sign-flip test: hits of both in each block, block by block.

    If the two do not differ, the two hit counts of a block could as well be exchanged, whatever its rate is:
    so drift and bursts, which make Fisher's exact test err (issue 7), do no harm as long as both had the
    same number of rounds in each block, alternating by a coin. Fisher 1935, The Design of Experiments, 21;
    Pitman 1937, J. R. Stat. Soc. Suppl. 4, 119. All 2^n flips are counted, exactly; blocks with equal hits
    say nothing, and 1.0 comes back where all are equal. Raises ValueError where the lengths differ.
    """
    differences = [abs(a - b) for a, b in zip(first, second, strict=True) if a != b]
    observed = abs(sum(a - b for a, b in zip(first, second, strict=True)))
    sums = Counter({0: 1})
    for difference in differences:
        flipped: Counter[int] = Counter()
        for total, ways in sums.items():
            flipped[total + difference] += ways
            flipped[total - difference] += ways
        sums = flipped
    as_far = sum(ways for total, ways in sums.items() if abs(total) >= observed)
    return float(as_far / 2 ** len(differences))
