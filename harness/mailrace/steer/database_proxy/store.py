"""Statements in, answers out: the one SQLite database behind the proxy, which can be put back at will."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailrace.steer.database_proxy.rqlite import Answer, Call, Done, Failed, Rows, Value

_MANY = "one statement at a time"


def connect(path: str = ":memory:") -> sqlite3.Connection:
    """A connection in autocommit: what begins and ends transactions is the client's own statements."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)


_RULES = ("foreign_keys", "recursive_triggers")
"""Settings of a connection by which a statement changes tables that its text does not name."""


def copied(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A new connection to a copy of everything, with the same rules."""
    copy = connect()
    connection.backup(copy)
    for rule in _RULES:
        ((is_on,),) = rows(connection, f"PRAGMA {rule}")
        copy.execute(f"PRAGMA {rule} = {is_on!r}")
    return copy


class Store:
    """A database in memory: fast to put back, gone with the process; `save` keeps a copy."""

    def __init__(self) -> None:
        self.connection = connect()

    def run(self, call: Call) -> Answer:
        """Execute one statement; what SQLite refuses is an answer, never an exception."""
        return run(self.connection, call)

    def snapshot(self) -> sqlite3.Connection:
        """A copy of everything, for `restore`; an open transaction is given up, or the copy never ends."""
        self._give_up()
        return copied(self.connection)

    def restore(self, snapshot: sqlite3.Connection) -> None:
        """Put everything back as it was; an open transaction is given up first."""
        self._give_up()
        if _kept_by(self.connection) == _kept_by(snapshot):
            snapshot.backup(self.connection)
            return
        # A rule that was set, and tables of the connection's own, no copy takes back: it takes another one.
        self.connection.close()
        self.connection = copied(snapshot)

    def _give_up(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def save(self, path: Path) -> None:
        """Write a copy to a file that `sqlite3` opens."""
        copy = connect(str(path))
        try:
            self.connection.backup(copy)
        finally:
            copy.close()

    def close(self) -> None:
        """Drop the database."""
        self.connection.close()


def _kept_by(connection: sqlite3.Connection) -> tuple[object, ...]:
    """What a connection keeps beside its database, as far as a statement may set it."""
    rules = (rows(connection, f"PRAGMA {rule}") for rule in _RULES)
    databases = [row[1] for row in rows(connection, "PRAGMA database_list")]
    own = rows(connection, "SELECT name FROM sqlite_temp_master") if "temp" in databases else []
    return (*rules, [name for name in databases if name != "temp"], own)


def run(connection: sqlite3.Connection, call: Call) -> Answer:
    """Execute one statement on `connection` as rqlite would.

    A text with several statements and no arguments (Mailpit's migrations) runs as a script. Too few
    arguments are an error, in the words of rqlite's own driver; too many are dropped, as there.
    """
    sql, arguments = call
    try:
        try:
            cursor = connection.execute(sql, arguments)
        except sqlite3.ProgrammingError as wrong:
            if _MANY in str(wrong) and not arguments:
                connection.executescript(sql)
                return Done(0, 0)
            wanted = wanted_arguments(str(wrong))
            if wanted is None:
                raise
            if wanted > len(arguments):
                return Failed(f"not enough args to execute query: want {wanted} got {len(arguments)}")
            cursor = connection.execute(sql, arguments[:wanted])
        if cursor.description is None:
            return Done(cursor.lastrowid or 0, max(cursor.rowcount, 0))
        return Rows(tuple(d[0] for d in cursor.description), tuple(cursor.fetchall()))
    except sqlite3.Error as wrong:
        return Failed(str(wrong))


def wanted_arguments(text: str) -> int | None:
    """How many arguments a statement wants, from sqlite3's complaint; None: it complains of another thing."""
    words = text.split()
    if "bindings" not in words:
        return None
    numbers = [int(w.strip(",.")) for w in words if w.strip(",.").isdigit()]
    return numbers[0] if len(numbers) == 2 else None


@contextmanager
def undone(connection: sqlite3.Connection) -> Iterator[None]:
    """A savepoint whose work is taken back at the end."""
    connection.execute("SAVEPOINT mailrace")
    try:
        yield
    finally:
        connection.execute("ROLLBACK TO mailrace")
        connection.execute("RELEASE mailrace")


def rows(connection: sqlite3.Connection, sql: str, *arguments: Value) -> list[tuple[Value, ...]]:
    """All rows of a query of our own."""
    return connection.execute(sql, arguments).fetchall()
