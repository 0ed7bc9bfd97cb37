"""Mailpit's search: a query string to SQL conditions, and the messages that meet them."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from mailrace.embedded.database import Statements
from mailrace.embedded.door import Row, Value
from mailrace.embedded.listing import COLUMNS, Summary, summary, with_tags
from mailrace.embedded.message import clean_string
from mailrace.embedded.versions import Version

Condition = tuple[str, tuple[Value, ...]]

_TAGGED = "mt.ID FROM message_tags mt JOIN tags t ON mt.TagID = t.ID"
_LISTS = ("To", "From", "Cc", "Bcc", "ReplyTo")
_JSON = ", ".join(f"IFNULL(json_extract(Metadata, '$.{n}'), '{{}}') as {n}JSON" for n in _LISTS)
_FLAGS = {
    "is:read": ("Read = 1", "Read = 0"),
    "is:unread": ("Read = 0", "Read = 1"),
    "is:tagged": (f"m.ID IN (SELECT DISTINCT {_TAGGED})", f"m.ID NOT IN (SELECT DISTINCT {_TAGGED})"),
    "has:attachment": ("Attachments > 0", "Attachments = 0"),
    "has:inline": ("Inline > 0", "Inline = 0"),
}
_FLAGS |= {"has:attachments": _FLAGS["has:attachment"], "has:inlines": _FLAGS["has:inline"]}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s?([a-z]{1,2})?")
_UNITS = {None: 1, "k": 1024, "kb": 1024, "m": 1024**2, "mb": 1024**2}
_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%Y-%m-%dt%H:%M:%Sz")


async def search(
    db: Statements, version: Version, query: str, start: int, before_ms: int, limit: int
) -> tuple[list[Summary], int]:
    """The page asked for, newest first, and how many messages match in all."""
    rows = await find(db, version, query, before_ms)
    page = [summary(row, version) for row in rows[start : start + limit]]
    return await with_tags(db, version, page), len(rows)


async def find(
    db: Statements, version: Version, query: str, before_ms: int = 0, extra: Condition | None = None
) -> list[Row]:
    """All rows that match, whole."""
    sql, args = _select(version, query, before_ms, extra, "")
    return list(await db.query(sql, *args))


async def count_unread(db: Statements, version: Version, query: str, before_ms: int) -> int:
    """How many of those that match are unread."""
    sql, args = _select(version, query, before_ms, ("Read = 0", ()), ", COUNT(*)")
    rows = await db.query(sql, *args)
    return int(str(rows[0][-1])) if rows else 0


def _select(
    version: Version, query: str, before_ms: int, extra: Condition | None, column: str
) -> tuple[str, list[Value]]:
    conditions = list(conditions_of(query, version))
    if before_ms:
        conditions.append(("Created < ?", (before_ms,)))
    if extra is not None:
        conditions.append(extra)
    where = f"WHERE {' AND '.join(sql for sql, _ in conditions)} " if conditions else ""
    sql = f"SELECT {COLUMNS}, {_JSON} {column} FROM mailbox m {where}ORDER BY m.Created DESC"
    return sql, [arg for _, args in conditions for arg in args]


def words(query: str) -> list[str]:
    """The words of a query; what stands in quotes stays together, and the quotes go."""
    found = re.findall(r'(?:"[^"]*"?|[^ "])+', query)
    return [word for word in (piece.replace('"', "").strip() for piece in found) if word]


def conditions_of(query: str, version: Version) -> Iterator[Condition]:
    """One SQL condition for each word that says something."""
    for word in words(query):
        if not clean_string(word) or not (version.has_read_search or any(c.isalnum() for c in word)):
            continue
        negated = len(word) > 1 and word[0] in "-!"
        condition = _condition(word[1:] if negated else word, negated, version)
        if condition is not None:
            yield condition


def _condition(word: str, negated: bool, version: Version) -> Condition | None:
    small = word.lower()
    if small in _FLAGS:
        return _FLAGS[small][negated], ()
    prefix, colon, rest = word.partition(":")
    special = _PREFIXES.get(prefix.lower()) if colon else None
    if special is not None and (version.has_read_search or prefix.lower() not in _NEWER):
        return special(rest, negated)
    return _like("SearchText", clean_string(_escaped(small)), negated)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _like(column: str, text: str, negated: bool) -> Condition | None:
    return (f"{column} {'NOT LIKE' if negated else 'LIKE'} ?", (f"%{text}%",)) if text else None


def _column(column: str) -> Callable[[str, bool], Condition | None]:
    return lambda rest, negated: _like(column, _escaped(clean_string(rest)), negated)


def _subject(rest: str, negated: bool) -> Condition | None:
    return _like("Subject", _escaped(rest), negated)


def _addressed(rest: str, negated: bool) -> Condition | None:
    text = _escaped(clean_string(rest))
    parts = [_like(f"{name}JSON", text, negated) for name in _LISTS]
    joined = (" AND " if negated else " OR ").join(part[0] for part in parts if part)
    return (f"({joined})", (f"%{text}%",) * len(_LISTS)) if text else None


def _tag(rest: str, negated: bool) -> Condition | None:
    name = clean_string(rest)
    inside = "NOT IN" if negated else "IN"
    return (f"m.ID {inside} (SELECT {_TAGGED} WHERE t.Name = ?)", (name,)) if name else None


def _dated(sign: str, opposite: str) -> Callable[[str, bool], Condition | None]:
    def condition(rest: str, negated: bool) -> Condition | None:
        ms = as_ms(clean_string(rest))
        return (f"m.Created {opposite if negated else sign} ?", (ms,)) if ms is not None else None

    return condition


def as_ms(text: str) -> int | None:
    """A date as milliseconds since 1970, UTC; None where it is none that we read."""
    for form in _DATES:
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp() * 1000)
        except ValueError:
            continue
    return None


def _sized(sign: str, opposite: str, prefix: str) -> Callable[[str, bool], Condition | None]:
    def condition(rest: str, negated: bool) -> Condition | None:
        match = _SIZE.fullmatch(clean_string(rest))
        size = int(float(match[1]) * _UNITS.get(match[2], 0)) if match else 0
        if not size:
            return _like("SearchText", clean_string(_escaped(f"{prefix}:{rest}")), negated)
        return f"Size {opposite if negated else sign} ?", (size,)

    return condition


_NEWER = frozenset(("addressed", "larger", "smaller"))

_PREFIXES: dict[str, Callable[[str, bool], Condition | None]] = {
    "to": _column("ToJSON"),
    "from": _column("FromJSON"),
    "cc": _column("CcJSON"),
    "bcc": _column("BccJSON"),
    "reply-to": _column("ReplyToJSON"),
    "message-id": _column("MessageID"),
    "subject": _subject,
    "addressed": _addressed,
    "tag": _tag,
    "after": _dated(">=", "<="),
    "before": _dated("<=", ">="),
    "larger": _sized(">", "<", "larger"),
    "smaller": _sized("<", ">", "smaller"),
}
