"""Takes a RunResult; gives report.md: the verdict, a table, the first proofs, the commands."""

import re

from jinja2 import Environment

from mailrace.model.result import RunResult
from mailrace.report.conclusion import conclusion
from mailrace.report.jinja import environment, filled
from mailrace.report.words import control_words, headline, legible, not_looked, rate_words, sentence

WITNESSES_SHOWN_MAX = 5
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
_WORD_UNDERSCORE = re.compile(r"(?<=[A-Za-z0-9])\\_(?=[A-Za-z0-9])")


def prose(text: str) -> str:
    """Text as Markdown that shows exactly this text: what would be markup in it is escaped."""
    escaped = _SPECIAL.sub(r"\\\1", legible(text, 2000)).replace("&", "&amp;")
    return _WORD_UNDERSCORE.sub("_", escaped)


def code(text: str) -> str:
    """Text as a code span that nothing in the text can end, not even in a table's cell."""
    shown = legible(text, 2000).replace("|", "\\|")
    runs = [len(run) for run in re.findall(r"`+", shown)]
    fence = "`" * (max(runs, default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def prose_and_code(text: str) -> str:
    """Text as `prose`, but what stands between backticks becomes a code span."""
    parts = legible(text, 2000).split("`")
    # A backtick without a partner belongs to the prose, so the last part is never code.
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return "".join(code(part) if place % 2 else prose(part) for place, part in enumerate(parts))


def block(text: str) -> str:
    """Text of several lines as a fenced block that nothing in the text can end."""
    shown = legible(text, 20_000, lines=True)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def in_markdown() -> Environment:
    """Jinja2 for Markdown.

    A template has to pass every value to `prose`, `prose_and_code`, `code` or `block`.
    """
    return environment(
        prose=prose,
        prose_and_code=prose_and_code,
        code=code,
        block=block,
        rate=rate_words,
        control=control_words,
        sentence=sentence,
    )


def markdown(result: RunResult) -> str:
    """The text of report.md."""
    text = filled(
        in_markdown(),
        "report.md.j2",
        run=result,
        headline=headline(result),
        not_looked=not_looked(result),
        told=conclusion(result),
        shown_max=WITNESSES_SHOWN_MAX,
    )
    return legible(text, len(text), lines=True)
