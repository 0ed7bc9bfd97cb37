"""Takes the catalogue; gives `docs/races.md`: `python -m mailrace.report.races > docs/races.md`."""

import sys

from mailrace.model.anomaly import AnomalyName
from mailrace.model.catalogue import LOOKED, RACES, Race
from mailrace.model.consequences import CONSEQUENCES
from mailrace.report.conclusion import remedy_words

_NOT_STEERED = (AnomalyName.ENVELOPE_LEAKED, AnomalyName.TORN_READ, AnomalyName.VIEWS_DISAGREE)
"""Steer calls none of these a race: they depend on one connection or on memory, or are by design."""

_HEAD = f"""# The races of Mailpit

This page is made from `model/catalogue.py` and `model/consequences.py` by
`python -m mailrace.report.races`; a test holds that it is what they say. It lists what was measured on
{", ".join(LOOKED)}, and what the project's own issues and release notes say. Of newer
versions it knows nothing but what an older one mended. Rates are in no table: they depend on the machine, the
load and the run.

Mailpit hands all its SQL statements to one connection, one statement at a time. Most of these races have that
one cause: what belongs together is several statements, and those of another request come between.
"""

NOTES: tuple[str, ...] = (
    "1.33.1 was looked at on 2026-11-25. S2, S3, S6, S7, S8 and S11 are there, S4 and S12 are not. An "
    "independent program, 500 rounds each, saw S2 4 times beside the deletion of the tag's last holder, once "
    "beside the deletion of another message, and never between two senders.",
    "On 1.33.1 a message with an image that was read once and is then deleted by search is still answered by "
    "`GET /api/v1/message/ID` for some 5 s, while the list says that it is gone. Deleted by ID, it is gone "
    "at once, unless somebody reads it at that moment (S15).",
    "Release notes say that 1.33.1 refuses a mail that cannot be parsed with 554 (older ones accept it and "
    "store nothing), and that a wrong body of `DELETE /api/v1/messages` is refused (older ones delete "
    "everything). From 1.32.0 on a server takes 1,000 connections and answers the next with 421.",
    "On 1.30.5 and 1.33.1 a POP3 client that is cut off in the middle of its QUIT has deleted what it "
    "marked; on 1.27.11 it has not. From 1.18.6 on QUIT is answered before anything is deleted; a look at "
    "the message in that instant found it in 0 of 200 tries on each of the three.",
    "A message that is released, or retrieved by POP3, while it is deleted leaves the server whole or is "
    "refused: every schedule of the two was walked on 1.27.11, 1.30.5 and 1.33.1, and none is bad.",
)
"""What else is known of releases, in sentences for `docs/races.md`."""


def races_markdown() -> str:
    """The text of `docs/races.md`."""
    lines = [
        _HEAD,
        "## At a glance",
        "",
        "| race | what happens | shown as | versions |",
        "|---|---|---|---|",
    ]
    for race in RACES:
        shown = ", ".join(f"`{name}`" for name in race.anomalies)
        lines.append(
            f"| [{race.number}](#{race.number.lower()}) | {race.title} | {shown} | {race.versions} |"
        )
    for race in RACES:
        lines += ["", *_section(race)]
    lines += ["", "## What else is known of releases", "", *(f"- {note}" for note in NOTES)]
    lines += ["", "## What each anomaly means", "", "The worst first.", ""]
    lines += ["| anomaly | damages | when it is called so | for somebody who uses Mailpit | what helps |"]
    lines += ["|---|---|---|---|---|"]
    for name, known in CONSEQUENCES.items():
        row = (f"`{name}`", known.harm.value, name.meaning, known.meaning, known.remedy)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def _section(race: Race) -> list[str]:
    lines = [
        f'<a id="{race.number.lower()}"></a>',
        "",
        f"## {race.number}: {race.title}",
        "",
        f"- Versions: {race.versions}.",
        f"- It needs {race.needs}.",
        f"- What it does: {CONSEQUENCES[race.anomalies[0]].meaning}",
        f"- What helps: {remedy_words(race)}",
    ]
    if race.scenario:
        shown = max((version for version in LOOKED if race.is_in(version)), key=LOOKED.index)
        how = "run" if race.anomalies[0] in _NOT_STEERED else "steer"
        lines.append(f"- Shown by `mailrace {how} {race.scenario} --target mailpit@{shown}`.")
    if race.setup:
        lines.append(f"- mailrace does not set it up: it needs {race.setup}.")
    return [*lines, f"- Known from: {race.source}."]


if __name__ == "__main__":
    sys.stdout.write(races_markdown())
