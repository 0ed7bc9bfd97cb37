"""Takes a statement's text; gives what it is called and what it does, in a few words."""

import re
from functools import lru_cache

_TABLES = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN)\s+[\"`]?(\w+)", re.IGNORECASE)
_VERBS = {"SELECT": "read", "INSERT": "wrote", "REPLACE": "wrote", "DELETE": "removed", "UPDATE": "changed"}


@lru_cache(maxsize=1024)
def tables_of(sql: str) -> tuple[str, ...]:
    """The tables that it names, in lower case, the first first."""
    return tuple(dict.fromkeys(name.lower() for name in _TABLES.findall(sql)))


@lru_cache(maxsize=1024)
def shape_of(sql: str) -> str:
    """What the statement does to what, for a name: `select-tags`, `insert-or-ignore-tags`.

    Columns and conditions are not in it, so that another release's rewording keeps the name.
    """
    words = sql.split()
    verb = words[0].lower() if words else "nothing"
    if verb == "begin":
        return "transaction"
    if words[1:3] and words[1].upper() == "OR":
        verb = f"{verb}-or-{words[2].lower()}"
    return "-".join([verb, *tables_of(sql)[:1]])


def told(sql: str, result: str) -> str:
    """What a statement did, as its sender was told: `read tags: 1, news`, `removed 1 row of tags`."""
    verb = _VERBS.get(sql.split(None, 1)[0].upper() if sql else "", "ran")
    tables = " and ".join(tables_of(sql)) or "the store"
    if result.startswith("error"):
        return f"was refused on {tables} ({result})"
    if verb == "read":
        return f"read {tables}: {result}"
    if verb == "wrote" and result == "0 rows":
        return f"left {tables} as it was: its row was there"
    if verb == "ran":
        return f"ran {sql.split(None, 1)[0] if sql else 'nothing'}: {result}"
    return f"{verb} {result} of {tables}"
