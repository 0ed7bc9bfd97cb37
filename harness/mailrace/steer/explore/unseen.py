"""Takes a sample of schedules; gives how much of the sampler's mass is in classes that did not come.

The estimate is Good and Turing's (I. J. Good, Biometrika 40, 1953): the share of the sample whose class came
once. Its bound is taken from the sample's second half. Given the first half, each later schedule is new with
one unknown chance, which is the unseen mass, independently of the others: a plain proportion, bounded by
Clopper and Pearson. What the second half sees besides only lessens that mass, so the bound holds for the
whole sample, exactly and for every distribution. Two others were weighed and left: the bound of McAllester
and Schapire (COLT 2000) lies (2√2+√3)·√(ln(3/δ)/n) above the estimate, 65 % for a sample of 200 and δ 0.05,
which says nothing; and a bootstrap draws again from what was seen, so it cannot know of what was not.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailrace.verdict import upper_bound

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Unseen:
    """What `schedules` drawn independently say of the classes that they did not come to.

    estimate   Good and Turing's share; 1 of no schedules
    at_most    the bound, at `CONFIDENCE`; 1 of fewer than two schedules
    """

    schedules: int
    estimate: float
    at_most: float

    def __str__(self) -> str:
        mass, confidence = f"{100 * self.at_most:.1f} %", f"{100 * CONFIDENCE:.0f} % confidence"
        return (
            f"after {self.schedules} sampled schedules at most {mass} of the sampler's mass is unseen, with "
            f"{confidence} (Good-Turing estimate {100 * self.estimate:.1f} %)"
        )


def unseen_of(classes: Sequence[object], known: Collection[object] = ()) -> Unseen:
    """Of the classes of a sample's schedules, in the order in which they were drawn.

    known    classes that were seen before the sample was drawn; None in `classes` is a schedule that was
             missed: of it nothing is known, so it counts as one of a class of its own
    """
    drawn = [object() if one is None else one for one in classes]
    counts = Counter(drawn)
    once = sum(1 for one, n in counts.items() if n == 1 and one not in known)
    half = len(drawn) // 2
    before = {*drawn[:half], *known}
    fresh = sum(1 for one in drawn[half:] if one not in before)
    return Unseen(
        schedules=len(drawn),
        estimate=once / len(drawn) if drawn else 1.0,
        at_most=upper_bound(fresh, len(drawn) - half, CONFIDENCE) if len(drawn) > 1 else 1.0,
    )
