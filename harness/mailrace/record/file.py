"""Writes the lines of a record into record.jsonl, and reads them back, also after the recorder was killed.

Lines that are told together go to the operating system in one write, so that SIGKILL at any moment leaves
whole lines and at most one torn line, the last. Once the disk is full nothing more is written, because a
record with a hole in it would read like a whole one.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from mailrace.history import read_lines
from mailrace.model.codec import codec, why_unreadable
from mailrace.model.errors import UsageError
from mailrace.record.recorded import Begun, Connected, Ended, Held, Line, NotSeen, Recorded, TestRan

_WORDS: dict[type[Line], str] = {
    Begun: "record",
    Connected: "connection",
    Recorded: "operation",
    NotSeen: "not_seen",
    TestRan: "test",
    Held: "stored",
    Ended: "end",
}
_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in _WORDS}
_encoded = json.JSONEncoder(separators=(",", ":")).encode


class RecordFile:
    """Appends lines to record.jsonl, which are handed to the operating system with each `flush`."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        # While this is held, nobody who clears away old folders removes this one (`history.folder`).
        with suppress(OSError):
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._waiting: list[bytes] = []
        self._writing = threading.Lock()
        self._is_broken = False

    def write(self, value: Line) -> None:
        """Append one line, which `flush` hands to the operating system."""
        said = {name: got for name in _NAMES[type(value)] if (got := getattr(value, name)) not in ("", ())}
        line = {"kind": _WORDS[type(value)], "value": said}
        self._waiting.append(_encoded(line).encode() + b"\n")

    def flush(self) -> None:
        """Hand over what waits. Raises OSError once, where the disk takes no more: then none is kept."""
        with self._writing:
            # Another thread may append meanwhile; its bytes must stay.
            taken = len(self._waiting)
            lines = b"".join(self._waiting[:taken])
            del self._waiting[:taken]
            if self._is_broken or not lines:
                return
            try:
                written = os.write(self._handle, lines)
            except OSError:
                self._is_broken = True
                raise
            if written < len(lines):
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
    for number, raw in enumerate(read_lines(path), 1):
        if not raw.endswith(b"\n"):
            return
        try:
            line = json.loads(raw)
            yield _value(of_word[line["kind"]], line["value"])
        except (ValueError, TypeError, KeyError, RecursionError) as wrong:
            raise UsageError(
                f"{path}:{number}: this is no line of a record ({why_unreadable(wrong)}); "
                "give the record.jsonl that mailrace record wrote"
            ) from None


def _value(kind: type[Line], given: dict[str, object]) -> Line:
    """A value of that class whose fields have their types, also where the file is a stranger's."""
    if unknown := sorted(set(given).difference(_NAMES[kind])):
        raise ValueError(f"it has the unknown field {unknown[0]!r}")
    return codec(kind).validate_python(given)
