"""The steps of a schedule in; its picture as SVG out.

Each actor has a column, time goes downwards, and a line across stands at the point of no return.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, GUTTER, LINE, PADDING, GAP = 440, 12, 17, 8, 8
"""In units of the picture, which are pixels where it is shown at its own size."""
CHARACTER = 7.1
"""How wide a letter is at the size of the text, on average."""

STYLE = Path(__file__).parent.parent / "schedule.css"
DARK = """
@media (prefers-color-scheme: dark) {
  .schedule { --schedule-ink: #e6e9ee; --schedule-box: #262d38; --schedule-edge: #77869b;
    --schedule-good: #1f3a27; --schedule-bad: #4a2323; --schedule-line: #ff8a80; }
}
"""


@dataclass(frozen=True)
class Box:
    """What one actor does without another coming between."""

    actor: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Schedule:
    """What is drawn.

    actors    the columns, from left to right
    boxes     from top to bottom
    decided   after how many of the boxes the line stands; 0: nowhere
    because   why no order of what is left turns out well
    ends      actor to how it ended for it, and whether that is as it should be
    """

    title: str
    actors: tuple[str, ...]
    boxes: tuple[Box, ...]
    decided: int
    because: str
    ends: dict[str, tuple[str, bool]]


def picture(schedule: Schedule, name: str, *, alone: bool = False) -> str:
    """The SVG, which has a text for those who do not see it.

    name    makes the IDs in it differ from those of other pictures on the page
    alone   whether it is a file of its own, which follows the reader's dark mode by itself
    """
    lane = (WIDTH - GUTTER * (len(schedule.actors) - 1)) / len(schedule.actors)
    at = {actor: number * (lane + GUTTER) for number, actor in enumerate(schedule.actors)}
    parts, y = [], 16.0
    for actor in schedule.actors:
        parts.append(_text(at[actor] + lane / 2, y, actor, "who", "middle"))
    y += GAP
    top = y
    for number, box in enumerate(schedule.boxes, 1):
        part, height = _box(at[box.actor], y, lane, box.lines, "step")
        parts.append(part)
        y += height + GAP
        if number == schedule.decided:
            part, height = _line(y, schedule.because)
            parts.append(part)
            y += height + GAP
    bottom, heights = y, []
    for actor, (said, is_good) in schedule.ends.items():
        part, height = _box(at[actor], y, lane, (said,), "good" if is_good else "bad")
        parts.append(part)
        heights.append(height)
    y += max(heights, default=0)
    columns = [
        f'<line class="time" x1="{at[actor] + lane / 2:g}" x2="{at[actor] + lane / 2:g}" y1="{top:g}" '
        f'y2="{bottom:g}"/>'
        for actor in schedule.actors
    ]
    style = f"<style>{STYLE.read_text(encoding='utf-8')}{DARK}</style>" if alone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="schedule" viewBox="0 0 {WIDTH} {y + 2:g}" '
        'role="img" '
        f'aria-labelledby="{name}-title {name}-text"{_size(y) if alone else ""}>{style}'
        f'<title id="{name}-title">{escape(schedule.title)}</title>'
        f'<desc id="{name}-text">{escape(in_words(schedule))}</desc>'
        f"{''.join(columns)}{''.join(parts)}</svg>"
    )


def in_words(schedule: Schedule) -> str:
    """What the picture shows, as text."""
    told = []
    for number, box in enumerate(schedule.boxes, 1):
        told.append(f"{box.actor}: {', '.join(box.lines)}.")
        if number == schedule.decided:
            told.append(f"Point of no return: {schedule.because}")
    told += [f"In the end, {actor}: {said}." for actor, (said, _) in schedule.ends.items()]
    return " ".join(told)


def _size(height: float) -> str:
    return f' width="{WIDTH}" height="{height + 2:g}"'


def _wrapped(lines: Sequence[str], width: float) -> list[str]:
    letters = int((width - 2 * PADDING) / CHARACTER)
    return [part for line in lines for part in textwrap.wrap(line, letters, break_on_hyphens=False)]


def _box(x: float, y: float, width: float, lines: Sequence[str], kind: str) -> tuple[str, float]:
    """A box with text at that place, and its height."""
    wrapped = _wrapped(lines, width)
    height = len(wrapped) * LINE + 2 * PADDING - 3
    drawn = [
        f'<rect class="{kind}" x="{x + 1:g}" y="{y:g}" width="{width - 2:g}" height="{height:g}" rx="5"/>'
    ]
    for number, line in enumerate(wrapped):
        drawn.append(_text(x + PADDING, y + PADDING + 10 + number * LINE, line))
    return "".join(drawn), height


def _line(y: float, because: str) -> tuple[str, float]:
    """The line of no return with its reason below, and the height of both."""
    drawn = [
        f'<line class="line" x1="0" x2="{WIDTH}" y1="{y + 4:g}" y2="{y + 4:g}"/>',
        _text(0, y + 22, "point of no return", "decided"),
    ]
    wrapped = _wrapped([because], WIDTH + 2 * PADDING)
    for number, line in enumerate(wrapped):
        drawn.append(_text(0, y + 22 + LINE + number * LINE, line))
    return "".join(drawn), 30 + len(wrapped) * LINE


def _text(x: float, y: float, said: str, kind: str = "", anchor: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    anchored = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:g}" y="{y:g}"{named}{anchored}>{escape(said)}</text>'
