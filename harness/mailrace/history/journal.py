"""history.jsonl: one JSON object a line, appended as it happens; RoundRecords in, and out again.

A line's `kind` says what it is: `run` (first), `begin` and `end` of a round, `attempt`, `stored`. `lane` is
`target` or `control`. Each line is handed to the operating system at once, so a killed mailrace loses at
most the line that it was writing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from mailrace.model.attempt import Attempt, Loss, RoundRecord, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalHeader:
    """What the first line says of the run."""

    mailrace: str
    scenario: str
    target: str
    control: str
    seed: int
    run: str
    mode: str


_Line = JournalHeader | RoundRecord | Attempt | Stored


class Journal:
    """Appends a run's history to one file; close it, or leave it to the end of the process."""

    def __init__(self, path: Path) -> None:
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

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    def _write(
        self,
        kind: str,
        lane: str,
        value: _Line,
        without: frozenset[str] = frozenset(),
        index: int | None = None,
    ) -> None:
        head = {"kind": kind, "lane": lane} | ({} if index is None else {"index": index})
        of: Any = type(value)
        text = _adapter(of).dump_json(value, exclude=without or None, ensure_ascii=True)
        self._file.write(json.dumps(head, separators=(",", ":")).encode()[:-1] + b"," + text[1:] + b"\n")


@cache
def _adapter(of: Any) -> Any:
    """What writes and reads a line's value; pydantic is imported on first use only (0.2 s)."""
    from pydantic import TypeAdapter

    return TypeAdapter(of)


def read_journal(path: Path) -> Iterator[tuple[str, str, RoundRecord]]:
    """(scenario, lane, round) of every round in the file, in order of their ends; then those cut off.

    A round without an end is given with `lost` saying so. A last line that is no JSON is passed over: it
    is the one that was being written when the run was killed.
    """
    scenario = ""
    open_rounds: dict[tuple[str, int], tuple[dict[str, Any], list[Attempt]]] = {}
    ended: dict[tuple[str, int], RoundRecord] = {}
    for line in _lines(path):
        kind, lane = line.pop("kind"), line.pop("lane")
        if kind == "run":
            yield from _leave(scenario, open_rounds, ended)
            open_rounds, ended, scenario = {}, {}, str(line["scenario"])
        elif kind == "begin":
            open_rounds[lane, line["index"]] = (line, [])
        elif kind == "attempt" and (lane, line["round"]) in open_rounds:
            open_rounds[lane, line["round"]][1].append(_adapter(Attempt).validate_python(line))
        elif kind == "end" and (lane, line["index"]) in open_rounds:
            begun, attempts = open_rounds.pop((lane, line["index"]))
            ended[lane, line["index"]] = _record({**begun, **line}, attempts)
        elif kind == "stored" and (lane, line["index"]) in ended:
            index = line.pop("index")
            stored = _adapter(Stored).validate_python(line)
            yield scenario, lane, replace(ended.pop((lane, index)), stored=stored)
    yield from _leave(scenario, open_rounds, ended)


def _leave(
    scenario: str,
    open_rounds: Mapping[tuple[str, int], tuple[dict[str, Any], list[Attempt]]],
    ended: Mapping[tuple[str, int], RoundRecord],
) -> Iterator[tuple[str, str, RoundRecord]]:
    for (lane, _), record in ended.items():
        yield scenario, lane, record
    for (lane, _), (begun, attempts) in open_rounds.items():
        record = _record(begun, attempts)
        lost = record.lost or "the run ended in the middle of this round"
        yield scenario, lane, replace(record, lost=lost, loss=record.loss or Loss.DROPPED)


def _record(value: dict[str, Any], attempts: list[Attempt]) -> RoundRecord:
    record: RoundRecord = _adapter(RoundRecord).validate_python({**value, "attempts": ()})
    return replace(record, attempts=tuple(attempts))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict) and "kind" in value:
                yield value
