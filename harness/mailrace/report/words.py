"""Takes text of a server and numbers of a result; gives them so that people can read them, on any medium.

Text of a server or a message may hold anything. `legible` shows control characters, line breaks and
characters that reorder a line as escapes; what is too long it cuts, and says so. Escaping for HTML, Markdown
or XML comes after that, and each medium does its own.
"""

import re
from collections.abc import Iterable, Sequence

from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.attempt import Attempt
from mailrace.model.phrases import listed, plural
from mailrace.model.result import Interval, RunResult, ScenarioResult, Verdict
from mailrace.report.document import without_surrogates

TEXT_LENGTH_MAX = 600
"""A page shows so many characters of one text of a server; run.json has the whole."""
NAMES_MAX = 3
"""A sentence lists so many names of scenarios; a table has all of them."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff"
    "\U000e0000-\U000e007f]"
)
_COMMAND = re.compile(r"(?m)^(\s*):(?=:[A-Za-z][^\n]*::)|#(?=#(?:vso|teamcity)?\[)")
_BREAKS = re.compile(r"[\t\n]")


def legible(text: str, limit: int = TEXT_LENGTH_MAX, *, lines: bool = False) -> str:
    """At most `limit` characters of the text, in which invisible characters are written `\\x..` or `\\u....`.

    With `lines`, line breaks and tabs stay. Where the text was cut, its end says how long it is.
    """
    shown = text[:limit]
    shown = _UNSEEN.sub(_escape, without_surrogates(shown.replace("\r\n", "\n") if lines else shown))
    if not lines:
        shown = _BREAKS.sub(_escape, shown)
    return shown if len(text) <= limit else f"{shown}… ({len(text):,} characters)"


def harmless(text: str) -> str:
    """The whole text for a terminal or a log: characters that these would obey are escaped, line breaks stay.

    A terminal obeys control characters, and the runner of a CI job obeys lines of its log that begin as its
    commands do: GitHub's `::error::`, and what Azure and TeamCity have for it.
    """
    whole = legible(text, len(text), lines=True)
    return _COMMAND.sub(lambda m: f"{m[1] or ''}\\x{ord(m[0][-1]):02x}", whole)


def shortened(text: str, limit: int) -> str:
    """The beginning of a text that only names something, legible; an ellipsis stands for what was cut."""
    return legible(text) if len(text) <= limit else f"{legible(text[:limit])}…"


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}.get(char)
    if known:
        return known
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def percent(rate: float) -> str:
    """A rate in 0–1 as `12.0 %`; more digits where it is small."""
    value = rate * 100
    return f"{value:.1f} %" if value >= 1 or value == 0 else f"{value:.2g} %"


def interval_words(interval: Interval | None) -> str:
    """`6.4–20.0 % with 95 % confidence`, or "" without one."""
    if interval is None:
        return ""
    low = percent(interval.low).removesuffix(" %")
    return f"{low}–{percent(interval.high)} with {interval.confidence * 100:g} % confidence"


def rate_words(scenario: ScenarioResult) -> str:
    """`36 of 100 rounds (36.0 %; 26.6–46.2 % with 95 % confidence)`, or schedules for steer."""
    if scenario.schedules is not None:
        looked = scenario.schedules
        schedules = f" ({plural(looked.violating_orders, 'schedule')})" if looked.violating_orders else ""
        classes = plural(looked.classes, "class")
        return f"{looked.violating:,} of {classes} of schedules violating{schedules}"
    if not scenario.rounds:
        return "no rounds"
    share = percent(scenario.hits / scenario.rounds)
    bounds = interval_words(scenario.interval)
    return (
        f"{scenario.hits:,} of {plural(scenario.rounds, 'round')} ({share}{'; ' + bounds if bounds else ''})"
    )


def control_words(scenario: ScenarioResult) -> str:
    """The control in a sentence: what it was, how often it fired, and what that proves."""
    control = scenario.control
    if control is None:
        return ""
    told = (
        f"{control.scenario} on {control.target} (kind {control.kind}) fired in {control.pairs_fired:,} of "
        f"{plural(control.pairs, 'pair')}"
    )
    if control.bound is not None:
        told += (
            f"; a race at least {control.bound:.2g} times as frequent would have been seen with "
            f"{control.confidence * 100:g} % confidence"
        )
    return told


def headline(result: RunResult) -> str:
    """The run's verdict in one sentence."""
    if result.cut_off:
        return "The run was cut off; this is what it left."
    if len(result.scenarios) == 1:
        return sentence(result.scenarios[0].reason)
    told: list[str] = []
    for verdict in (Verdict.RACE, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.NOT_APPLICABLE):
        names = [s.name for s in result.scenarios if s.verdict is verdict]
        if names:
            listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            told.append(f"{len(names)} {verdict.value} ({listed})")
    return f"Of {plural(len(result.scenarios), 'scenario')}: {'; '.join(told)}."


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    text = legible(text, 2000)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def not_looked(result: RunResult) -> list[str]:
    """Everything that the run did not look at, each sentence once: the target first, then the scenarios."""
    said: list[tuple[str, str]] = []
    for scenario in result.scenarios:
        if scenario.rounds_lost:
            said.append((scenario.name, f"{plural(scenario.rounds_lost, 'round')} could not be exercised"))
        looked = scenario.schedules
        if looked is not None:
            extent = "all within this bound" if looked.exhaustive else "a part of this"
            said.append((scenario.name, f"looked at {extent}: {legible(looked.bound, 2000)}"))
            if looked.missed:
                said.append((scenario.name, f"{plural(looked.missed, 'schedule')} missed, not counted clean"))
        own = [text for text in scenario.not_looked if text not in result.target.limits]
        own.sort(key=lambda text: bool(re.match(r"round \d+", text)))  # single rounds come last
        said += [(scenario.name, legible(text)) for text in own]
    many = len(result.scenarios) > 1
    found = [f"{names}: {text}" if many else text for names, text in grouped(said)]
    return [*(legible(limit) for limit in result.target.limits), *found]


def when(started: str) -> str:
    """An ISO 8601 time as people write it: `2026-11-23 14:00:39 UTC`."""
    return re.sub(r"(Z|\+00:00)$", " UTC", legible(started, 40)).replace("T", " ", 1)


def meaning(text: str) -> str:
    """What a log line means, without the numbers of our own catalogue."""
    return re.sub(r" ?\(S\d+(?:, ([^)]*))?\)", lambda m: f" ({m[1]})" if m[1] else "", legible(text, 1000))


def is_race(name: str) -> bool:
    """Whether an anomaly of that name makes a run a RACE."""
    return any(known.value == name and known.weight is Weight.RACE for known in AnomalyName)


def ms(ns: int | float) -> str:
    """Nanoseconds as `2.113 ms`."""
    return f"{ns / 1e6:.3f} ms"


def grouped(said: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """(names of scenarios, sentence) for each different sentence, in the order in which each came first."""
    names: dict[str, list[str]] = {}
    for name, text in said:
        names.setdefault(text, []).append(name)
    return [(names_words(own), text) for text, own in names.items()]


def names_words(names: Iterable[str]) -> str:
    """`a, b and c`, or the first three and how many more."""
    each = [legible(name) for name in dict.fromkeys(names)]
    if len(each) > NAMES_MAX + 1:
        return f"{', '.join(each[:NAMES_MAX])} and {len(each) - NAMES_MAX} more"
    return listed(each)


def reply_words(attempt: Attempt) -> str:
    """What an attempt was told: `451 4.3.5 Unable to process mail`, or how it ended without a reply."""
    if attempt.code is None:
        return legible(attempt.said, 200) or attempt.word.value
    text = legible(attempt.text, 200)
    return text if text.startswith(str(attempt.code)) else f"{attempt.code} {text}".rstrip()
