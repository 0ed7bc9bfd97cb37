"""Statements in, rows out: the pooled connection and the door joined, and transactions on them.

`Database` and `Transaction` offer the same three calls, so an operation is written once. On a Database each
statement takes the connection for itself, and others come between; within a Transaction none can.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from mailrace.embedded.door import (
    Answer,
    Door,
    Kind,
    Row,
    Statement,
    StatementFailed,
    Value,
    actor_now,
)
from mailrace.embedded.pool import Pool

NO_ROWS = "sql: no rows in result set"


class Statements(Protocol):
    """What operations are written against."""

    stores_blobs: bool

    async def query(self, sql: str, *args: Value) -> tuple[Row, ...]:
        """The rows, in order."""

    async def execute(self, sql: str, *args: Value) -> Answer:
        """The counts of a statement that changes something."""

    def transaction(self) -> AbstractAsyncContextManager["Statements"]:
        """All statements within are one; rolled back where an exception leaves it."""


async def query_one(db: Statements, sql: str, *args: Value) -> Row:
    """The first row; raises StatementFailed, in Go's words, where there is none."""
    rows = await db.query(sql, *args)
    if not rows:
        raise StatementFailed(NO_ROWS)
    return rows[0]


class Transaction:
    """The connection held from BEGIN to COMMIT or ROLLBACK; one within it is part of it."""

    def __init__(self, pool: Pool, door: Door) -> None:
        self._pool = pool
        self._door = door
        self.stores_blobs = door.stores_blobs

    async def query(self, sql: str, *args: Value) -> tuple[Row, ...]:
        """The rows, in order."""
        return (await self._door.statement(_statement("query", sql, args, True))).rows

    async def execute(self, sql: str, *args: Value) -> Answer:
        """The counts of a statement that changes something."""
        return await self._door.statement(_statement("execute", sql, args, True))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """Itself: what is within is committed with the outer one."""
        yield self

    async def begin(self, sql: str) -> None:
        """Take the connection and start; it is given back only by `end`."""
        await self._pool.acquire()
        try:
            await self._door.statement(_statement("control", sql, (), True))
        except StatementFailed:
            self._pool.release()
            raise

    async def end(self, sql: str) -> None:
        """COMMIT or ROLLBACK, and give the connection back whatever comes of it."""
        try:
            await self._door.statement(_statement("control", sql, (), True))
        finally:
            self._pool.release()


class Database:
    """The store as one instance sees it: its pool of one connection, through a door."""

    def __init__(self, pool: Pool, door: Door) -> None:
        self.pool = pool
        self.door = door
        self.stores_blobs = door.stores_blobs

    async def query(self, sql: str, *args: Value) -> tuple[Row, ...]:
        """The rows, in order; the connection is free again before they are looked at."""
        return (await self._alone(_statement("query", sql, args, False))).rows

    async def execute(self, sql: str, *args: Value) -> Answer:
        """The counts of a statement that changes something."""
        return await self._alone(_statement("execute", sql, args, False))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """BEGIN … COMMIT as Mailpit does it: deferred, and nothing on the wire where the store is remote."""
        async with self._bracketed("BEGIN") as transaction:
            yield transaction

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[Statements]:
        """A transaction that is real everywhere: it keeps other processes and instances out as well."""
        async with self._bracketed("BEGIN IMMEDIATE") as transaction:
            yield transaction

    async def begin(self) -> Transaction:
        """A transaction that the caller has to end, or forgets to, as issue 723's does."""
        transaction = Transaction(self.pool, self.door)
        await transaction.begin("BEGIN")
        return transaction

    async def ping(self) -> None:
        """Wait for the connection, and give it back."""
        await self.pool.acquire()
        self.pool.release()

    @asynccontextmanager
    async def _bracketed(self, sql: str) -> AsyncIterator[Transaction]:
        transaction = Transaction(self.pool, self.door)
        await transaction.begin(sql)
        try:
            yield transaction
        except BaseException:
            await transaction.end("ROLLBACK")
            raise
        await transaction.end("COMMIT")

    async def _alone(self, statement: Statement) -> Answer:
        await self.pool.acquire()
        try:
            return await self.door.statement(statement)
        finally:
            self.pool.release()


def _statement(kind: Kind, sql: str, args: tuple[Value, ...], in_transaction: bool) -> Statement:
    return Statement(sql=sql, args=args, kind=kind, in_transaction=in_transaction, actor=actor_now())
