"""Takes what two versions showed of each scenario; gives what an upgrade does to each root cause. Pure.

The verdict of a gate depends on its findings alone. The causes say why, and which findings are one and the
same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mailrace.model.cause import Cause
from mailrace.model.consequences import HARMS, Harm, is_at_least
from mailrace.model.result import ScenarioResult
from mailrace.report.causes import cause_words
from mailrace.studies.gate.finding import Finding


class CauseChange(StrEnum):
    """What an upgrade does to one root cause."""

    NEW = "new"
    """The new version has it; on the old one all schedules of its scenarios were walked without it."""
    OPEN = "not known on both"
    """One version has it. On the other the walk was not finished, or found it and could not show it."""
    SAME = "in both"
    MENDED = "mended"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCause:
    """One root cause and the scenarios that show it. `cause`: as the new version has it, else the old one."""

    change: CauseChange
    scenarios: tuple[str, ...]
    cause: Cause


Results = Mapping[str, ScenarioResult]
"""The steered result of each scenario, by its name."""


def causes_of(old: Iterable[ScenarioResult], new: Iterable[ScenarioResult]) -> tuple[GateCause, ...]:
    """The root causes of both versions: the worst harm first, and for equal harm the new ones first.

    A cause that needs two servers on one store is left out, because a gate has one server of each version.
    """
    before, after = _steered(old), _steered(new)
    had, has = _named(before), _named(after)
    found = []
    for name in dict.fromkeys([*has, *had]):
        if name in had and name in has:
            is_alike = _is_open(had[name]) == _is_open(has[name])
            change, shown = CauseChange.SAME if is_alike else CauseChange.OPEN, has[name]
        elif name in has:
            shown = has[name]
            change = CauseChange.NEW if _is_without(before, shown) else CauseChange.OPEN
        else:
            shown = had[name]
            change = CauseChange.MENDED if _is_without(after, shown) else CauseChange.OPEN
        # Where several scenarios have it, the one in which the server was made to show it tells most.
        cause = min(shown.values(), key=lambda one: one.fate != "realised")
        found.append(GateCause(change=change, scenarios=tuple(shown), cause=cause))
    ranks = list(CauseChange)
    return tuple(
        sorted(found, key=lambda g: (HARMS.index(g.cause.harm), ranks.index(g.change), g.cause.name))
    )


def _steered(results: Iterable[ScenarioResult]) -> Results:
    return {one.name: one for one in results if one.schedules is not None}


def _named(results: Results) -> dict[str, dict[str, Cause]]:
    """By the name of each cause: the scenarios that have it, each with what is known of the cause there."""
    found: dict[str, dict[str, Cause]] = {}
    for name, one in results.items():
        for cause in one.schedules.causes if one.schedules else ():
            if cause.fate != "two servers":
                found.setdefault(cause.name, {})[name] = cause
    return found


def _is_open(shown: Mapping[str, Cause]) -> bool:
    """Whether the server never showed it although that was tried, so that it may be no race there."""
    return all(cause.fate == "unrealised" for cause in shown.values())


def _is_without(other: Results, shown: Mapping[str, Cause]) -> bool:
    """Whether every schedule of the scenarios was walked on the other version, and none has the cause."""
    walked = [(cause, other[name].schedules) for name, cause in shown.items() if name in other]
    return len(walked) == len(shown) and all(
        found is not None
        and found.exhaustive
        and not found.doubt
        and not any(cause.may_be(one) for one in found.causes)
        for cause, found in walked
    )


def causes_words(causes: Sequence[GateCause]) -> list[str]:
    """A sentence or two on each cause, in their order."""
    return [cause_words(one.cause, one.scenarios, str(one.change)) for one in causes]


def spare_lesser(findings: Iterable[Finding], least: Harm) -> tuple[Finding, ...]:
    """The findings, of which those that do less harm than `least` are accepted for that reason."""
    return tuple(
        replace(one, accepted=f"its harm ({one.harm}) is less than {least.value}, which was asked for")
        if one.is_seen and not one.accepted and one.harm and not is_at_least(Harm(one.harm), least)
        else one
        for one in findings
    )
