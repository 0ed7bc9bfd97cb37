"""Mailpit's search: a query string to SQL conditions, and the messages that meet them.

Of the prefixes those are here that a test suite asks for; dates, sizes and inline parts are taken for text.
"""

import re
from collections.abc import Iterator
from json import dumps

from mailrace.embedded.database import Database
from mailrace.embedded.driver import Row, Value
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
    "has:attachment": ("Attachments > 0", "Attachments = 0"),
    "has:attachments": ("Attachments > 0", "Attachments = 0"),
}
"""A word to what has to hold of a row, and to the opposite."""
_TAGGED_FLAG = (f"m.ID IN (SELECT DISTINCT {_TAGGED})", f"m.ID NOT IN (SELECT DISTINCT {_TAGGED})")
_COLUMNS = {
    "to": "ToJSON",
    "from": "FromJSON",
    "cc": "CcJSON",
    "bcc": "BccJSON",
    "reply-to": "ReplyToJSON",
    "message-id": "MessageID",
    "subject": "Subject",
}
"""A prefix to the column that it searches."""


async def search(
    db: Database, version: Version, query: str, start: int, limit: int
) -> tuple[list[Summary], int]:
    """The page asked for, newest first, and how many messages match in all."""
    rows = await find(db, version, query)
    page = [summary(row) for row in rows[start : start + limit]]
    return await with_tags(db, version, page), len(rows)


async def find(db: Database, version: Version, query: str, read: int | None = None) -> list[Row]:
    """All rows that match, whole; `read` asks for those that are read (1) or unread (0)."""
    extra: list[Condition] = [] if read is None else [(f"{_table(version)}Read = ?", (read,))]
    sql, args = _select(version, query, extra, "")
    return list(await db.query(sql, *args))


async def count_unread(db: Database, version: Version, query: str) -> int:
    """How many of those that match are unread."""
    sql, args = _select(version, query, [(f"{_table(version)}Read = 0", ())], ", COUNT(*)")
    rows = await db.query(sql, *args)
    return int(str(rows[0][-1])) if rows else 0


def _select(version: Version, query: str, extra: list[Condition], column: str) -> tuple[str, list[Value]]:
    conditions = [*conditions_of(query, version), *extra]
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
        if not clean_string(word) or not (version.since(1, 27) or any(c.isalnum() for c in word)):
            continue
        is_negated = len(word) > 1 and word[0] in "-!"
        condition = _condition(word[1:] if is_negated else word, is_negated, version)
        if condition is not None:
            yield condition


def _condition(word: str, is_negated: bool, version: Version) -> Condition | None:
    small = word.lower()
    if small == "is:tagged":
        return _TAGGED_FLAG[is_negated], ()
    if small in _FLAGS:
        return _table(version) + _FLAGS[small][is_negated], ()
    prefix, _, rest = word.partition(":")
    prefix = prefix.lower() if ":" in word else ""
    if prefix == "tag":
        name, inside = clean_string(rest), "NOT IN" if is_negated else "IN"
        return (f"m.ID {inside} (SELECT {_TAGGED} WHERE t.Name = ?)", (name,)) if name else None
    if prefix == "addressed" and version.since(1, 27):
        parts = [_like(version, f"{name}JSON", clean_string(rest), is_negated) for name in _LISTS]
        joined = (" AND " if is_negated else " OR ").join(part[0] for part in parts if part)
        return (f"({joined})", tuple(arg for part in parts if part for arg in part[1])) if joined else None
    if prefix in _COLUMNS:
        text = rest if prefix == "subject" else clean_string(rest)
        return _like(version, _COLUMNS[prefix], text, is_negated)
    return _like(version, "SearchText", clean_string(small), is_negated)


def _like(version: Version, column: str, text: str, is_negated: bool) -> Condition | None:
    if not text:
        return None
    verb = "NOT LIKE" if is_negated else "LIKE"
    if not version.since(1, 33, 1):
        # `_` and `%` are wildcards here (until 1.31.5).
        return f"{column} {verb} ?", (f"%{text.replace('%', '%%')}%",)
    # Addresses lie in the store as JSON, and what JSON escapes in them has to be sought as it lies there.
    as_stored = dumps(text, ensure_ascii=False)[1:-1] if column.endswith("JSON") else text
    escaped = re.sub(r"([\\%_])", r"\\\1", as_stored)
    table = "" if column.endswith("JSON") else "m."
    return f"{table}{column} {verb} ? ESCAPE '\\'", (f"%{escaped}%",)


def _table(version: Version) -> str:
    return "m." if version.since(1, 33, 1) else ""
