"""Takes versions in order and a probe; gives the neighbours between which a race came or went.

The search is pure: it takes answers and gives the version to ask next, so it can be stopped, written down and
continued at any time. Where a version gives no answer, its nearest neighbour is asked instead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import ceil, log2

from mailrace.model.command_line import OwnCommand


class Answer(StrEnum):
    """What a probe says of one version."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    """It could not be looked at, or not well enough for a clean word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """A version's answer, with the sentence that says why and where its files are."""

    answer: Answer
    reason: str
    proof: str = ""
    replay: OwnCommand = ""
    report: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A bisection. `versions`: oldest first; the first and the last are `good` and `bad`, in either order.

    answers   what is known. What the user said of the two ends is believed; an end is probed only where the
              search comes down to it
    """

    versions: tuple[str, ...]
    good: str
    bad: str
    answers: Mapping[str, Probed] = field(default_factory=dict)

    @property
    def steps_max(self) -> int:
        """How many versions between the ends are probed if each one answers: ⌈log2 n⌉ for n versions."""
        return ceil(log2(len(self.versions)))

    @property
    def pair(self) -> tuple[str, str]:
        """The narrowest known (older, newer) with different answers."""
        low, high = self._ends()
        return self.versions[low], self.versions[high]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Versions inside the pair that gave no answer. With any of them the true pair may be narrower."""
        low, high = self._ends()
        return self.versions[low + 1 : high]

    def next(self) -> str | None:
        """The version to probe next; None where the search is over.

        First the versions between the ends. Then the two of the pair, as far as only the user has judged them
        so far: the answer has to end with a proof.
        """
        low, high = self._ends()
        middle = (low + high) / 2
        inside = [i for i in range(low + 1, high) if self.versions[i] not in self.answers]
        if inside:
            return self.versions[min(inside, key=lambda i: (abs(i - middle), i))]
        return next((v for v in self.pair if v not in self.answers), None)

    def contradiction(self) -> str:
        """That a probe says the opposite of what the user said of an end, in a sentence; "" if none does."""
        for version, said in ((self.good, Answer.GOOD), (self.bad, Answer.BAD)):
            probed = self.answers.get(version)
            if probed is not None and probed.answer not in (said, Answer.UNKNOWN):
                return f"{version} was said to be {said}, and is {probed.answer}: {probed.reason}"
        return ""

    def _ends(self) -> tuple[int, int]:
        first_is_good = self.versions[0] == self.good
        low, high = 0, len(self.versions) - 1
        for i in range(1, len(self.versions) - 1):
            probed = self.answers.get(self.versions[i])
            if probed is None or probed.answer is Answer.UNKNOWN:
                continue
            if (probed.answer is Answer.GOOD) == first_is_good:
                low = max(low, i)
            else:
                high = min(high, i)
        # Where the answers change more than once, low ends up above high; then the newest change is shown.
        return (low, high) if low < high else (low, len(self.versions) - 1)


def bisect(
    search: Search, probe: Callable[[str], Probed], keep: Callable[[Search], None] = lambda _: None
) -> Search:
    """Probe until the search is over or contradicts itself; `keep` is told after each answer."""
    for _ in range(len(search.versions)):
        version = search.next()
        if version is None or search.contradiction():
            break
        search = replace(search, answers={**search.answers, version: probe(version)})
        keep(search)
    return search


def is_proved(search: Search) -> bool:
    """Whether both of the pair were probed with different answers and nothing between them is open."""
    answers = [search.answers[v].answer for v in search.pair if v in search.answers]
    return sorted(answers) == [Answer.BAD, Answer.GOOD] and not search.unknown


def told(search: Search) -> Sequence[str]:
    """The outcome in sentences."""
    if wrong := search.contradiction():
        return (wrong,)
    pair = search.pair if search.versions[0] == search.bad else search.pair[::-1]
    shown = {v for v in pair if v in search.answers and search.answers[v].answer is not Answer.UNKNOWN}
    lines = [f"Of these neighbours {pair[0]} has the race, and {pair[1]} does not."]
    if believed := [version for version in pair if version not in shown]:
        lines[0] = f"{lines[0][:-1]}; for {' and '.join(believed)} this was only said, and not shown."
    if search.unknown:
        lines.append(f"Between them {', '.join(search.unknown)} could not be looked at.")
    for version in search.pair:
        probed = search.answers.get(version)
        if probed is not None:
            lines.append(f"{version}: {probed.answer}: {probed.reason}")
            lines += [probed.proof] if probed.proof else []
            lines += [f"again: {probed.replay}"] if probed.replay else []
    return tuple(lines)
