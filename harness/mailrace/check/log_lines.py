"""Takes a round's server log; gives the lines we know, each with its meaning and the anomaly it explains."""

import re
from dataclasses import dataclass

from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import RoundRecord


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A pattern of the server's log, what it means, and the anomaly that it explains."""

    pattern: re.Pattern[str]
    meaning: str
    explains: AnomalyName


def _known(pattern: str, meaning: str, explains: AnomalyName) -> KnownLine:
    return KnownLine(re.compile(pattern, re.IGNORECASE), meaning, explains)


KNOWN_LOG_LINES: tuple[KnownLine, ...] = (
    _known(
        r"UNIQUE constraint failed: (?:\w+_)?tags\.Name",
        "two messages made the same new tag at once; the loser is committed, its tags are not, and its "
        "sender is refused (S1, Mailpit issue 283)",
        AnomalyName.REJECTED_BUT_STORED,
    ),
    _known(
        r"error storing message: .*no rows in result set|^.*\bsql: no rows in result set",
        "the tag was pruned, renamed or deleted between being made and being read; the message is committed "
        "and its sender is refused (S2)",
        AnomalyName.REJECTED_BUT_STORED,
    ),
    _known(
        r"missing argument with index \d+",
        "a deletion named a message that was already gone; the statement failed with its transaction open, "
        "and the one connection of the pool is never given back (S4, S5, Mailpit issue 723)",
        AnomalyName.HANG,
    ),
    _known(
        r"there were \d+ statement errors",
        "a statement failed on rqlite; releases like 1.17 log no more than this of it (docs/steer.md)",
        AnomalyName.REJECTED_BUT_STORED,
    ),
    _known(
        r"database (?:table )?is locked|SQLITE_BUSY",
        "another process holds the SQLite file; what was committed before the refusal stays (S10)",
        AnomalyName.REJECTED_BUT_STORED,
    ),
    _known(
        r"error parsing message: ",
        "the message's header could not be read; it is refused and nothing is stored, and from 1.28.4 its "
        "envelope stays until RSET (S11)",
        AnomalyName.ENVELOPE_LEAKED,
    ),
    _known(
        r"^panic: |^fatal error: |\bpanic serving\b",
        "the server's own code gave up",
        AnomalyName.CRASH,
    ),
)
"""Signatures of the races of docs/races.md in the log of the server; the first that fits counts."""


def known_line(text: str) -> KnownLine | None:
    """What is known of one line of the log, or None."""
    return next((known for known in KNOWN_LOG_LINES if known.pattern.search(text)), None)


def explain(record: RoundRecord) -> tuple[tuple[str, str], ...]:
    """(line, meaning) of each known line in the round's log, in order; a line that repeats comes once."""
    found: dict[str, str] = {}
    for line in record.log:
        if (known := known_line(line.text)) is not None:
            found.setdefault(line.text, known.meaning)
    return tuple(found.items())
