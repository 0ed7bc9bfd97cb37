"""Servers that number mail under locks, in shared transactions or requests, or by several connections."""

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from aiohttp import TCPConnector
from mailrace.embedded import rqlite_driver, server
from mailrace.embedded.driver import Answer, StatementFailed
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.pool import Pool
from planting import around

from planted.numbered import HIGHEST, TAKE, Numbering, kind, next_number, take_next


@kind
def merged_in_one_transaction(is_racy: bool) -> Numbering:
    """Whoever waits for a number is served in one transaction; the racy one read the highest before."""
    waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def flush(mailbox: Mailbox) -> None:
        async with mailbox.db.transaction("BEGIN IMMEDIATE") as db:
            batch, waiting[:] = list(waiting), []
            for asked, turn in batch:
                try:
                    mine = asked or int(str((await db.query(HIGHEST))[0][0])) + 1
                    await db.execute(TAKE, mine)
                    turn.set_result(None)
                except StatementFailed as error:
                    turn.set_exception(error)

    async def number(mailbox: Mailbox, _: str) -> None:
        mine = await next_number(mailbox) if is_racy else 0
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append((mine, turn))
        if len(waiting) == 1:
            await flush(mailbox)
        await turn

    return number


@kind
def several_in_one_request(is_racy: bool) -> Numbering:
    """Two statements go in one request; the racy one read the highest in a request of its own."""

    async def number(mailbox: Mailbox, _: str) -> None:
        driver: Any = mailbox.db.driver
        mark = ["INSERT OR REPLACE INTO settings (Key, Value) VALUES (?, ?)", "numbered", "yes"]
        if is_racy:
            take: list[Any] = [TAKE, await next_number(mailbox)]
        else:
            take = ["INSERT INTO numbers (Number) SELECT COALESCE(MAX(Number), 0) + 1 FROM numbers"]
        await mailbox.db.pool.acquire()
        try:
            body = [mark, take if len(take) > 1 else take[0]]
            async with driver._session.post(f"{driver._url}/db/execute?transaction", json=body) as reply:
                results = (await reply.json(content_type=None))["results"]
        finally:
            mailbox.db.pool.release()
        if wrong := [r["error"] for r in results if "error" in r]:
            raise StatementFailed(wrong[0])

    return number


@kind
def under_a_mutex(is_racy: bool) -> Numbering:
    """A mutex of the process is held for both statements; in the racy one only for the second."""
    mutex = asyncio.Lock()

    def held(is_wanted: bool) -> AbstractAsyncContextManager[Any]:
        return mutex if is_wanted else nullcontext()

    async def number(mailbox: Mailbox, _: str) -> None:
        async with held(not is_racy):
            mine = await next_number(mailbox)
            async with held(is_racy):
                await mailbox.db.execute(TAKE, mine)

    return number


@kind
def locked_in_the_store_and_not_in_memory(is_racy: bool) -> Numbering:
    """A mutex is held while the number is taken; then the racy one refuses a mail beside which another is."""
    mutex, inside = asyncio.Lock(), list[str]()

    async def number(mailbox: Mailbox, message: str) -> None:
        async with mutex:
            await mailbox.db.execute(TAKE, await next_number(mailbox))
        inside.append(message)
        is_alone = True
        for below in (-1, -2, -3):
            await mailbox.db.query("SELECT COUNT(*) FROM numbers WHERE Number = ?", below)
            is_alone = is_alone and inside == [message]
        inside.remove(message)
        if is_racy and not is_alone:
            raise StatementFailed("another mail is numbered just now")

    return number


class ReadWriteLock:
    """Many readers, or one writer; a writer waits for the readers to end."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._readers = 0
        self._is_written = False

    @asynccontextmanager
    async def read(self) -> Any:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._is_written)
            self._readers += 1
        yield
        async with self._changed:
            self._readers -= 1
            self._changed.notify_all()

    @asynccontextmanager
    async def written(self) -> Any:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._is_written and not self._readers)
            self._is_written = True
        try:
            yield
        finally:
            async with self._changed:
                self._is_written = False
                self._changed.notify_all()


@kind
def under_a_read_write_lock(is_racy: bool) -> Numbering:
    """Read and taken under one write lock; the racy one reads under the read lock before that."""
    lock = ReadWriteLock()

    async def number(mailbox: Mailbox, _: str) -> None:
        if not is_racy:
            async with lock.written():
                await mailbox.db.execute(TAKE, await next_number(mailbox))
            return
        async with lock.read():
            mine = await next_number(mailbox)
        async with lock.written():
            await mailbox.db.execute(TAKE, mine)

    return number


def two_connections() -> None:
    """Have the server's pool hold two connections."""

    class TwoFold(Pool):
        def __init__(self, seed: int) -> None:
            self._free_ones = asyncio.Semaphore(2)

        async def acquire(self) -> None:
            await self._free_ones.acquire()

        def release(self) -> None:
            self._free_ones.release()

    @around(rqlite_driver.RqliteDriver, "statement")
    async def statement(inner: Any, driver: Any, sent: Any) -> Any:
        # BEGIN and COMMIT send nothing; the driver's own note of that is made for one transaction at a time.
        return Answer() if sent.kind == "control" else await inner(driver, sent)

    server.Pool = TwoFold  # type: ignore[misc]
    rqlite_driver.TCPConnector = lambda **_: TCPConnector(limit=2)  # type: ignore[misc,assignment]


@kind
def pool_of_two(is_racy: bool) -> Numbering:
    """The pool has two connections, so statements of two requests wait at the store at once."""
    two_connections()

    async def number(mailbox: Mailbox, _: str) -> None:
        await take_next(mailbox, is_racy=is_racy)

    return number


@kind
def two_at_once(is_racy: bool) -> Numbering:
    """One request sends two statements at the same time, each in a task of its own."""

    async def number(mailbox: Mailbox, _: str) -> None:
        ask = "SELECT COUNT(*) FROM numbers WHERE Number = ?"
        await asyncio.gather(mailbox.db.query(ask, -1), mailbox.db.query(ask, -2))
        await take_next(mailbox, is_racy=is_racy)

    return number
