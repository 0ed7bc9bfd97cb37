"""Takes a RunResult; gives report.html: one file, no network, everything of a server or a message escaped.

Hits are drawn first and then a sample of clean rounds, as many as the page's size allows. Further hits stand
in a table, a line each, and the page says what is left out even there.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import zip_longest

from jinja2 import Environment
from markupsafe import Markup

from mailrace.model.anomaly import Anomaly
from mailrace.model.attempt import RoundRecord
from mailrace.model.phrases import plural
from mailrace.model.result import RunResult, ScenarioResult, ScheduleWitness, Witness
from mailrace.report.chart import block_chart
from mailrace.report.conclusion import conclusion
from mailrace.report.expected import message_rows
from mailrace.report.jinja import environment, filled
from mailrace.report.timeline import timeline
from mailrace.report.words import (
    control_words,
    headline,
    is_race,
    legible,
    ms,
    not_looked,
    rate_words,
    sentence,
    when,
)

DRAWN_BYTES_SMALL = 200_000
"""What the drawn rounds may take in a run of at most ROUNDS_SMALL rounds. So the page stays under 300 kB."""
DRAWN_BYTES_LARGE = 1_200_000
"""The same in a longer run. So the page stays under 2 MB."""
ROUNDS_SMALL = 100
BYTES_A_ROUND = 400
DRAWN_MAX = 40
"""At most so many rounds of one scenario are drawn, even if there is room for more."""
LISTED_MAX = 300
"""At most so many further hits of one scenario are listed, a line each."""
REPLIES_MAX = 40
LIMITS_MAX = 4
"""So many sentences on what was not looked at are shown; the others are folded."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One round to draw, with the anomalies found in it and the commands that replay it; none if clean."""

    record: RoundRecord
    anomalies: tuple[Anomaly, ...] = ()
    replays: tuple[str, ...] = ()
    explained: tuple[tuple[str, str], ...] = ()
    schedule: ScheduleWitness | None = None


def page(result: RunResult) -> str:
    """The text of report.html."""
    hits = [_hits(scenario) for scenario in result.scenarios]
    drawn: list[list[Markup]] = [[] for _ in result.scenarios]
    sample_drawn = [0] * len(result.scenarios)
    room = _room(result)
    kept_for_sample = room // 5 if any(s.sample for s in result.scenarios) else 0
    # The page has a limit of size, and drawn rounds take most of it. Rounds are drawn in turn, one of each
    # scenario, until the room is used up. Each scenario gets one in any case, and a fifth of the room is kept
    # for clean rounds to compare with.
    for place, shown, is_open in _in_turn(result.scenarios, hits):
        if len(drawn[place]) >= DRAWN_MAX:
            continue
        uid = f"s{place}r{len(drawn[place])}"
        text = filled(
            templates(),
            "round.html.j2",
            shown=shown,
            line=timeline(shown.record),
            messages=message_rows(shown.record, shown.anomalies),
            uid=uid,
            mode="order" if result.scenarios[place].schedules else "round",
            is_open=is_open,
        )
        if room - (kept_for_sample if shown.anomalies else 0) < len(text.encode()) and drawn[place]:
            continue
        room -= len(text.encode())
        drawn[place].append(Markup(text))
        sample_drawn[place] += not shown.anomalies
    # It is settled what is drawn. Further hits are listed, and what is not even listed is counted.
    sections = []
    for place, scenario in enumerate(result.scenarios):
        hits_drawn = len(drawn[place]) - sample_drawn[place]
        listed = hits[place][hits_drawn : hits_drawn + LISTED_MAX]
        sections.append(
            {
                "scenario": scenario,
                "rounds": drawn[place],
                "listed": listed,
                "left_out": _left_out(scenario, hits[place], hits_drawn, len(listed), sample_drawn[place]),
                "chart": block_chart(scenario.blocks, with_control=scenario.control is not None),
                "replies": sorted(scenario.replies.items(), key=lambda item: (-item[1], item[0])),
            }
        )
    return whole_page(
        "report.html.j2",
        run=result,
        headline=headline(result),
        not_looked=not_looked(result),
        told=conclusion(result),
        sections=sections,
        replies_max=REPLIES_MAX,
        limits_max=LIMITS_MAX,
    )


@cache
def templates() -> Environment:
    """Jinja2 for HTML, with autoescape.

    What a server may have written passes `legible` before it is escaped.
    """
    return environment(
        autoescape=True,
        control=control_words,
        is_race=is_race,
        coded=_coded,
        legible=legible,
        ms=ms,
        plural=plural,
        rate=rate_words,
        sentence=sentence,
        when=when,
    )


def whole_page(template: str, **values: object) -> str:
    """A page that needs no other file: style and script are in it, and only those two may run."""
    folder = files("mailrace.report") / "templates"
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    page = filled(
        templates(),
        template,
        style=Markup(style),
        script=Markup(script),
        style_digest=_digest(style),
        script_digest=_digest(script),
        **values,
    )
    # A template may have left some text as it was. No page may hold characters that a browser or an editor
    # obeys.
    return legible(page, len(page), lines=True)


def _coded(text: str) -> Markup:
    """A sentence of ours, in which what stands between backticks becomes code; all of it is escaped."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _room(result: RunResult) -> int:
    rounds = sum(s.rounds for s in result.scenarios)
    if rounds <= ROUNDS_SMALL:
        return DRAWN_BYTES_SMALL
    return min(DRAWN_BYTES_LARGE, DRAWN_BYTES_SMALL + BYTES_A_ROUND * rounds)


def _hits(scenario: ScenarioResult) -> list[Shown]:
    """The scenario's witnesses in their order, those of one round and one schedule joined."""
    grouped: dict[tuple[int, str], list[Witness]] = {}
    for witness in scenario.witnesses:
        text = witness.schedule.text if witness.schedule else ""
        grouped.setdefault((witness.record.index, text), []).append(witness)
    return [
        Shown(
            record=group[0].record,
            anomalies=tuple(w.anomaly for w in group),
            replays=tuple(dict.fromkeys(w.replay for w in group)),
            explained=tuple(dict.fromkeys(line for w in group for line in w.explained)),
            schedule=group[0].schedule,
        )
        for group in grouped.values()
    ]


def _in_turn(
    scenarios: Sequence[ScenarioResult], hits: Sequence[list[Shown]]
) -> Iterator[tuple[int, Shown, bool]]:
    """(scenario, round, whether it stands open): first hits of all scenarios, then second …, then samples."""
    samples = [[Shown(record=r) for r in scenario.sample] for scenario in scenarios]
    for depth, turn in enumerate(zip_longest(*hits)):
        for place, shown in enumerate(turn):
            if shown is not None:
                yield place, shown, depth == 0
    for turn in zip_longest(*samples):
        for place, shown in enumerate(turn):
            if shown is not None:
                yield place, shown, False


def _left_out(
    scenario: ScenarioResult, hits: Sequence[Shown], hits_drawn: int, listed: int, sample_drawn: int
) -> str:
    parts: list[str] = []
    if listed:
        parts.append(f"{plural(listed, 'further hit is', 'further hits are')} listed below, a line each")
    rest = len(hits) - hits_drawn - listed
    if rest:
        parts.append(f"{plural(rest, 'further hit stands', 'further hits stand')} in run.json only")
    if scenario.mode == "race":
        unkept = scenario.hits - len(hits)
        if unkept > 0:
            parts.append(
                f"{plural(unkept, 'hit was', 'hits were')} counted and not kept here; see history.jsonl"
            )
        clean = scenario.rounds - scenario.hits - sample_drawn
        if clean > 0 and scenario.rounds:
            parts.append(f"{plural(clean, 'clean round is', 'clean rounds are')} not drawn")
    return "; ".join(parts)
