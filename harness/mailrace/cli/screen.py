"""Writes sentences, commands and tables to a terminal of any width: words whole, commands ready to copy.

Results go to stdout, and progress goes to stderr. Without a terminal nothing is wrapped: a log or a pipe gets
each sentence on a line of its own.
"""

import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

WIDTH_MIN = 40
"""A narrower terminal is written to as if it were this wide."""
GAP = "  "


def console(stream: TextIO) -> "Console":
    """A console of rich on that stream; it knows TTY, CI and NO_COLOR.

    It neither wraps nor cuts, because `Screen` wraps sentences and leaves commands whole. It prints text as
    it is: brackets and colons in names, replies and logs are no markup.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Lasting(Console):
        """Goes on without a reader: closing the pipe must neither end the run nor change its status."""

        def on_broken_pipe(self) -> None:
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterator[Segment]:
            """The same, with characters escaped that a terminal would obey: a stranger may have sent them."""
            # Everything that is printed comes through here: styled texts, tables and lines of progress too.
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(shown(segment.text), segment.style)

    return Lasting(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)


def shown(text: str) -> str:
    """See `harmless`, which is imported late, because `--help` does not need it."""
    from mailrace.report.words import harmless

    return harmless(text)


class Screen:
    """Writes paragraphs, commands and tables for a person, on stdout unless told otherwise."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.console = console(stream or sys.stdout)
        is_terminal = self.console.is_terminal and not os.environ.get("CI")
        self.width: int | None = max(WIDTH_MIN, self.console.width) if is_terminal else None

    def text(self, text: str = "", *, indent: str = "", style: str | None = None) -> None:
        """A paragraph, wrapped between words, but not within backticks."""
        for line in wrapped(text, self.width, indent=indent):
            self.console.print(line, style=style)

    def line(self, text: str) -> None:
        """A line with a path or a command in it.

        It stays whole, however long it is, so that it can be copied.
        """
        self.console.print(text)

    def block(self, text: str) -> None:
        """Text with line breaks of its own, which is not wrapped."""
        for line in text.splitlines():
            self.console.print(line)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Rows under their header. Where they are too wide, each row is a heading with its values below."""
        for line in laid_out(header, rows, self.width):
            self.line(line)


def wrapped(text: str, width: int | None, *, indent: str = "") -> list[str]:
    """A paragraph as lines of at most `width` characters; a longer word stays whole, on a line of its own."""
    if width is None or not text:
        return [f"{indent}{text}"]
    held = re.sub(r"`[^`]*`", lambda match: match[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(
        held,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in lines]


def laid_out(header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """The lines of a table in plain text: columns if all of them fit, otherwise a paragraph for each row."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    if width is None or sum(widths) + len(GAP) * (len(widths) - 1) <= width:
        return [
            GAP.join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
            for row in (header, *rows)
        ]
    lines = []
    for row in rows:
        lines += wrapped(row[0], width)
        for name, cell in zip(header[1:], row[1:], strict=True):
            if cell and cell != "-":
                lines += wrapped(f"{name}: {cell}", width, indent=GAP)
    return lines
