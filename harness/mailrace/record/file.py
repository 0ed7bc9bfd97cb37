"""The lines of a record in, record.jsonl out, and back: also of a recorder that was killed.

Each line goes to the operating system in one write, so that SIGKILL at any moment leaves whole lines and at
most one torn line, the last. Where the disk takes no more, nothing is written any more: a record with a hole
in it would read like a whole one.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import Any

from mailrace.model.errors import UsageError
from mailrace.record.recorded import Begun, Connected, Ended, Held, Line, NotSeen, Recorded, TestRan

_WORDS: dict[type, str] = {
    Begun: "record",
    Connected: "connection",
    Recorded: "operation",
    NotSeen: "not_seen",
    TestRan: "test",
    Held: "stored",
    Ended: "end",
}


class RecordFile:
    """Appends lines to record.jsonl, each handed to the operating system at once: nothing is held back."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._is_broken = False

    def write(self, value: Line) -> None:
        """Append one line. Raises OSError once, where the disk takes no more: from then on none is kept."""
        if self._is_broken:
            return
        said = {name: field for name, field in asdict(value).items() if field not in ("", ())}
        line = {"kind": _WORDS[type(value)], "value": said}
        text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            written = os.write(self._handle, text)
        except OSError:
            self._is_broken = True
            raise
        if written < len(text):
            self._is_broken = True
            raise OSError("a line was written in part")

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def read_record(path: Path) -> Iterator[Line]:
    """The lines in the order in which they were written.

    The last line may have been cut off when the recorder was killed, and is passed over then. Raises
    UsageError, with the number of the line, for anything else that is no line of a record.
    """
    of_word = {word: kind for kind, word in _WORDS.items()}
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.endswith(b"\n"):
                return
            try:
                line = json.loads(raw)
                yield _value(of_word[line["kind"]], line["value"])
            except (ValueError, TypeError, KeyError, RecursionError) as wrong:
                raise UsageError(
                    f"{path}:{number}: this is no line of a record ({type(wrong).__name__}: {wrong}); "
                    "give the record.jsonl that mailrace record wrote"
                ) from None


def _value(kind: type, given: dict[str, Any]) -> Any:
    """A value of that class whose fields have their types, also where the file is a stranger's."""
    validate, known = _reader(kind)
    if unknown := set(given) - known:
        raise ValueError(f"it has the unknown field {sorted(unknown)[0]!r}")
    return validate(given)


@cache
def _reader(kind: type) -> tuple[Any, frozenset[str]]:
    """What makes a value of that class, and the names of its fields."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python, frozenset(f.name for f in fields(kind))
