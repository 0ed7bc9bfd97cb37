"""Takes a server's log as it grows; gives the lines with a known signature, and what each means.

It follows a file that is truncated or rotated, reads only whole lines, and holds no more than a limit in
memory.
"""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from mailrace.check import KnownLine, known_line
from mailrace.model.errors import UsageError

READ_BYTES_MAX = 1 << 20
STREAM_CHUNKS_MAX = 64
"""Of a stream that never pauses, before the time is looked at."""
LINE_BYTES_MAX = 64 * 1024
"""A longer line is judged by its beginning, and the rest of it is skipped."""
_MAILPIT = re.compile(
    r"""level=\w+ msg=|\b(?:INFO|WARN|ERRO|DEBU|FATA)\[|"level":|"""
    r"""\[(?:smtpd?|https?|api|db|tags|message|ui)\] """
)
"""A line of Mailpit's log: text, plain or colored for a terminal, or JSON; anything may stand before it."""
_PACKED = {
    b"\x1f\x8b": "gzip: give what `gzip -dc FILE` writes",
    b"BZh": "bzip2: give what `bzip2 -dc FILE` writes",
    b"\xfd7zXZ": "xz: give what `xz -dc FILE` writes",
    b"\x28\xb5\x2f\xfd": "Zstandard: give what `zstd -dc FILE` writes",
    b"PK\x03\x04": "zip: give the log in it",
}
"""How packed files begin: none of their lines can be recognised."""
_WIDE = "text in UTF-16 or UTF-32: give what `iconv -f UTF-16 -t UTF-8 FILE` writes"
_STAMP = re.compile(r"^\d{10,} (?=\S)")
"""The time at which a line was read, with which each line of mailrace's own server.log begins."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of the log with its number, counted since the watch began, and what is known of it."""

    number: int
    text: str
    known: KnownLine


class Tail:
    """Gives whole lines of a file as it grows, and of the file that takes its name when it is rotated.

    is_stream   it is a pipe, as that of `docker logs`: what comes out of it comes once
    is_over     the stream has ended, so no more will come
    """

    def __init__(self, path: Path, *, from_end: bool = False) -> None:
        """`from_end`: only what is written from now on. Raises UsageError where it cannot be read."""
        self._path = path
        self._rest = b""
        self._is_overlong, self._is_at_start = False, True
        self.is_over = False
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; name a server's log file") from error
        self.is_stream = not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
        if self.is_stream:
            os.set_blocking(self._file.fileno(), False)
        elif from_end and self._file.seek(0, os.SEEK_END):
            self._is_at_start = False

    def lines(self) -> Iterator[str]:
        """The whole lines written until now and not given yet; of a stream some megabytes at a time."""
        yield from self._read()
        replaced = self._replaced()
        if replaced is not None:
            yield from self._read()
            yield from self.last()
            self._file.close()
            self._file = replaced
            self._begin_anew()
            yield from self._read()

    def last(self) -> Iterator[str]:
        """The text after the last line break, as a line."""
        rest = self._rest
        self._rest = b""
        if rest:
            yield rest.decode(errors="replace")

    def close(self) -> None:
        """End the watch."""
        self._file.close()

    def _begin_anew(self) -> None:
        self._rest, self._is_overlong, self._is_at_start = b"", False, True

    def _read(self) -> Iterator[str]:
        for chunk in self._chunks():
            if self._is_at_start and (wrong := _why_unreadable(chunk[:64])):
                raise UsageError(f"{self._path}: is {wrong}")
            self._is_at_start = False
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            for line in whole:
                if not self._is_overlong:
                    yield line[:LINE_BYTES_MAX].rstrip(b"\r").decode(errors="replace")
                self._is_overlong = False
            if len(self._rest) > LINE_BYTES_MAX:
                if not self._is_overlong:
                    yield self._rest[:LINE_BYTES_MAX].decode(errors="replace")
                self._rest, self._is_overlong = b"", True

    def _chunks(self) -> Iterator[bytes]:
        """What is there: of a file all that it held at the call, however fast it grows."""
        if self.is_stream:
            for _ in range(STREAM_CHUNKS_MAX):
                chunk = self._file.read(READ_BYTES_MAX)
                self.is_over = chunk == b""
                if not chunk:
                    return
                yield chunk
            return
        size = os.fstat(self._file.fileno()).st_size
        if size < self._file.tell():
            self._file.seek(0)  # truncated in place
            self._begin_anew()
        while (left := size - self._file.tell()) > 0 and (
            chunk := self._file.read(min(left, READ_BYTES_MAX))
        ):
            yield chunk

    def _replaced(self) -> FileIO | None:
        """The other file that has the name now, opened; None while there is none, and for a stream."""
        if self.is_stream:
            return None
        try:
            found = self._path.open("rb", buffering=0)
        except OSError:
            return None
        named, held = os.fstat(found.fileno()), os.fstat(self._file.fileno())
        if (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino):
            found.close()
            return None
        return found


def _why_unreadable(beginning: bytes) -> str:
    """Why no line of a file that begins so can be recognised, with the next step; "" if it is text."""
    for mark, wrong in _PACKED.items():
        if beginning.startswith(mark):
            return wrong
    # Every second byte, or three of four, of Latin text in the wide encodings is zero.
    text = beginning[2:] if beginning[:2] in (b"\xff\xfe", b"\xfe\xff") else beginning
    is_wide = len(text) >= 4 and not (any(text[::2]) and any(text[1::2]))
    return _WIDE if is_wide else ""


@dataclass(slots=True)
class Watch:
    """Looks for known signatures, and counts them, the anomalies that they explain, and all lines.

    of_mailpit   how many lines look like Mailpit's; with none of them, a file without a known line says
                 nothing
    """

    lines: int = 0
    of_mailpit: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def look(self, text: str) -> Seen | None:
        """The line with what is known of it, or None."""
        self.lines += 1
        text = _STAMP.sub("", text)
        self.of_mailpit += _MAILPIT.search(text) is not None
        known = known_line(text)
        if known is None:
            return None
        self.counts[known.meaning] += 1
        self.explained[known.explains.value] += 1
        return Seen(self.lines, text, known)
