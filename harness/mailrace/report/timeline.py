"""Takes a RoundRecord; gives its timeline: lanes of spans and marks in µs after the common instant.

The values are for the template, which draws them as SVG, and for the table that says the same in words. Pure.
Times are those of the record (`time.monotonic_ns`), and zero is `released_ns`.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mailrace.model.attempt import Attempt, Outcome, RoundRecord, Stage
from mailrace.model.operation import Send
from mailrace.report.words import legible, reply_words

WIDTH = 960
PADDING = 10
ROW_HEIGHT = 56
LANE_GAP = 8
AXIS_HEIGHT = 26
LOG_LINES_MAX = 40
ATTEMPTS_MAX = 60
"""At most so many attempts of a round are drawn, because a reader may poll a thousand times."""

_Clock = Callable[[int], float]
"""Turns monotonic nanoseconds into microseconds after the common instant."""
_STAGES = {
    Stage.CONNECT: ("C", "connected"),
    Stage.GREETING: ("G", "greeting read"),
    Stage.EHLO: ("E", "EHLO answered"),
    Stage.MAIL: ("M", "MAIL answered"),
    Stage.RCPT: ("R", "RCPT answered"),
    Stage.DATA: ("D", "DATA answered"),
    Stage.LOGIN: ("L", "login, list or DELE answered"),
    Stage.HELD: ("H", "held: all but the last byte is written"),
    Stage.RELEASED: ("", "released: the last byte is written"),
    Stage.REPLY: ("", "reply read"),
}
"""The letter and the words of each mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant in a row. `kind`: its shape; `letter`: what stands under a tick."""

    kind: str
    at_us: float
    words: str
    letter: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in a row: `prepare`, `held`, or `wait-ok`, `wait-fail`, `wait-unknown`."""

    kind: str
    begin_us: float
    end_us: float


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt, or the log, or the store."""

    caption: str
    y: int
    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """An actor, with a row for each attempt in order."""

    label: str
    y: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that the drawing needs. `views`: the ranges that a reader can choose; the first one is shown."""

    lanes: tuple[Lane, ...]
    height: int
    views: tuple[tuple[str, float, float], ...]
    left_out: str = ""
    events: tuple[tuple[float, str, str], ...] = ()
    """(µs, who, what), in order of time: the same as a table."""

    def x(self, at_us: float) -> float:
        """The place of an instant in the view that is shown first, in px."""
        _, begin, end = self.views[0]
        return round(PADDING + (at_us - begin) / (end - begin) * (WIDTH - 2 * PADDING), 1)

    def ticks(self) -> list[tuple[float, str]]:
        """(µs, label) of the ticks in the view that is shown first."""
        _, begin, end = self.views[0]
        step = tick_step(end - begin)
        first = math.ceil(begin / step)
        return [(k * step, f"{k * step / 1000:g} ms") for k in range(first, math.floor(end / step) + 1)]


def tick_step(span_us: float) -> float:
    """The step of 1, 2 or 5 times a power of ten that gives 4 to 9 ticks."""
    rough = span_us / 8
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * k for k in (1, 2, 5, 10) if power * k >= rough)


def timeline(record: RoundRecord) -> Timeline:
    """The timeline of a round."""

    def us(t_ns: int) -> float:
        return round((t_ns - record.released_ns) / 1000, 1)

    drawn = record.attempts[:ATTEMPTS_MAX]
    # The drawing is made from top to bottom: a lane for each actor, with a row for each of its attempts.
    lanes: list[Lane] = []
    y = AXIS_HEIGHT
    for actor, label in _actors(record):
        own = [a for a in drawn if a.actor == actor]
        if not own and actor < 0:
            continue
        y += LANE_GAP + 18
        rows = tuple(_row(a, record, us, y + i * ROW_HEIGHT) for i, a in enumerate(own))
        lanes.append(Lane(label, y, rows))
        y += ROW_HEIGHT * max(1, len(rows))
    # Below the actors stands what the server's log and store said, on the same axis.
    server = tuple(_server_marks(record, us))
    if server:
        y += LANE_GAP + 18
        lanes.append(Lane("server", y, (Row("log lines and reads of the store", y, (), server),)))
        y += ROW_HEIGHT
    # A round may have more than the drawing can hold. What is missing in it is counted.
    left_out = [
        f"{len(record.attempts) - ATTEMPTS_MAX} more attempts" if len(record.attempts) > ATTEMPTS_MAX else "",
        f"{len(record.log) - LOG_LINES_MAX} more log lines" if len(record.log) > LOG_LINES_MAX else "",
    ]
    said = " and ".join(part for part in left_out if part)
    return Timeline(
        lanes=tuple(lanes),
        height=y + 6,
        views=_views(drawn, lanes, us),
        left_out=f"{said} stand in run.json only" if said else "",
        events=tuple(_events(lanes)),
    )


def _actors(record: RoundRecord) -> list[tuple[int, str]]:
    named = [(i, f"{o.key} {o.words}") for i, o in enumerate(record.plan.operations)]
    return [(-1, "given, stored before the round"), *named]


def _row(attempt: Attempt, record: RoundRecord, us: _Clock, y: int) -> Row:
    spans: list[Span] = []
    marks = dict(attempt.marks)
    held = marks.get(Stage.HELD)
    released = attempt.released_ns
    # An attempt that failed early was never held, and perhaps never released; its preparation then lasts
    # until the next thing that is known of it.
    ready = held or released or attempt.completed_ns
    spans.append(Span("prepare", us(attempt.invoked_ns), us(ready)))
    if held is not None and released is not None:
        spans.append(Span("held", us(held), us(released)))
    if released is not None:
        spans.append(Span(f"wait-{attempt.outcome.value}", us(released), us(attempt.completed_ns)))
    # The spans are the phases of the attempt. The points are the replies to its commands; the last reply is
    # the end of the attempt and has a mark of its own.
    points = [
        Mark(
            "released" if stage is Stage.RELEASED else "tick",
            us(t),
            f"{_STAGES[stage][1]} at {_ms(us(t))}",
            _STAGES[stage][0],
        )
        for stage, t in attempt.marks
        if stage is not Stage.REPLY
    ]
    end = us(attempt.completed_ns)
    points.append(Mark(f"end-{attempt.outcome.value}", end, f"{reply_words(attempt)}, at {_ms(end)}"))
    return Row(
        f"{_which(attempt, record)}: {legible(reply_words(attempt), 60)}", y, tuple(spans), tuple(points)
    )


def _which(attempt: Attempt, record: RoundRecord) -> str:
    if attempt.actor >= 0:
        operation = record.plan.operations[attempt.actor]
        if (
            isinstance(operation, Send)
            and operation.lead is not None
            and attempt.message == operation.lead.key
        ):
            return f"lead {attempt.message}"
    told = {Outcome.OK: "ok", Outcome.FAIL: "refused", Outcome.UNKNOWN: "unknown"}[attempt.outcome]
    return f"{'attempt' if attempt.number == 1 else 'retry, attempt'} {attempt.number}, {told}"


def _server_marks(record: RoundRecord, us: _Clock) -> Iterator[Mark]:
    for number, line in enumerate(record.log[:LOG_LINES_MAX], 1):
        yield Mark(
            "log", us(line.t_ns), f"log at {_ms(us(line.t_ns))}: {legible(line.text, 300)}", str(number)
        )
    if record.verified_ns is not None and record.stored is not None:
        at = us(record.verified_ns)
        copies = len(record.stored.messages)
        tags = ", ".join(record.stored.tags[:8]) or "none"
        yield Mark("store", at, f"store read at {_ms(at)}: {copies} copies; tags: {legible(tags)}", "S")


def _views(
    attempts: Iterable[Attempt], lanes: list[Lane], us: _Clock
) -> tuple[tuple[str, float, float], ...]:
    """Three ranges: first release to last answer, to the last answer of a first attempt, and all."""
    raced = [a for a in attempts if a.actor >= 0 and a.released_ns is not None]
    everything = [m.at_us for lane in lanes for r in lane.rows for m in r.marks] + [
        s.begin_us for lane in lanes for r in lane.rows for s in r.spans
    ]
    begin = min(
        (us(a.released_ns) for a in raced if a.released_ns is not None and a.number == 1), default=0.0
    )
    last = max((us(a.completed_ns) for a in raced), default=begin + 1000)
    first = max((us(a.completed_ns) for a in raced if a.number == 1), default=last)
    ranges = {
        _padded(begin, last): "Release to last answer",
        _padded(begin, first): "The race",
        _padded(min(everything, default=0.0), max(everything, default=1000.0)): "Whole round",
    }
    return tuple((name, low, high) for (low, high), name in ranges.items())


def _padded(begin: float, end: float) -> tuple[float, float]:
    # A stranger's file may have times of any size and in any order; the range is never empty.
    low, high = min(begin, end), max(begin, end)
    span = max(high - low, 10.0, 1e-6 * max(abs(low), abs(high)))
    return round(low - span * 0.07, 1), round(high + span * 0.07, 1)


def _events(lanes: list[Lane]) -> list[tuple[float, str, str]]:
    found = [
        (mark.at_us, lane.label.partition(" ")[0], _plain(mark, row))
        for lane in lanes
        for row in lane.rows
        for mark in row.marks
    ]
    return sorted(found, key=lambda event: event[0])


def _plain(mark: Mark, row: Row) -> str:
    words = mark.words.replace(f" at {_ms(mark.at_us)}", "").removesuffix(",")
    return f"{row.caption.partition(':')[0]}: {words}" if row.spans else words


def _ms(at_us: float) -> str:
    return f"{at_us / 1000:.3f} ms"
