"""Two statements in, whether their order can matter out: by the tables they touch, else by trying both.

SQLite's authorizer names the tables that a statement reads and writes while it is prepared. Where the tables
overlap, both orders are run in a savepoint of the real store: the same answers and the same contents mean
that exchanging the two, here, changes nothing. What touches anything but tables of its own text, such as a
virtual table or a setting, depends on everything.
"""

import re
import sqlite3
from dataclasses import dataclass
from functools import lru_cache

from mailrace.steer.database_proxy.rqlite import Answer, Call, Done
from mailrace.steer.database_proxy.store import copied, rows, run, undone

_WRITES = {
    sqlite3.SQLITE_INSERT,
    sqlite3.SQLITE_DELETE,
    sqlite3.SQLITE_UPDATE,
}
_OF_TABLES = {
    *_WRITES,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
"""What a statement does that is about rows of tables only."""
_LAST_WRITE_S = {"changes", "total_changes", "last_insert_rowid"}
_DRAWN = {"random", "randomblob"}
_TEMPORARY = {"sqlite_temp_master", "sqlite_temp_schema"}
_SCHEMAS = {"sqlite_master", "sqlite_schema"} | _TEMPORARY
_CONTROL = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:(BEGIN|COMMIT|END)\b|(ROLLBACK)\b(?!\s+(?:TRANSACTION\s+)?TO\b))",
    re.IGNORECASE | re.DOTALL,
)


def is_control(sql: str) -> bool:
    """Whether it begins or ends a transaction."""
    return _CONTROL.match(sql) is not None


def is_rollback(sql: str) -> bool:
    """Whether it takes a whole transaction back."""
    found = _CONTROL.match(sql)
    return found is not None and found[2] is not None


@dataclass(frozen=True, slots=True)
class Footprint:
    """The tables a statement reads and writes, in lower case.

    is_open   it changes the schema, or asks for what no table holds: it depends on everything
    is_of_connection   it sets what only the connection keeps, or asks for what that keeps of its last write,
              or for the numbers of rows without a key: for such a one the order of any two writes before
              it may matter, also of two that leave the same in either order
    """

    reads: frozenset[str]
    writes: frozenset[str]
    is_open: bool = False
    is_of_connection: bool = False

    def is_apart_from(self, other: "Footprint") -> bool:
        """Neither writes what the other reads or writes."""
        return not (self.writes & (other.reads | other.writes) or other.writes & self.reads)

    def __or__(self, other: "Footprint") -> "Footprint":
        return Footprint(
            self.reads | other.reads,
            self.writes | other.writes,
            self.is_open or other.is_open,
            self.is_of_connection or other.is_of_connection,
        )


NOTHING = Footprint(frozenset(), frozenset())
EVERYTHING = Footprint(frozenset(), frozenset(), is_open=True)


class Footprints:
    """Footprints of statement texts over one connection's schema and rules; each text is asked for once."""

    def __init__(self, schema_of: sqlite3.Connection) -> None:
        self._connection = copied(schema_of)
        # A virtual table keeps its rows in tables of its own, or shows those of another one.
        self._virtual = {
            str(name).lower()
            for _, name, kind, *_ in rows(self._connection, "PRAGMA table_list")
            if kind in ("virtual", "shadow")
        }
        self.of = lru_cache(maxsize=4096)(self._of)

    def of_step(self, calls: tuple[Call, ...]) -> Footprint:
        """The union over a step's statements; what begins and ends a transaction of several adds nothing."""
        whole = NOTHING
        for sql, _ in calls:
            if len(calls) == 1 or not is_control(sql):
                whole |= self.of(sql)
        return whole

    def _of(self, sql: str) -> Footprint:
        reads: set[str] = set()
        writes: set[str] = set()
        is_open = is_of_connection = False

        def note(action: int, first: str | None, second: str | None, *_: str | None) -> int:
            nonlocal is_open, is_of_connection
            table, function = (first or "").lower(), (second or "").lower()
            if action == sqlite3.SQLITE_FUNCTION:
                is_open = is_open or function in _DRAWN
                is_of_connection = is_of_connection or function in _LAST_WRITE_S
                return sqlite3.SQLITE_OK
            is_open = is_open or action not in _OF_TABLES or (action in _WRITES and table in _SCHEMAS)
            # The counters of keys are kept in no table that is named below.
            is_open = is_open or table in self._virtual or table == "sqlite_sequence"
            is_of_connection = is_of_connection or action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
            is_of_connection = is_of_connection or (action == sqlite3.SQLITE_PRAGMA and second is not None)
            is_of_connection = is_of_connection or (action in _WRITES and table in _TEMPORARY)
            is_number = second == "ROWID" and table not in self._virtual and not table.startswith("sqlite_")
            is_of_connection = is_of_connection or (action == sqlite3.SQLITE_READ and is_number)
            if table and not table.startswith("sqlite_"):
                if action in _WRITES:
                    writes.add(table)
                elif action == sqlite3.SQLITE_READ:
                    reads.add(table)
            return sqlite3.SQLITE_OK

        self._connection.set_authorizer(note)
        try:
            self._connection.execute("EXPLAIN " + sql, (None,) * sql.count("?"))
        except sqlite3.Error:
            is_open = True  # nothing is known of it
        finally:
            self._connection.set_authorizer(None)
        is_open = is_open or is_of_connection
        return Footprint(frozenset(reads), frozenset(writes), is_open, is_of_connection)


def commute(
    connection: sqlite3.Connection, footprints: Footprints, one: tuple[Call, ...], other: tuple[Call, ...]
) -> bool:
    """Whether two steps, each about to run on `connection`, can be exchanged there."""
    mine, its = footprints.of_step(one), footprints.of_step(other)
    if mine.is_open or its.is_open:
        return False
    if mine.is_apart_from(its):
        return True
    if connection.in_transaction:
        return False
    tables = sorted(mine.writes | its.writes)
    return _tried(connection, one, other, tables) == _tried(connection, other, one, tables, is_turned=True)


def _tried(
    connection: sqlite3.Connection,
    first: tuple[Call, ...],
    second: tuple[Call, ...],
    tables: list[str],
    *,
    is_turned: bool = False,
) -> tuple[object, ...]:
    """Answers of both steps and the contents of `tables` afterwards; everything is taken back."""
    with undone(connection):
        told = [tuple(_heard(run(connection, c)) for c in step) for step in (first, second)]
        if is_turned:
            told.reverse()
        contents = tuple(tuple(sorted(map(repr, rows(connection, f'SELECT * FROM "{t}"')))) for t in tables)
    return (*told, contents)


def _heard(answer: Answer) -> Answer | int:
    """What a client can tell of an answer: no version of Mailpit asks for the last inserted rowid."""
    return answer.rows_affected if isinstance(answer, Done) else answer
