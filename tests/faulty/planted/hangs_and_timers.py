"""Servers that hang where two meet in one way, and are only slow where they meet in another."""

import asyncio
from typing import Any

from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault, kept, some_time, with_a_row

SLOW_S = 0.2
LONG_S = 0.8


@fault
def hangs_beside_a_deletion_and_is_slow_beside_an_edit(meet: Meet) -> None:
    """A mail is never answered beside a deletion of another, and 0.2 s late beside an edit of tags."""
    with_a_row("0")

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        before = await kept(mailbox.db)
        message: str = await inner(mailbox, *given)
        number = await kept(mailbox.db) - before
        if number % 10:
            await asyncio.Event().wait()
        if number:
            await some_time(SLOW_S)
        return message

    for name, worth in (("delete", 1), ("set_tags", 10)):

        @around(Mailbox, name)
        async def edit(inner: Any, mailbox: Mailbox, *given: Any, worth: int = worth) -> None:
            await inner(mailbox, *given)
            await mailbox.db.execute(f"UPDATE kept SET Value = Value + {worth} WHERE Key = ?", 1)


@fault
def hangs_where_one_server_never_comes_and_is_slow_elsewhere(meet: Meet) -> None:
    """A mail beside a deletion hangs in an order that one server's lock rules out, and is late in others."""
    with_a_row("0")
    lock = asyncio.Lock()

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        before = await kept(mailbox.db)
        async with lock:
            between = await kept(mailbox.db)
            message: str = await inner(mailbox, *given)
            after = await kept(mailbox.db)
        # The last statement and what it is told are the same in both cases.
        await mailbox.db.query("SELECT Value FROM settings WHERE Key = ?", "DeletedSize")
        if after != between:
            await asyncio.Event().wait()
        if between != before:
            await some_time(LONG_S)
        return message

    @around(Mailbox, "delete")
    async def delete(inner: Any, mailbox: Mailbox, *given: Any) -> None:
        await inner(mailbox, *given)
        async with lock:
            await mailbox.db.execute("UPDATE kept SET Value = Value + 1 WHERE Key = ?", 1)
