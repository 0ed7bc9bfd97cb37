"""Two statements in, whether their order can matter out: by the tables they touch, else by trying both.

SQLite's authorizer names the tables that a statement reads and writes while it is prepared. Where the tables
overlap, both orders are run in a savepoint of the real store: the same answers and the same contents mean
that exchanging the two, here, changes nothing.
"""

import sqlite3
from dataclasses import dataclass
from functools import lru_cache

from mailrace.steer.database_proxy.rqlite import Answer, Call, Done
from mailrace.steer.database_proxy.store import connect, rows, run, undone

_WRITES = {
    sqlite3.SQLITE_INSERT,
    sqlite3.SQLITE_DELETE,
    sqlite3.SQLITE_UPDATE,
}

_RULES = ("foreign_keys", "recursive_triggers")
"""Settings of a connection by which a statement changes tables that its text does not name."""
_CONNECTION_S_OWN = {"changes", "total_changes", "last_insert_rowid", "random", "randomblob"}


def is_control(sql: str) -> bool:
    """Whether it begins or ends a transaction."""
    return (
        sql.split(None, 1)[0].upper().rstrip(";") in {"BEGIN", "COMMIT", "ROLLBACK", "END"} if sql else False
    )


@dataclass(frozen=True, slots=True)
class Footprint:
    """The tables a statement reads and writes, in lower case.

    is_open   it changes the schema, or asks for what no table holds: it depends on everything
    """

    reads: frozenset[str]
    writes: frozenset[str]
    is_open: bool = False

    def is_apart_from(self, other: "Footprint") -> bool:
        """Neither writes what the other reads or writes."""
        return not (self.writes & (other.reads | other.writes) or other.writes & self.reads)

    def __or__(self, other: "Footprint") -> "Footprint":
        return Footprint(self.reads | other.reads, self.writes | other.writes, self.is_open or other.is_open)


NOTHING = Footprint(frozenset(), frozenset())
EVERYTHING = Footprint(frozenset(), frozenset(), is_open=True)


class Footprints:
    """Footprints of statement texts over one connection's schema and rules; each text is asked for once."""

    def __init__(self, schema_of: sqlite3.Connection) -> None:
        self._connection = connect()
        schema_of.backup(self._connection)
        for rule in _RULES:
            ((is_on,),) = schema_of.execute(f"PRAGMA {rule}")
            self._connection.execute(f"PRAGMA {rule} = {is_on}")
        self.of = lru_cache(maxsize=4096)(self._of)

    def of_step(self, calls: tuple[Call, ...]) -> Footprint:
        """The union over a step's statements."""
        whole = NOTHING
        for sql, _ in calls:
            whole |= self.of(sql)
        return whole

    def _of(self, sql: str) -> Footprint:
        reads: set[str] = set()
        writes: set[str] = set()
        is_open = False

        def note(action: int, first: str | None, second: str | None, *_: str | None) -> int:
            nonlocal is_open
            is_function = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _CONNECTION_S_OWN
            is_schema = action in _WRITES and first in ("sqlite_master", "sqlite_schema")
            # A pragma and the counters of keys are kept in no table that is named below.
            is_kept_elsewhere = action == sqlite3.SQLITE_PRAGMA or first == "sqlite_sequence"
            is_open = is_open or is_function or is_schema or is_kept_elsewhere
            if first and not first.startswith("sqlite_"):
                if action in _WRITES:
                    writes.add(first.lower())
                elif action == sqlite3.SQLITE_READ:
                    reads.add(first.lower())
            return sqlite3.SQLITE_OK

        self._connection.set_authorizer(note)
        try:
            self._connection.execute("EXPLAIN " + sql, (None,) * sql.count("?"))
        except sqlite3.Error:
            # What begins or ends a transaction touches nothing by itself; of any other nothing is known.
            is_open = not is_control(sql)
        finally:
            self._connection.set_authorizer(None)
        return Footprint(frozenset(reads), frozenset(writes), is_open)


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
