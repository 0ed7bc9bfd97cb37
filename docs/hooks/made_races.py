"""The catalogue and the kept schedules in; the page of the races out, each with the picture of a schedule.

`docs/schedules.json` holds the steps as steer ran them, with the command, the server, the day, and the point
of no return that steer counted (`keep_schedule.py` writes it). Here each statement is told in a few words.
One picture stands in the README:

    python docs/hooks/made_races.py S1 > docs/schedule.svg
"""

import json
import re
import sys
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from mailrace.report.races import races_markdown
from schedule_picture import Box, Schedule, picture

KEPT = Path(__file__).parent.parent / "schedules.json"
WORDS = (
    (r"INSERT INTO mailbox \(", "stores the mail"),
    (r"INSERT INTO mailbox_data", "stores its text"),
    (r"SELECT m\.Created", "looks through the list: {found}"),
    (r"SELECT ID, Email", "reads the mail's text: {found}"),
    (r"SELECT Metadata FROM mailbox", "reads the mail's headers: {found}"),
    (r"SELECT ID FROM mailbox WHERE Read = 0", "is the mail there, unread? {some}"),
    (r"SELECT COUNT\(\*\) FROM mailbox$", "counts the mails"),
    (r"SELECT COUNT\(\*\) FROM mailbox WHERE MessageID", "is this Message-ID there? {some}"),
    (r"SELECT ID(, Name)? FROM tags WHERE Name", "is the tag there? {some}"),
    (r"INSERT (OR IGNORE )?INTO tags", "adds the tag{added}"),
    (r"SELECT COUNT\(ID\) FROM message_tags WHERE ID", "has the mail this tag? {some}"),
    (r"INSERT INTO message_tags", "gives the mail the tag"),
    (r"SELECT ID(, Size)? FROM mailbox WHERE ID IN", "looks for the mails: {count}"),
    (r"SELECT tags.ID, tags.Name, COUNT", "which tags does no mail hold? {unused}"),
    (r"DELETE FROM tags", "removes the tag"),
    (r"DELETE FROM message_tags WHERE ID", "takes the mail's tags away"),
    (r"DELETE FROM message_tags", "takes all tags away"),
    (r"DELETE FROM mailbox_data", "deletes their text"),
    (r"DELETE FROM mailbox", "deletes the mails{failed}"),
)
"""Statements of Mailpit, and what each does, in the order in which they are tried."""
LEFT_OUT = re.compile(r"settings|SELECT Name FROM Tags LEFT JOIN|SELECT mt\.ID")
"""Statements that no race hangs on: counters, and the look whether a mail has tags already."""


@cache
def kept() -> dict[str, dict[str, Any]]:
    """Race to its schedule."""
    read: dict[str, dict[str, Any]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return read


def races() -> str:
    """The page: what `docs/races.md` says, with a picture below the heading of each race that has one."""
    return re.sub(r"^## (S\d+): .*$", _with_picture, races_markdown(), flags=re.MULTILINE)


def schedule_of(race: str) -> Schedule:
    """The schedule of a race, told in words. Raises KeyError for a race that has none."""
    found = kept()[race]
    steps = [(step, step.get("words") or words(step["sql"], step["result"])) for step in found["steps"]]
    told = [(step, said) for step, said in steps if said]
    boxes: list[Box] = []
    decided = 0
    # What one actor does without another between is one box, and a box ends where the line is to stand.
    for (actor, is_after), group in groupby(
        told, lambda one: (one[0]["actor"], one[0]["number_in_all"] > found["decided"])
    ):
        boxes.append(Box(found["actors"][actor], tuple(said for _, said in group)))
        decided += not is_after
    return Schedule(
        title=found["title"],
        actors=tuple(found["actors"].values()),
        boxes=tuple(boxes),
        decided=decided,
        because=found["because"],
        ends={found["actors"][actor]: (said, good) for actor, (said, good) in found["ends"].items()},
    )


def words(sql: str, result: str) -> str:
    """What a statement does, with its answer; "" for one that no race hangs on.

    A statement without words here is shown as it is.
    """
    if LEFT_OUT.search(sql):
        return ""
    is_refused = result.startswith("error")
    answers = {
        "found": "gone" if result == "no rows" else "found",
        "some": "no" if result in ("no rows", "0") else "yes",
        "count": "none" if result == "no rows" else f"{result.count(';') + 1} found",
        "unused": "this one" if result.endswith(", 0") else "none",
        "added": ": refused, it is there" if is_refused else ": it is there" if result == "0 rows" else "",
        "failed": ": an error" if is_refused else "",
    }
    for pattern, said in WORDS:
        if re.match(pattern, sql, re.IGNORECASE):
            return said.format(**answers)
    return f"{sql[:60]} ({result})"


def _with_picture(heading: re.Match[str]) -> str:
    race = heading[1]
    if race not in kept():
        return heading[0]
    found = kept()[race]
    source = found["source"]
    return (
        f'{heading[0]}\n\n<figure class="picture" markdown="0">{picture(schedule_of(race), race.lower())}'
        f"<figcaption>{source}</figcaption></figure>\n"
    )


if __name__ == "__main__":
    print(picture(schedule_of(sys.argv[1]), sys.argv[1].lower(), alone=True))
