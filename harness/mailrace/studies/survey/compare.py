"""Takes two surveys; gives which causes the second one brings, keeps and mends."""

from collections.abc import Iterator
from dataclasses import dataclass

from mailrace.model.survey import PairVerdict, Survey, SurveyedCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Causes by what became of them. `open`: those that one of the two has shown and the other left open."""

    brought: tuple[SurveyedCause, ...]
    kept: tuple[SurveyedCause, ...]
    mended: tuple[SurveyedCause, ...]
    open: tuple[SurveyedCause, ...]


def compare(before: Survey, after: Survey) -> Comparison:
    """What changed between two versions.

    A cause is new or mended only where the other survey decided its pairs.
    """
    old = {cause.name: cause for cause in before.causes if cause.fate == "realised"}
    new = {cause.name: cause for cause in after.causes if cause.fate == "realised"}
    brought: list[SurveyedCause] = []
    mended: list[SurveyedCause] = []
    left: list[SurveyedCause] = []
    for cause in after.causes:
        if cause.name in new and cause.name not in old:
            (brought if _is_clear_of(cause, before) else left).append(cause)
    for cause in before.causes:
        if cause.name in old and cause.name not in new:
            (mended if _is_clear_of(cause, after) else left).append(cause)
    return Comparison(
        brought=tuple(brought),
        kept=tuple(cause for name, cause in new.items() if name in old),
        mended=tuple(mended),
        open=tuple(left),
    )


def _is_clear_of(cause: SurveyedCause, survey: Survey) -> bool:
    """Whether a survey decided every pair that shows the cause elsewhere, and none of them has it there."""
    if any(one.may_be(cause) and set(one.pairs) & set(cause.pairs) for one in survey.causes):
        return False  # it was found there and not shown, or may be one that a walk cut short could not name
    decided = {pair.name: pair.verdict is not PairVerdict.INCONCLUSIVE for pair in survey.pairs}
    return all(decided.get(name, False) for name in cause.pairs)


def lines_of(found: Comparison, before: str, after: str) -> Iterator[str]:
    """The comparison for a terminal, a line for each cause."""
    for word, causes in (
        (f"new in {after}", found.brought),
        (f"mended since {before}", found.mended),
        ("in both", found.kept),
        ("open in one of the two", found.open),
    ):
        yield f"{word}: {len(causes)}"
        yield from (f"    {cause.harm.value}: {cause.name}" for cause in causes)
