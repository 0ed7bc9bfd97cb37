"""A schedule in, plain text out: a column an actor, its statements downwards, the guilty pair marked."""

import re
import textwrap

from mailrace.model.result import ScheduleWitness, Step

WIDTH = 100
MARK = "◀"
_NUMBERED = re.compile(r"\?")


def columns(witness: ScheduleWitness, *, width: int = WIDTH) -> str:
    """The schedule as a maintainer reads it: who sends what, in order; the pair whose exchange mends it.

    Below it what it came to, next to what each serial order comes to.
    """
    actors = list(dict.fromkeys(step.actor for step in witness.steps))
    column = max(24, (width - 5) // max(1, len(actors)) - 2)
    lines = ["     " + "  ".join(actor.ljust(column) for actor in actors).rstrip()]
    lines.append("     " + "  ".join("-" * column for _ in actors))
    for number, step in enumerate(witness.steps, start=1):
        lines += _rows(number, step, actors.index(step.actor), len(actors), column)
    lines += ["", *textwrap.wrap(f"It came to: {witness.outcome}", width)]
    for order, outcome in witness.serial:
        lines += textwrap.wrap(f"In the serial order {order}: {outcome}", width, subsequent_indent="  ")
    if any(step.guilty for step in witness.steps):
        lines += ["", f"{MARK} exchange these two neighbours, and the outcome is a good one."]
    return "\n".join(lines)


def _rows(number: int, step: Step, column: int, columns_count: int, width: int) -> list[str]:
    mark = f" {MARK}" if step.guilty else ""
    body = textwrap.wrap(filled(step), width - len(mark)) or [""]
    body += textwrap.wrap(f"→ {step.result}", width, subsequent_indent="  ")
    body[0] += mark
    rows = []
    for index, line in enumerate(body):
        head = f"{number:>3}  " if index == 0 else "     "
        rows.append((head + " " * ((width + 2) * column) + line).rstrip())
    return rows if columns_count else []


def filled(step: Step) -> str:
    """The statement with its arguments in their places; of a message that is stored only its name."""
    if step.sql.startswith("INSERT INTO mailbox "):
        return f"INSERT INTO mailbox (…) VALUES ({', '.join(a for a in step.args if a.startswith('<'))}, …)"
    arguments = iter(step.args)
    return _NUMBERED.sub(lambda _: _quoted(next(arguments, "?")), step.sql)


def _quoted(value: str) -> str:
    plain = value.isdigit() or value in ("NULL", "…") or (value.startswith("<") and value.endswith(">"))
    return value if plain else f"'{value}'"
