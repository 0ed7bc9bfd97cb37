"""Takes the findings of a record; gives its page, and its lines for a terminal."""

from collections.abc import Iterator
from pathlib import Path

from mailrace.history import RECORD_DOCUMENT, write_whole
from mailrace.model.phrases import plural
from mailrace.record.findings import Finding, Findings
from mailrace.record.hazards import HAZARDS
from mailrace.report.page import whole_page

EXAMPLES_MAX = 2


def headline(found: Findings) -> str:
    """The result in a sentence: the server's broken promises first, then the suite's own hazards.

    Where not everything could be looked at, the sentence says so, and nothing is called clean.
    """
    if not found.operations:
        return (
            "Nothing was recorded: no client did anything at the recorder's addresses, which the command is "
            "told by SMTP_HOST, SMTP_PORT, MAILPIT_URL and what --env names"
        )
    # What happened comes first, and then why it may not be all.
    parts = []
    if found.broken:
        times = plural(sum(one.times for one in found.broken), "time")
        parts.append(f"the server broke a promise {times} ({', '.join(o.name for o in found.broken)})")
    if len(found.happened) > len(found.broken):
        parts.append("a client sent again what the server had accepted")
    if found.hazards:
        things = plural(len(found.hazards), "thing that makes", "things that make")
        parts.append(f"the suite does {things} it flaky when it runs in parallel")
    if not found.is_seen_whole:
        nothing = "" if parts else "nothing was found in what was seen, and "
        parts.append(f"{nothing}not all could be looked at")
    if not parts:
        parts.append("no broken promise and no hazard was seen")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]} ({plural(found.operations, 'operation')})"


def not_covered(found: Findings) -> tuple[str, ...]:
    """What the record does not cover, a sentence each, the gravest first."""
    doubts = tuple(f"Whether the server kept its promises is not known: {why}" for why in found.doubts)
    hidden = (
        (
            f"{plural(found.not_judged, 'accepted mail')} not judged, since somebody may have deleted "
            + ("it" if found.not_judged == 1 else "them"),
        )
        if found.not_judged and not found.doubts
        else ()
    )
    untold = (
        (
            f"{plural(found.untold, 'mail')} could not be told from others in the store; "
            "give each mail a Message-ID of its own",
        )
        if found.untold
        else ()
    )
    return (*found.not_whole, *doubts, *untold, *hidden, *found.not_seen)


def write_record(found: Findings, folder: Path) -> None:
    """Write the record's document and its page."""
    write_whole(folder / RECORD_DOCUMENT, found.as_json().encode())
    write_whole(folder / "report.html", record_page(found).encode())


def record_page(found: Findings) -> str:
    """The page of a record."""
    return whole_page(
        "record.html.j2",
        found=found,
        headline=headline(found),
        not_covered=not_covered(found),
        hazards_known=len(HAZARDS),
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
        more = f" ({'; '.join(overlap.elsewhere)})" if overlap.elsewhere else ""
        yield (
            f"{plural(overlap.times, 'time')} {overlap.first} ran beside {overlap.second} ({overlap.relation}"
            f"); on version {found.version} this can lead to {overlap.why}{more}: scenarios/{overlap.file}"
        )
    for text in not_covered(found):
        yield f"Not covered: {text}."


def _finding(one: Finding) -> Iterator[str]:
    seen = f": {one.seen}. {one.why}" if one.seen else f": {one.why}" if one.why else ""
    yield f"{one.name}, {plural(one.times, 'time')}{seen}"
    for text in one.evidence[:EXAMPLES_MAX]:
        yield f"  {text}"
    if one.tests:
        yield f"  in {', '.join(one.tests)}"
    if one.remedy:
        yield f"  what to do: {one.remedy}"
