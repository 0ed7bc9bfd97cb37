"""Takes results of one scenario; gives their counts as one, so that no part hides what another one lacks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mailrace.model.result import ControlResult, ScenarioResult


def with_counts(base: ScenarioResult, parts: Sequence[ScenarioResult]) -> ScenarioResult:
    """The result with the counts of all parts: rounds, those that were lost, what was promised and found."""
    promised = sum(p.expected[0] for p in parts)
    lacking = sum(max(0, p.expected[0] - p.found) for p in parts)
    return replace(
        base,
        rounds=sum(p.rounds for p in parts),
        rounds_lost=sum(p.rounds_lost for p in parts),
        rounds_dropped=sum(p.rounds_dropped for p in parts),
        rounds_refused=sum(p.rounds_refused for p in parts),
        accepted=counts(p.accepted for p in parts),
        broken_serially=counts(p.broken_serially for p in parts),
        expected=(promised, sum(p.expected[1] for p in parts)),
        # What is missing in one job is not made up for by a mail too many in another one.
        found=promised - lacking if lacking else sum(p.found for p in parts),
    )


def telling_control(part: ScenarioResult) -> ControlResult | None:
    """The part's control; without its pairs where an operation was never accepted beside them.

    Another job may have put that operation to the test, and its own pairs tell of it.
    """
    if part.control is None or (part.accepted and all(part.accepted.values())):
        return part.control
    return replace(part.control, pairs=0, pairs_fired=0)


def counts(maps: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sums by name, in alphabetical order."""
    total: Counter[str] = Counter()
    for one in maps:
        total.update(one)
    return dict(sorted(total.items()))
