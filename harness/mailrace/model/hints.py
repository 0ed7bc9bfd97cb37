"""Takes a word that is not known; gives the one that was perhaps meant."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word that is nearest, "" where none is near; `cutoff`: how near, 0 (any) to 1 (equal)."""
    return next(iter(difflib.get_close_matches(word, [*known], 1, cutoff)), "")


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "", cutoff: float = 0.6) -> str:
    """The end of a sentence: `; did you mean NAME?`, or `otherwise` where nothing is near."""
    near = nearest(word, known, cutoff)
    said = f"did you mean {near}?" if near else otherwise
    return said and f"; {said}"
