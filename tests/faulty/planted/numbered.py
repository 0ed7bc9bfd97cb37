"""Servers that number each mail once it is stored, each in another way: a racy one, and one that is correct.

The racy form reads the highest number and inserts the next one, which another may have taken meanwhile: the
mail is then answered 451 and is stored all the same. What differs is how the statements come about, for that
is what whoever attributes and orders statements has to cope with.
"""

import asyncio
import os
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from aiohttp import TCPConnector
from mailrace.embedded import rqlite_door, server
from mailrace.embedded.door import Answer, StatementFailed
from mailrace.embedded.mailbox import Mailbox, Refused
from mailrace.embedded.pool import Pool
from planting import FAULTS, Meet, around, fault

HIGHEST = "SELECT COALESCE(MAX(Number), 0) FROM numbers"
TAKE = "INSERT INTO numbers (Number) VALUES (?)"
TAKE_IF_FREE = "INSERT OR IGNORE INTO numbers (Number) VALUES (?)"
AGAIN = (
    "INSERT INTO mailbox SELECT Created, ID || '2', MessageID, Subject, Metadata, Size, Inline, Attachments, "
    "Read, SearchText, Snippet FROM mailbox WHERE ID = ?"
)

Numbering = Callable[[Mailbox, str], Awaitable[None]]
Kind = Callable[[bool], Numbering]

KINDS: dict[str, Kind] = {}
"""Of servers, by name; `NAME` is the racy one, `NAME_benign` the correct one."""

TOLD = "MAILRACE_NUMBERED"
"""The environment's variable that names a file: in it stands how `numbered_as_told` numbers the next mail."""


def kind(make: Kind) -> Kind:
    """Register both forms of a kind; `make` is given whether the racy one is wanted."""
    assert make.__doc__
    name = make.__name__
    KINDS[name] = make
    FAULTS[name] = lambda _meet: number_each_mail(make(True))
    FAULTS[f"{name}_benign"] = lambda _meet: number_each_mail(make(False))
    return make


@fault
def numbered_as_told(meet: Meet) -> None:
    """As the kind that a file names, or as what it is mixed of (`mixed`); read anew for each mail."""
    known: dict[str, Numbering] = {}

    async def number(mailbox: Mailbox, message: str) -> None:
        told = Path(os.environ[TOLD]).read_text(encoding="utf-8")
        if told not in known:
            name = told.removesuffix("_benign")
            known[told] = KINDS[name](name == told) if name in KINDS else mixed(told)
        await known[told](mailbox, message)

    number_each_mail(number)


def number_each_mail(number: Numbering) -> None:
    """After a mail is stored it gets a number; where that fails it is answered 451, and stays stored."""

    @around(server, "apply_schema")
    async def apply_schema(inner: Any, db: Any) -> None:
        await inner(db)
        await db.execute("CREATE TABLE IF NOT EXISTS numbers (Number INTEGER UNIQUE)")

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        message: str = await inner(mailbox, *rest)
        try:
            await number(mailbox, message)
        except StatementFailed as error:
            raise Refused(str(error)) from error
        return message


async def next_number(mailbox: Mailbox) -> int:
    return int(str((await mailbox.db.query(HIGHEST))[0][0])) + 1


async def take_next(mailbox: Mailbox, *, is_racy: bool) -> None:
    await mailbox.db.execute(TAKE if is_racy else TAKE_IF_FREE, await next_number(mailbox))


@kind
def same_text(is_racy: bool) -> Numbering:
    """Both senders send the very same texts, with no name in them."""

    async def number(mailbox: Mailbox, _: str) -> None:
        await take_next(mailbox, is_racy=is_racy)

    return number


@kind
def counts_as_broadcasts_do(is_racy: bool) -> Numbering:
    """The number is the count of all mail, asked for in the very text of the broadcast of the statistics."""

    async def number(mailbox: Mailbox, _: str) -> None:
        found = await mailbox.db.query("SELECT COUNT(*) FROM mailbox")
        await mailbox.db.execute(TAKE if is_racy else TAKE_IF_FREE, int(str(found[0][0])))

    return number


@kind
def asks_settings_first(is_racy: bool) -> Numbering:
    """The last number is a setting, which is asked for in the text of a look at the server's own."""

    async def number(mailbox: Mailbox, _: str) -> None:
        ask = "SELECT Value FROM settings WHERE Key = ? LIMIT ?"
        found = await mailbox.db.query(ask, "Last", 1)
        mine = int(str(found[0][0])) + 1 if found else 1
        await mailbox.db.execute(TAKE if is_racy else TAKE_IF_FREE, mine)
        await mailbox.db.execute("INSERT OR REPLACE INTO settings (Key, Value) VALUES (?, ?)", "Last", mine)

    return number


@kind
def repeats_under_load(is_racy: bool) -> Numbering:
    """A number that was taken meanwhile is asked for again; the racy one stores the mail again, too."""

    async def number(mailbox: Mailbox, message: str) -> None:
        while not (await mailbox.db.execute(TAKE_IF_FREE, await next_number(mailbox))).rows_affected:
            if is_racy:
                await mailbox.db.execute(AGAIN, message)

    return number


@kind
def sequence_in_memory(is_racy: bool) -> Numbering:
    """The number comes from a counter of the process, which the racy one reads before it asks the store."""
    last = [os.getpid() * 1000]

    async def number(mailbox: Mailbox, _: str) -> None:
        if is_racy:
            mine = last[0] + 1
            await mailbox.db.query("SELECT COUNT(*) FROM numbers WHERE Number = ?", mine)
            last[0] = mine
        else:
            last[0] += 1
            mine = last[0]
            await mailbox.db.query("SELECT COUNT(*) FROM numbers WHERE Number = ?", mine)
        await mailbox.db.execute(TAKE, mine)

    return number


@kind
def every_third_does_more(is_racy: bool) -> Numbering:
    """Each third mail of a process asks for one thing more."""
    seen = [0]

    async def number(mailbox: Mailbox, _: str) -> None:
        seen[0] += 1
        if seen[0] % 3 == 0:
            await mailbox.db.query("SELECT COUNT(*) FROM numbers WHERE Number < ?", 0)
        await take_next(mailbox, is_racy=is_racy)

    return number


@kind
def first_fills_a_cache(is_racy: bool) -> Numbering:
    """The first mail of a process asks for a setting, which later ones have in memory."""
    cache: list[Any] = []

    async def number(mailbox: Mailbox, _: str) -> None:
        if not cache:
            cache.append(await mailbox.db.query("SELECT COUNT(*) FROM numbers WHERE Number < ?", 0))
        await take_next(mailbox, is_racy=is_racy)

    return number


@kind
def behind_the_reply(is_racy: bool) -> Numbering:
    """The number is taken by a task behind the reply; where that fails, the mail is deleted again."""
    tasks: set[asyncio.Task[None]] = set()

    async def later(mailbox: Mailbox, message: str) -> None:
        try:
            await take_next(mailbox, is_racy=is_racy)
        except StatementFailed:
            await mailbox.db.execute("DELETE FROM mailbox WHERE ID = ?", message)

    async def number(mailbox: Mailbox, message: str) -> None:
        task = asyncio.ensure_future(later(mailbox, message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return number


@kind
def in_any_order(is_racy: bool) -> Numbering:
    """Two settings are looked at in an order that is drawn anew each time, as a map is walked in Go."""

    async def number(mailbox: Mailbox, _: str) -> None:
        for low in random.sample([-1, -2], 2):
            await mailbox.db.query("SELECT COUNT(*) FROM numbers WHERE Number = ?", low)
        await take_next(mailbox, is_racy=is_racy)

    return number


@kind
def drawn_in_the_text(is_racy: bool) -> Numbering:
    """Each statement's text ends in a comment with an identifier that is drawn anew."""

    async def number(mailbox: Mailbox, _: str) -> None:
        found = await mailbox.db.query(f"{HIGHEST} /* trace={secrets.token_hex(8)} */")
        text = f"{TAKE if is_racy else TAKE_IF_FREE} /* trace={secrets.token_hex(8)} */"
        await mailbox.db.execute(text, int(str(found[0][0])) + 1)

    return number


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
        door: Any = mailbox.db.door
        mark = ["INSERT OR REPLACE INTO settings (Key, Value) VALUES (?, ?)", "numbered", "yes"]
        if is_racy:
            take: list[Any] = [TAKE, await next_number(mailbox)]
        else:
            take = ["INSERT INTO numbers (Number) SELECT COALESCE(MAX(Number), 0) + 1 FROM numbers"]
        await mailbox.db.pool.acquire()
        try:
            body = [mark, take if len(take) > 1 else take[0]]
            async with door._session.post(f"{door._url}/db/execute?transaction", json=body) as reply:
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


@kind
def pool_of_two(is_racy: bool) -> Numbering:
    """The pool has two connections, so statements of two requests wait at the store at once."""

    class TwoFold(Pool):
        def __init__(self, seed: int) -> None:
            self._free_ones = asyncio.Semaphore(2)

        async def acquire(self) -> None:
            await self._free_ones.acquire()

        def release(self) -> None:
            self._free_ones.release()

    @around(rqlite_door.RqliteDoor, "statement")
    async def statement(inner: Any, door: Any, sent: Any) -> Any:
        # BEGIN and COMMIT send nothing; the door's own note of that is made for one transaction at a time.
        return Answer() if sent.kind == "control" else await inner(door, sent)

    server.Pool = TwoFold  # type: ignore[misc]
    rqlite_door.TCPConnector = lambda **_: TCPConnector(limit=2)  # type: ignore[misc,assignment]

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


def mixed(told: str) -> Numbering:
    """What the words of `told` say, in any order, is put together: for servers that nobody thought of.

    asks | counts | traced     before: asks for something; for what broadcasts ask for; with a drawn comment
    fills                      and only the first mail of a process does that
    locked | half              a mutex is held for both statements; only for the second
    atomic | ignoring          the number is taken in one statement; or only if it is free
    again                      what failed is tried until it works
    behind                     all that is done behind the reply
    """
    words = set(told.split())
    mutex = asyncio.Lock()
    filled: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def before(mailbox: Mailbox) -> None:
        if "fills" in words and filled:
            return
        filled.append("once")
        if "asks" in words:
            await mailbox.db.query("SELECT COUNT(*) FROM numbers WHERE Number < ?", 0)
        if "counts" in words:
            await mailbox.db.query("SELECT COUNT(*) FROM mailbox")
        if "traced" in words:
            await mailbox.db.query(f"SELECT COUNT(*) FROM numbers /* {secrets.token_hex(8)} */")

    async def take(mailbox: Mailbox) -> None:
        if "atomic" in words:
            await mailbox.db.execute(f"INSERT INTO numbers (Number) {HIGHEST.replace('0)', '0) + 1')}")
            return
        async with mutex if "locked" in words else nullcontext():
            mine = await next_number(mailbox)
            async with mutex if "half" in words and "locked" not in words else nullcontext():
                await mailbox.db.execute(TAKE_IF_FREE if "ignoring" in words else TAKE, mine)

    async def all_of_it(mailbox: Mailbox) -> None:
        await before(mailbox)
        while True:
            try:
                return await take(mailbox)
            except StatementFailed:
                if "again" not in words:
                    raise

    async def behind(mailbox: Mailbox, message: str) -> None:
        try:
            await all_of_it(mailbox)
        except StatementFailed:
            await mailbox.db.execute("DELETE FROM mailbox WHERE ID = ?", message)

    async def number(mailbox: Mailbox, message: str) -> None:
        if "behind" not in words:
            await all_of_it(mailbox)
            return
        task = asyncio.ensure_future(behind(mailbox, message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return number
