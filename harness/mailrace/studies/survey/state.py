"""Keeps what a survey has found in a file, line by line, so that it can end at any moment and go on later."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from mailrace import __version__
from mailrace.history import RECORD, RUN, make_folder
from mailrace.history.plan import PLAN
from mailrace.model.cause import Cause
from mailrace.model.codec import codec
from mailrace.model.errors import UsageError
from mailrace.model.survey import ConflictCoverage, SurveyedPair, SurveyedTriple
from mailrace.model.target_name import TargetName
from mailrace.report.document import plain
from mailrace.targets.mailpit import programs

STATE = "survey.jsonl"
CAUSES = "causes"
"""The folder of the scenarios that show a survey's causes."""
LINE_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One pair as it was decided.

    `preemptions`: how many each of its causes needs on one server, in their order.
    """

    pair: SurveyedPair
    causes: tuple[Cause, ...] = ()
    preemptions: tuple[int, ...] = ()
    coverage: ConflictCoverage = field(default_factory=ConflictCoverage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What became of a cause that one server was to show by a pair."""

    cause: Cause
    pair: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTriple:
    """Three operations at a time. `causes`: those that no pair shows, with what became of each.

    is_apart   one of the three shares nothing with the other two, so the pair of these shows everything
    """

    triple: SurveyedTriple
    causes: tuple[Cause, ...] = ()
    is_apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the survey is about: it is not continued from the state of another one.

    mailrace   the version that decides the pairs; "" in an older state, as is `program`
    program    SHA-256 of a target that is a program on a disk, else ""
    """

    target: str
    version: str
    pairs: tuple[str, ...]
    mailrace: str = ""
    program: str = ""

    @classmethod
    def of(cls, target: TargetName, version: str, pairs: Iterable[str]) -> "Header":
        """The survey of these pairs by this mailrace, of the target as it is now."""
        return cls(
            target=target.text,
            version=version,
            pairs=tuple(pairs),
            mailrace=__version__,
            program=programs((target,)).get(target.text, ""),
        )


_BEGINS = b'{"header": '
"""How the first line begins, also where a kill cut it off."""
_Line = Header | Found | Shown | FoundTriple
_KINDS: dict[str, type[_Line]] = {"header": Header, "pair": Found, "shown": Shown, "triple": FoundTriple}


class State:
    """The file, opened to continue it. `found`, `shown`, `triples`: what it held and what was added.

    Raises UsageError where it is the state of another survey, or none at all. A last line that a kill cut off
    is dropped, and its pair is looked at again.
    """

    def __init__(self, folder: Path, header: Header) -> None:
        self.version = header.version
        self.found: dict[str, Found] = {}
        self.shown: dict[str, Shown] = {}
        self.triples: dict[str, FoundTriple] = {}
        self._path = folder / STATE
        # Beside the files of a run or a record, the survey's page and scenarios would be taken for parts of
        # those.
        if theirs := next((name for name in (PLAN, RUN, RECORD) if os.path.lexists(folder / name)), None):
            raise UsageError(
                f"{folder}: it holds something else ({theirs}); name another folder with --state"
            )
        make_folder("--state", folder)
        if (folder / CAUSES).is_symlink():  # what is written into it would be written elsewhere
            raise UsageError(f"{folder / CAUSES}: is a link; name another folder with --state")
        # The file is read before anything is written, because another survey's file must stay as it is.
        whole, before = 0, None
        for value, end in self._lines():
            whole = end
            match value:
                case Header():
                    before = value
                case Found():
                    self.found[value.pair.name] = value
                case Shown():
                    self.shown[value.cause.name] = value
                case FoundTriple():
                    self.triples[value.triple.name] = value
        # The state of another survey says nothing about this one.
        if before is not None and before != header:
            is_rebuilt = before.target == header.target and before.program != header.program
            raise UsageError(
                f"{self._path}: it is of {'another program at ' * is_rebuilt}{before.target} "
                f"({before.version}) and {len(before.pairs)} pairs, by mailrace "
                f"{before.mailrace or 'of another version'}, not of this survey; "
                "name another folder with --state"
            )
        if self._path.exists():
            os.truncate(self._path, whole)
        if before is None:
            self._write("header", header)

    def add(self, found: Found) -> None:
        """A pair is decided."""
        self.found[found.pair.name] = found
        self._write("pair", found)

    def show(self, shown: Shown) -> None:
        """A cause was to be shown on one server."""
        self.shown[shown.cause.name] = shown
        self._write("shown", shown)

    def add_triple(self, found: FoundTriple) -> None:
        """Three operations at a time were looked at."""
        self.triples[found.triple.name] = found
        self._write("triple", found)

    def _write(self, kind: str, value: _Line) -> None:
        with self._path.open("ab") as file:
            file.write(json.dumps({kind: plain(value)}, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _lines(self) -> Iterator[tuple[_Line, int]]:
        """Each whole line's value, and where in the file it ends."""
        if not os.path.lexists(self._path):
            return
        # This file will be cut and appended to, so it must be ours: no link to another file, and begun as
        # ours is.
        if self._path.is_symlink() or not self._path.is_file():
            raise UsageError(f"{self._path}: is no regular file; name another folder with --state")
        end = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX), b""), start=1):
                is_cut_off = not line.endswith(b"\n") and len(line) < LINE_BYTES_MAX
                if is_cut_off and line.startswith(_BEGINS[: len(line)] if number == 1 else b"{"):
                    return
                value = None if is_cut_off else line_of(line)
                if value is None or (number == 1) != isinstance(value, Header):
                    raise UsageError(
                        f"{self._path}:{number}: no line of a survey; name another folder with --state"
                    )
                end += len(line)
                yield value, end


def line_of(line: str | bytes) -> _Line | None:
    """What a line of a file holds, whoever wrote it; None: it is no line of a survey."""
    try:
        ((kind, value),) = json.loads(line).items()
        return codec(_KINDS[kind]).validate_python(value)
    except (ValueError, AttributeError, KeyError, ValidationError, RecursionError):
        return None
