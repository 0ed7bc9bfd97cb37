"""Writes a RunResult into a folder in the formats that were asked for, each file whole or not at all."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from mailrace.history.writing import write_whole
from mailrace.model.errors import UsageError
from mailrace.model.result import RunResult
from mailrace.report.ci import ctrf, junit
from mailrace.report.document import from_json, to_json
from mailrace.report.markdown import markdown
from mailrace.report.page import page

FORMATS: Mapping[str, tuple[str, Callable[[RunResult], str]]] = {
    "json": ("run.json", to_json),
    "html": ("report.html", page),
    "md": ("report.md", markdown),
    "junit": ("junit.xml", junit),
    "ctrf": ("ctrf.json", ctrf),
}
"""By format: the name of its file, and the function that gives its text."""


def render(
    result: RunResult, folder: Path, formats: Collection[str] = ("html", "md", "junit", "json")
) -> tuple[Path, ...]:
    """Write the result in each format into `folder` (made if missing); the files, in the order asked for.

    The document is rendered, not the value in memory, so an old run.json that is rendered again gives the
    same bytes. Raises UsageError for an unknown format, with those there are.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise UsageError(f"--format: {', '.join(unknown)}: no such format; there are {', '.join(FORMATS)}")
    document = from_json(to_json(result))
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name in formats:
        file, text_of = FORMATS[name]
        write_whole(folder / file, text_of(document).encode("utf-8"))
        written.append(folder / file)
    return tuple(written)
