"""Takes a baseline file; gives the anomalies that it accepts, and marks the findings that it accepts.

    accept:
      - scenario: send-delete-last-holder
        anomaly: tag_lost
        reason: our tests never delete while they send
        until: 2027-06-30          # optional: from the day after, it counts again

The file is YAML or JSON. It can accept only what was seen, never that something could not be looked at.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from mailrace.history import open_regular
from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.codec import codec
from mailrace.model.errors import ScenarioError, UsageError
from mailrace.model.hints import did_you_mean
from mailrace.scenario.explain import explain
from mailrace.scenario.load import mistakes_of
from mailrace.scenario.read import FILE_BYTES_MAX, Fault, read
from mailrace.scenario.schema import draft7
from mailrace.studies.gate.finding import Finding

_RACES = tuple(name.value for name in AnomalyName if name.weight is Weight.RACE)


def _words(text: str) -> str:
    if not text.strip():
        raise ValueError(f"{json.dumps(text)} is no text; say it in words")
    return text.strip()


def _race(name: str) -> str:
    if name not in _RACES:
        hint = did_you_mean(name, _RACES, f"there are {', '.join(_RACES)}")
        raise ValueError(f"{json.dumps(name)} is no anomaly{hint}")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One anomaly of one scenario that is known and accepted, up to and including the day `until`."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    scenario: Annotated[str, AfterValidator(_words)]
    anomaly: Annotated[str, AfterValidator(_race)]
    reason: Annotated[str, AfterValidator(_words)]
    until: Annotated[date, Field(strict=True)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Baseline:
    """The whole file."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    accept: tuple[Accepted, ...]


def load_baseline(path: Path, known: Sequence[str] | None = None) -> tuple[Accepted, ...]:
    """What the file accepts; `known`: the names of scenarios that it may be about, None: any.

    Raises ScenarioError with every mistake's line, UsageError where unreadable.
    """
    try:
        with open_regular(Path(os.path.realpath(path))) as file:
            document = read(file.read(FILE_BYTES_MAX + 1))
    except OSError as error:
        raise UsageError(
            f"--baseline {path}: {error.strerror}; --write-baseline {path} writes one"
        ) from error
    faults, found = list(document.faults), tuple[Accepted, ...]()
    if not faults:
        try:
            found = codec(_Baseline).validate_json(json.dumps(document.data)).accept
        except ValidationError as wrong:
            schema = draft7(codec(_Baseline).json_schema(ref_template="#/definitions/{model}"))
            faults += explain(wrong, document.data, schema)
    # Each entry is right by itself. What is left to check is each entry beside the scenarios and the others.
    faults += _faults(found, known)
    if faults:
        raise ScenarioError(mistakes_of(faults, document, str(path)))
    return found


def _faults(found: Sequence[Accepted], known: Sequence[str] | None) -> Iterator[Fault]:
    """Entries for a scenario that does not exist, and entries that repeat another one."""
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(found):
        if known is not None and entry.scenario not in known:
            what = f'"{entry.scenario}" is no scenario here{did_you_mean(entry.scenario, known)}'
            yield Fault(("accept", index, "scenario"), what)
        if (entry.scenario, entry.anomaly) in seen:
            what = f"{entry.scenario} {entry.anomaly} is accepted above; remove one"
            yield Fault(("accept", index), what)
        seen.add((entry.scenario, entry.anomaly))


def apply_baseline(
    findings: Sequence[Finding], accepted: Sequence[Accepted], today: date, scenarios: Sequence[str]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """The findings, those that are accepted marked as such; and a sentence on each entry without an effect.

    scenarios   those that the gate looked at; entries for others are passed over
    """
    said: list[str] = []
    marked = list(findings)
    for entry in accepted:
        if entry.scenario not in scenarios:
            continue
        places = [
            i
            for i, f in enumerate(marked)
            if (f.scenario, f.anomaly) == (entry.scenario, entry.anomaly) and f.is_seen
        ]
        # An entry that has nothing to accept, or whose date has passed, is reported and not applied. So a
        # baseline does not outlive its reasons.
        what = f"{entry.scenario}: {entry.anomaly}"
        if not places:
            said.append(f"{what} is accepted and was not seen; if it is gone for good, remove its entry")
        elif entry.until is not None and today > entry.until:
            said.append(f"{what} was accepted until {entry.until}, and counts again")
        else:
            for i in places:
                marked[i] = replace(marked[i], accepted=entry.reason)
    return tuple(marked), tuple(said)


def baseline_text(findings: Sequence[Finding], kept: Sequence[Accepted], today: date) -> str:
    """A baseline that accepts all that the new version shows; `kept` entries keep their words and dates."""
    known = {(entry.scenario, entry.anomaly): entry for entry in kept}
    lines = ["# Accepted by `mailrace gate --baseline`; give each a reason of your own, and an until: date."]
    shown = [f for f in findings if f.is_seen]
    lines.append("accept:" if shown else "accept: []")
    for finding in shown:
        entry = known.get((finding.scenario, finding.anomaly))
        reason = entry.reason if entry else f"{finding.change} on {today}: {finding.reason}"
        lines += [
            f"  - scenario: {finding.scenario}",
            f"    anomaly: {finding.anomaly}",
            f"    reason: {json.dumps(reason, ensure_ascii=False)}",
        ]
        if entry is not None and entry.until is not None:
            lines.append(f"    until: {entry.until}")
    return "\n".join(lines) + "\n"
