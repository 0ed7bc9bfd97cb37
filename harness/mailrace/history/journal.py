"""Writes history.jsonl, what a run saw: one JSON object in each line, appended as it happens.

A line's `kind` says what it is. A race writes `run` (first), `begin` and `end` of a round, `attempt`,
`stored` and `judged`; `lane` is `target` or `control`. Steer writes `run`, `schedule`, `realisation` and
`witness`. Both write `result`, a scenario's verdict. A study writes `study`, whatever it found of its own.
Each line is handed to the operating system at once, so a killed mailrace loses at most the line that it was
writing.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mailrace import __version__
from mailrace.history.writing import writing
from mailrace.model.anomaly import Anomaly, Weight
from mailrace.model.attempt import Attempt, RoundRecord, Stored
from mailrace.model.codec import codec
from mailrace.model.result import ScenarioResult, Verdict, Witness
from mailrace.model.secrets import has_secrets, without_secrets
from mailrace.model.target import TargetInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalHeader:
    """What the first line says of a scenario's history; `info`: the target as it was found."""

    mailrace: str
    scenario: str
    target: str
    control: str
    seed: int
    run: str
    mode: str
    info: TargetInfo | None = None

    @classmethod
    def of(
        cls, scenario: str, info: TargetInfo, *, seed: int, run: str, mode: str, control: str = ""
    ) -> "JournalHeader":
        """The header of a scenario that this mailrace looks at on that target."""
        return cls(
            mailrace=__version__,
            scenario=scenario,
            target=info.name,
            control=control,
            seed=seed,
            run=run,
            mode=mode,
            info=info,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRound:
    """What a raced round came to: its anomalies, and why it counts for nothing, "" if it counts."""

    index: int
    anomalies: tuple[Anomaly, ...]
    not_looked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRun:
    """A schedule that steer ran while it explored: its short text, its outcome, the anomalies it shows."""

    number: int
    schedule: str
    outcome: str = ""
    anomalies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Realisation:
    """What became of a violating class: `fate` as in `Violation`, after so many tries, and why in words."""

    schedule: str
    anomalies: tuple[str, ...]
    fate: str
    tries: int = 0
    why: str = ""


_Line = (
    JournalHeader
    | RoundRecord
    | Attempt
    | Stored
    | JudgedRound
    | ScheduleRun
    | Realisation
    | Witness
    | ScenarioResult
)


def _as_json(value: _Line, without: set[str] | None) -> bytes:
    """The value as JSON in ASCII; what is no character, as in a file's name, is written as its escape."""
    of = codec(type(value))
    try:
        return of.dump_json(value, exclude=without, ensure_ascii=True)
    except ValueError:  # pydantic's own kind, which is imported late
        plain = of.dump_python(value, mode="json", exclude=without)
        return json.dumps(plain, separators=(",", ":")).encode()


class Journal:
    """Appends a run's history to one file; close it, or leave it to the end of the process.

    Lines may come from several threads. Raises OutputError where the file cannot be written, as on a full
    disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with writing(path):
            self._file = path.open("ab", buffering=0)

    def header(self, header: JournalHeader) -> None:
        """The first line of a scenario's history."""
        self._write("run", "", header)

    def begin(self, lane: str, record: RoundRecord) -> None:
        """A round is about to be prepared; nothing of it was sent."""
        self._write("begin", lane, record, frozenset({"attempts", "stored", "log"}))

    def attempt(self, lane: str, attempt: Attempt) -> None:
        """An attempt is over."""
        self._write("attempt", lane, attempt)

    def end(self, lane: str, record: RoundRecord) -> None:
        """A round is over; its attempts stand before this line."""
        self._write("end", lane, record, frozenset({"attempts", "stored", "plan"}))

    def stored(self, lane: str, index: int, stored: Stored) -> None:
        """What the store held of a round when the traffic was quiet."""
        self._write("stored", lane, stored, index=index)

    def judged(self, lane: str, judged: JudgedRound) -> None:
        """What a round came to, with all that was known when it was judged."""
        is_race = any(anomaly.name.weight is Weight.RACE for anomaly in judged.anomalies)
        self._write("judged", lane, judged, is_race=is_race)

    def schedule(self, run: ScheduleRun) -> None:
        """Steer has run a schedule."""
        self._write("schedule", "", run)

    def realisation(self, realisation: Realisation) -> None:
        """Steer knows what became of a violating class."""
        self._write("realisation", "", realisation)

    def witness(self, witness: Witness) -> None:
        """Steer has shown an anomaly on the instances that were asked for: from now on it is a RACE."""
        self._write("witness", "", witness)

    def result(self, result: ScenarioResult) -> None:
        """A scenario has its verdict."""
        self._write("result", "", result, is_failed=result.verdict is Verdict.FAILED and not result.rounds)

    def study(self, what: str, value: Mapping[str, object]) -> None:
        """A study found something of its own: `what` says which, the value is plain data."""
        self._line({"kind": "study", "lane": "", "what": what, "value": value})

    def copy(self, history: bytes) -> None:
        """Another run's history, whole: its lines stand together, as those of a scenario do."""
        self._append(history if history.endswith(b"\n") or not history else history + b"\n")

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    def _write(
        self, kind: str, lane: str, value: _Line, without: frozenset[str] = frozenset(), **more: int | bool
    ) -> None:
        text = _as_json(value, set(without) or None)
        head = json.dumps({"kind": kind, "lane": lane, **more}, separators=(",", ":")).encode()
        self._append(head[:-1] + b"," + text[1:] + b"\n")

    def _line(self, value: Mapping[str, object]) -> None:
        self._append(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        if has_secrets():
            line = without_secrets(line.decode()).encode()
        with self._lock, writing(self._path):
            # One call may write only a part, for instance when the disk fills up. The rest is tried again,
            # and then fails with the reason.
            while line:
                line = line[self._file.write(line) :]
