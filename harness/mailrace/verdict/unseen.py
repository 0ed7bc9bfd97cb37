"""How often each distinct order was seen to the share of runs that would show one not seen yet."""

from collections.abc import Iterable


def unseen_share(times_seen: Iterable[int]) -> float:
    """The Good–Turing estimate: runs whose order was seen once ÷ all runs; 1 where nothing was run.

    Good 1953, Biometrika 40, 237, after Turing. It estimates the chance that the next run shows an order
    never seen, if the next is drawn as these were, independently; it is no bound, and never "exhaustive".
    """
    times = [number for number in times_seen if number > 0]
    return sum(1 for number in times if number == 1) / sum(times) if times else 1.0
