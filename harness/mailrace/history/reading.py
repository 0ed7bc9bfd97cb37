"""Takes a history.jsonl; gives its rounds, schedules, findings and verdicts, as far as they were written.

A last line that is no JSON is passed over: it was being written when the run was killed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from mailrace.history.journal import JournalHeader, JudgedRound, Realisation, ScheduleRun
from mailrace.history.regular import read_lines
from mailrace.model.attempt import Attempt, Loss, RoundRecord, Stored
from mailrace.model.codec import codec, why_unreadable
from mailrace.model.errors import UsageError
from mailrace.model.result import ScenarioResult, Witness

T = TypeVar("T")


@dataclass(slots=True)
class ScenarioHistory:
    """All that a journal holds of one scenario, in the order of writing.

    header     None where the journal has none, e.g. of a scenario that never began
    rounds     (lane, round, what it came to or None where it was not judged any more)
    result     the verdict, where there was time for one
    """

    name: str
    header: JournalHeader | None = None
    rounds: list[tuple[str, RoundRecord, JudgedRound | None]] = field(default_factory=list)
    schedules: list[ScheduleRun] = field(default_factory=list)
    realisations: list[Realisation] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    result: ScenarioResult | None = None


def read_histories(path: Path) -> list[ScenarioHistory]:
    """What the file holds, scenario by scenario, in order; one that was looked at twice stands there twice.

    Its rounds are in the order of their ends; those that were cut off come last, with `lost` saying so.
    Raises UsageError where it cannot be read, or is no history.
    """
    try:
        return _histories(path)
    except (KeyError, TypeError, ValueError, OSError) as wrong:
        raise UsageError(f"{path}: is no history of a run ({why_unreadable(wrong)}); name another") from wrong


def _histories(path: Path) -> list[ScenarioHistory]:
    found: list[ScenarioHistory] = []
    judged: dict[tuple[str, int], JudgedRound] = {}
    reader = _Rounds()

    def leave() -> None:
        """The rounds of the scenario that ends here, with what each came to."""
        for lane, record in (*taken, *reader.leave()):
            found[-1].rounds.append((lane, record, judged.get((lane, record.index))))
        judged.clear()
        taken.clear()

    # A header, or a result without one, opens a scenario; all lines up to the next opening are its own.
    taken: list[tuple[str, RoundRecord]] = []
    for line in _lines(path):
        kind = str(line["kind"])
        if kind == "run":
            if found:
                leave()
            header = _read(JournalHeader, line)
            found.append(ScenarioHistory(header.scenario, header))
        elif kind == "result":
            result = _read(ScenarioResult, line)
            # A scenario that never began has a result and no header.
            if not found or found[-1].name != result.name or found[-1].result is not None:
                if found:
                    leave()
                found.append(ScenarioHistory(result.name))
            found[-1].result = result
        elif not found:
            continue
        elif kind == "judged":
            one = _read(JudgedRound, line)
            judged[str(line["lane"]), one.index] = one
        elif kind == "schedule":
            found[-1].schedules.append(_read(ScheduleRun, line))
        elif kind == "realisation":
            found[-1].realisations.append(_read(Realisation, line))
        elif kind == "witness":
            found[-1].witnesses.append(_read(Witness, line))
        else:
            taken += reader.take(kind, line)
    if found:
        leave()
    return found


def has_scenarios(path: Path) -> bool:
    """Whether the file says that anything was looked at; False where there is no file."""
    return path.is_file() and any(line["kind"] in ("run", "result") for line in _lines(path))


def read_study(path: Path, what: str, of: type[T]) -> Iterator[T]:
    """What a study wrote of its own under that word, in order; nothing where there is no such file.

    Raises UsageError where it is none of ours.
    """
    for line in _lines(path) if path.is_file() else ():
        if line["kind"] == "study" and line.get("what") == what:
            try:
                yield codec(of).validate_python(line.get("value"))
            except ValueError as wrong:
                raise UsageError(f"{path}: holds no {what} of a study ({why_unreadable(wrong)})") from wrong


class _Rounds:
    """Puts rounds together from their lines."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, object], tuple[dict[str, object], list[Attempt]]] = {}
        self._ended: dict[tuple[str, object], RoundRecord] = {}

    def take(self, kind: str, line: dict[str, object]) -> list[tuple[str, RoundRecord]]:
        """The rounds that are whole with this line: none or one."""
        lane = str(line["lane"])
        key = (lane, line.get("round" if kind == "attempt" else "index"))
        if kind == "begin":
            self._open[key] = (line, [])
        elif kind == "attempt" and key in self._open:
            self._open[key][1].append(_read(Attempt, line))
        elif kind == "end" and key in self._open:
            begun, attempts = self._open.pop(key)
            self._ended[key] = _record({**begun, **line}, attempts)
        elif kind == "stored" and key in self._ended:
            return [(lane, replace(self._ended.pop(key), stored=_read(Stored, line)))]
        return []

    def leave(self) -> list[tuple[str, RoundRecord]]:
        """The rounds that are not whole and never will be: without a look at the store, or without an end."""
        cut = "the run ended in the middle of this round"
        found = [(lane, record) for (lane, _), record in self._ended.items()]
        for (lane, _), (begun, attempts) in self._open.items():
            record = _record(begun, attempts)
            lost, loss = record.lost or cut, record.loss or Loss.DROPPED
            found.append((lane, replace(record, lost=lost, loss=loss)))
        self._open, self._ended = {}, {}
        return found


def _read(of: type[T], line: dict[str, object]) -> T:
    return codec(of).validate_python(line)


def _record(value: dict[str, object], attempts: list[Attempt]) -> RoundRecord:
    return replace(_read(RoundRecord, {**value, "attempts": ()}), attempts=tuple(attempts))


def _lines(path: Path) -> Iterator[dict[str, object]]:
    for line in read_lines(path):
        try:
            value = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("lane"), str) and "kind" in value:
            yield value
