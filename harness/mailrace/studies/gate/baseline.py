"""A baseline file in, the anomalies that it accepts out; and findings with what it accepts marked.

    accept:
      - scenario: send-delete-last-holder
        anomaly: tag_lost
        reason: our tests never delete while they send
        until: 2027-06-30          # optional: from the day after, it counts again

YAML or JSON. What could not be looked at cannot be accepted, only what was seen.
"""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.errors import Mistake, ScenarioError, UsageError
from mailrace.preflight import did_you_mean
from mailrace.scenario.read import Document, read
from mailrace.studies.gate.compare import Finding

_KEYS = ("scenario", "anomaly", "reason", "until")
_RACES = tuple(name.value for name in AnomalyName if name.weight is Weight.RACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One anomaly of one scenario that is known and let pass, up to and with the day `until`."""

    scenario: str
    anomaly: str
    reason: str
    until: date | None = None


def load_baseline(path: Path, known: Sequence[str] | None = None) -> tuple[Accepted, ...]:
    """What the file accepts; `known`: the names of scenarios that it may be about, None: any.

    Raises ScenarioError with every mistake's line, UsageError where unreadable.
    """
    try:
        document = read(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"--baseline {path}: {error.strerror}; --write-baseline {path} writes one"
        ) from error
    mistakes = [Mistake(str(path), f.line, f.column, _dotted(f.path), f.text) for f in document.faults]
    found: list[Accepted] = []
    if not mistakes:
        reader = _Reader(str(path), document, mistakes, known)
        found = reader.all()
    if mistakes:
        raise ScenarioError(tuple(sorted(mistakes, key=lambda m: (m.line, m.column))))
    return tuple(found)


def apply_baseline(
    findings: Sequence[Finding], accepted: Sequence[Accepted], today: date, scenarios: Sequence[str]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """The findings with what is accepted marked, and sentences on entries that are no longer seen or over.

    `scenarios` are those the gate looked at: of others, nothing is said.
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
        # An entry for which there is nothing to accept, or whose date has passed, is told instead of applied,
        # so that a baseline does not outlive its reasons.
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


class _Reader:
    """Takes a document apart, noting each mistake at its place."""

    def __init__(
        self, file: str, document: Document, mistakes: list[Mistake], known: Sequence[str] | None
    ) -> None:
        self._file, self._document, self._mistakes = file, document, mistakes
        self._known = known

    def all(self) -> list[Accepted]:
        data = self._document.data
        if not isinstance(data, dict) or set(data) != {"accept"} or not isinstance(data["accept"], list):
            self._wrong((), "is no baseline; wanted one key accept: with a list of entries")
            return []
        entries = [self._entry(i, value) for i, value in enumerate(data["accept"])]
        found = [entry for entry in entries if entry is not None]
        first: dict[tuple[str, str], int] = {}
        for index, entry in enumerate(entries):
            if entry is not None and first.setdefault((entry.scenario, entry.anomaly), index) != index:
                self._wrong(
                    ("accept", index), f"{entry.scenario} {entry.anomaly} is accepted above; remove one"
                )
        return found

    def _entry(self, index: int, value: object) -> Accepted | None:
        at = ("accept", index)
        if not isinstance(value, dict):
            self._wrong(at, f"is no mapping; wanted {', '.join(_KEYS)}")
            return None
        before = len(self._mistakes)
        for key in value:
            if key not in _KEYS:
                near = difflib.get_close_matches(str(key), _KEYS, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_KEYS)}"
                self._wrong((*at, key), f"no such key; {hint}")
        texts = {key: self._text(at, value, key) for key in _KEYS[:3]}
        if texts["anomaly"] and texts["anomaly"] not in _RACES:
            near = difflib.get_close_matches(texts["anomaly"], _RACES, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_RACES)}"
            self._wrong((*at, "anomaly"), f'"{texts["anomaly"]}" is no anomaly; {hint}')
        if texts["scenario"] and self._known is not None and texts["scenario"] not in self._known:
            hint = did_you_mean(texts["scenario"], self._known)
            self._wrong((*at, "scenario"), f'"{texts["scenario"]}" is no scenario here{hint}')
        until = self._date(at, value.get("until")) if "until" in value else None
        return Accepted(**texts, until=until) if len(self._mistakes) == before else None

    def _text(self, at: tuple[str | int, ...], value: dict[str, object], key: str) -> str:
        text = value.get(key)
        if isinstance(text, str) and text.strip():
            return text.strip()
        if key not in value:
            self._wrong(at, f"lacks {key}:")
        else:
            self._wrong((*at, key), f"{json.dumps(text)} is no text; say it in words")
        return ""

    def _date(self, at: tuple[str | int, ...], value: object) -> date | None:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self._wrong((*at, "until"), f"{json.dumps(value)} is no date; wanted one such as 2027-06-30")
            return None

    def _wrong(self, path: tuple[str | int, ...], text: str) -> None:
        line, column = self._document.place(path)
        self._mistakes.append(Mistake(self._file, line, column, _dotted(path), text))


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path)
