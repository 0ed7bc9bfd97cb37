"""Takes statements; gives rows: joins the pooled connection and the driver, with transactions on them.

An operation is written once, against a Database. Outside of a transaction each statement takes the connection
and gives it back, so others can come between; within one the connection is held, and none can.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mailrace.embedded.driver import Answer, Driver, Kind, Row, Statement, StatementFailed, Value, actor_now
from mailrace.embedded.pool import Pool

NO_ROWS = "sql: no rows in result set"


class Database:
    """The store as one instance sees it, through its pool of one connection.

    holds_connection   the connection is this one's already: all statements are in one transaction
    """

    def __init__(self, pool: Pool, driver: Driver, *, holds_connection: bool = False) -> None:
        self.pool = pool
        self.driver = driver
        self._holds_connection = holds_connection

    async def query(self, sql: str, *args: Value) -> tuple[Row, ...]:
        """The rows, in order; the connection is free again before they are looked at."""
        return (await self._send("query", sql, args)).rows

    async def query_one(self, sql: str, *args: Value) -> Row:
        """The first row; raises StatementFailed, in Go's words, where there is none."""
        rows = await self.query(sql, *args)
        if not rows:
            raise StatementFailed(NO_ROWS)
        return rows[0]

    async def execute(self, sql: str, *args: Value) -> Answer:
        """The counts of a statement that changes something."""
        return await self._send("execute", sql, args)

    @asynccontextmanager
    async def transaction(
        self, begin: str = "BEGIN", *, forgets_to_roll_back: bool = False
    ) -> AsyncIterator["Database"]:
        """All statements of the block as one; within a transaction it is part of that one.

        begin                  "BEGIN" is Mailpit's, of which a remote store sees nothing
        forgets_to_roll_back   where the block fails, the connection never comes back (issue 723)
        """
        if self._holds_connection:
            yield self
            return
        await self.pool.acquire()
        # The connection is ours. Whatever happens from here on, it goes back to the pool, unless the bug is
        # to be shown in which it does not.
        held = Database(self.pool, self.driver, holds_connection=True)
        is_whole, comes_back = False, True
        try:
            await held._send("control", begin, ())
            try:
                yield held
                is_whole = True
            finally:
                comes_back = is_whole or not forgets_to_roll_back
                if comes_back:
                    await held._send("control", "COMMIT" if is_whole else "ROLLBACK", ())
        finally:
            if comes_back:
                self.pool.release()

    async def ping(self) -> None:
        """Wait for the connection, and give it back."""
        await self.pool.acquire()
        self.pool.release()

    async def _send(self, kind: Kind, sql: str, args: tuple[Value, ...]) -> Answer:
        statement = Statement(sql=sql, args=args, kind=kind, actor=actor_now())
        if self._holds_connection:
            return await self.driver.statement(statement)
        await self.pool.acquire()
        try:
            return await self.driver.statement(statement)
        finally:
            self.pool.release()
