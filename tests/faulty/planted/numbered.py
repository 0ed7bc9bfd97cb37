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
from typing import Any

from mailrace.embedded import server
from mailrace.embedded.driver import StatementFailed
from mailrace.embedded.mailbox import Mailbox, Refused
from planting import FAULTS, around

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


def kind(make: Kind) -> Kind:
    """Register both forms of a kind; `make` is given whether the racy one is wanted."""
    assert make.__doc__
    name = make.__name__
    KINDS[name] = make
    FAULTS[name] = lambda _meet: number_each_mail(make(True))
    FAULTS[f"{name}_benign"] = lambda _meet: number_each_mail(make(False))
    return make


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
def asks_the_connection(is_racy: bool) -> Numbering:
    """How much the last write changed is asked for, which was another's where that came between."""

    async def number(mailbox: Mailbox, _: str) -> None:
        await mailbox.db.query("SELECT changes()")
        await take_next(mailbox, is_racy=is_racy)

    return number
