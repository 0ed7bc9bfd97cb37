"""The findings of a record in, its page and the lines for a terminal out."""

from collections.abc import Iterator

from mailrace.record.findings import Finding, Findings
from mailrace.record.hazards import HAZARDS
from mailrace.report.page import whole_page
from mailrace.report.words import plural

EXAMPLES_MAX = 2


def headline(found: Findings) -> str:
    """The result in a sentence, the server's broken promises before the suite's own hazards."""
    parts = []
    if found.happened:
        times = plural(sum(one.times for one in found.happened), "time")
        parts.append(f"the server broke a promise {times} ({', '.join(o.name for o in found.happened)})")
    if found.hazards:
        things = plural(len(found.hazards), "thing that makes", "things that make")
        parts.append(f"the suite does {things} it flaky when it runs in parallel")
    if not parts:
        parts.append("no broken promise and no hazard was seen")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]} in {found.operations:,} operations"


def record_page(found: Findings, again: str) -> str:
    """The page of a record; `again` is the command that records once more."""
    return whole_page(
        "record.html.j2", found=found, headline=headline(found), again=again, hazards_known=len(HAZARDS)
    )


def lines_of(found: Findings) -> Iterator[str]:
    """What a terminal is told, a line each: what happened, the hazards, what could happen."""
    yield f"{headline(found)}."
    for one in found.happened:
        yield from _finding(one)
    for one in found.hazards:
        yield from _finding(one)
    racing = [one for one in found.overlaps if one.verdict == "RACE"]
    for overlap in racing:
        yield (
            f"{overlap.times} times {overlap.first} ran beside {overlap.second} ({overlap.relation}); on "
            f"version {found.version} this can come to {overlap.why}: scenarios/{overlap.file}"
        )
    if found.not_judged:
        yield f"Not judged: {found.not_judged} accepted mails that somebody may have deleted."
    for text in found.not_seen:
        yield f"Not seen: {text}."


def _finding(one: Finding) -> Iterator[str]:
    seen = f": {one.seen}. {one.why}" if one.seen else ""
    yield f"{one.name}, {plural(one.times, 'time')}{seen}"
    for text in one.evidence[:EXAMPLES_MAX]:
        yield f"  {text}"
    if one.tests:
        yield f"  in {', '.join(one.tests)}"
    if one.remedy:
        yield f"  what to do: {one.remedy}"


def hazards_table() -> str:
    """The hazards as docs/record.md lists them, in Markdown."""
    rows = [f"| `{one.name}` | {one.seen} | {one.why} | {one.remedy} |" for one in HAZARDS]
    return (
        "\n".join(["| hazard | what is seen | why it matters | what to do |", "|---|---|---|---|", *rows])
        + "\n"
    )
