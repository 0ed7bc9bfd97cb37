"""Takes a scenario and a version; gives whether it applies, and the result of one that was not exercised.

A version rule is written `>=1.19.0` or `>=1.19.0, <1.30.0`.
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mailrace.model.operation import OPERATIONS
from mailrace.model.result import ScenarioResult, Verdict

if TYPE_CHECKING:
    from mailrace.scenario.scenario import Scenario

_TERM = re.compile(r"(>=|<=|==|!=|>|<)\s*v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
_NEWEST = (1 << 30, 0, 0)


def _terms(needs: str) -> list[str]:
    return [term.strip() for term in needs.split(",")]


def fault(needs: str) -> str:
    """What is wrong with a version rule and what is wanted, or "" where nothing is."""
    for term in _terms(needs) if needs else []:
        if not _TERM.fullmatch(term):
            return f'"{term}" is no version rule; give one such as ">=1.19.0" or ">=1.19.0, <1.30.0"'
    return ""


def applies(needs: str, version: str) -> bool:
    """Whether a scenario with that `needs` applies to a server of that version.

    An empty rule applies everywhere. `fixed` (the repaired embedded reference) counts as newer than any
    release. To a version that is not known every scenario applies.
    """
    if not needs:
        return True
    if version == "fixed":
        found = _NEWEST
    elif match := _VERSION.match(version):
        found = (int(match[1]), int(match[2]), int(match[3]))
    else:
        return True
    return all(_holds(term, found) for term in _terms(needs))


def _holds(term: str, found: tuple[int, int, int]) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        raise ValueError(fault(term))
    wanted = (int(match[2]), int(match[3]), int(match[4]))
    return {
        ">=": found >= wanted,
        "<=": found <= wanted,
        "==": found == wanted,
        "!=": found != wanted,
        ">": found > wanted,
        "<": found < wanted,
    }[match[1]]


def demands(scenario: "Scenario") -> list[tuple[tuple[str | int, ...], str]]:
    """What a scenario asks for that older releases lack: where it stands, and which release brought it."""
    found: list[tuple[tuple[str | int, ...], str]] = []
    for index, actor in enumerate(scenario.actors):
        for kind in actor.kinds:
            place, asked = ("actors", index, kind), getattr(actor, kind)
            if (of := OPERATIONS[kind]).since:
                found.append((place, of.since))
            for name, since in of.since_if_given.items():
                if getattr(asked, name) != type(asked).model_fields[name].default:
                    found.append(((*place, name), since))
    if scenario.target.tags_disable:
        found.append((("target", "tags_disable"), "1.19.0"))
    return found


def derived(scenario: "Scenario") -> str:
    """The version rule that follows from what the scenario asks for; "" where every release has it."""
    since = [version for _, version in demands(scenario)]
    return f">={max(since)}" if since else ""


def why_not_applicable(scenario: "Scenario", version: str) -> str:
    """Why the scenario is not for a server of that version, in a clause; "" if it is."""
    if applies(scenario.needs, version):
        return ""
    return f"it needs Mailpit {scenario.needs}, and this is {version}"


def blank_result(
    scenario: "Scenario",
    mode: str,
    verdict: Verdict = Verdict.INCONCLUSIVE,
    reason: str = "",
    advice: str = "",
) -> ScenarioResult:
    """A result of that scenario in which nothing is counted yet."""
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        file=str(scenario.file or ""),
        mode=mode,
        verdict=verdict,
        reason=reason,
        advice=advice,
    )


def not_exercised(
    scenario: "Scenario", verdict: Verdict, why: str, mode: str = "race", advice: str = ""
) -> ScenarioResult:
    """The result of a scenario that was not exercised; `why` in a clause or a sentence."""
    reason = why if why.endswith((".", "?", "!")) else f"{why}."
    return replace(blank_result(scenario, mode, verdict, reason, advice), not_looked=(why,))
