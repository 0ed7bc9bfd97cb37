"""Statements on a SQLite file in this process, one at a time: the driver of an ordinary run."""

import asyncio
import sqlite3
from pathlib import Path

from mailrace.embedded.driver import Answer, Statement, StatementFailed

BUSY_MS = 20_000
"""How long a `fixed` transaction waits for another process on the same file."""


class SqliteDriver:
    """Carries statements out in the event loop's own thread.

    `statement` first lets every other task run once: what has arrived meanwhile can queue up for the pooled
    connection, as goroutines do while SQLite works.
    """

    stores_blobs = True

    def __init__(self, path: Path, *, busy_ms: int = 0) -> None:
        self._path = path
        self._busy_ms = busy_ms
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file, in WAL mode, durable enough for a crash of the process only."""
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=self._busy_ms / 1000)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error as error:
            raise StatementFailed(f"[db] {error}") from error
        self._connection = connection

    async def statement(self, statement: Statement) -> Answer:
        """Run it; the text of a failure is that of Mailpit's driver."""
        await asyncio.sleep(0)
        assert self._connection is not None, "the driver is not open"
        wanted = statement.sql.count("?") if statement.args else 0
        if len(statement.args) < wanted:
            # Python would say so in other words, and only after it had read the statement.
            raise StatementFailed(f"missing argument with index {len(statement.args) + 1}")
        try:
            cursor = self._connection.execute(statement.sql, statement.args)
            return Answer(
                rows=tuple(cursor.fetchall()),
                last_insert_id=cursor.lastrowid or 0,
                rows_affected=max(cursor.rowcount, 0),
            )
        except sqlite3.Error as error:
            raise StatementFailed(_as_the_driver_says(error)) from error

    async def close(self) -> None:
        """Close the file; may be called twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _as_the_driver_says(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0)
    if isinstance(error, sqlite3.IntegrityError):
        return f"constraint failed: {error} ({code})"
    return f"{error} ({code})" if code else str(error)
