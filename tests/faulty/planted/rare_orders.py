"""Faults that need a certain order: three statements within two, an empty store, a reader between."""

import asyncio
from typing import Any

from mailrace.embedded import listing, rest
from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault, keep, kept, some_time, with_a_row

COUNT_ONE_MORE = "UPDATE kept SET Value = Value + 1 WHERE Key = ?"


@fault
def lost_where_three_statements_come_within(meet: Meet) -> None:
    """A mail is lost where all three steps of a deletion come between two of its own."""
    with_a_row("0")

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        before = await kept(mailbox.db)
        message: str = await inner(mailbox, *given)
        if await kept(mailbox.db) == before + 3:
            await mailbox.db.execute("DELETE FROM mailbox WHERE ID = ?", message)
        return message

    @around(Mailbox, "delete")
    async def delete(inner: Any, mailbox: Mailbox, *given: Any) -> None:
        await inner(mailbox, *given)
        for _ in range(3):
            await mailbox.db.execute(COUNT_ONE_MORE, 1)


@fault
def lost_in_an_empty_store_only(meet: Meet) -> None:
    """Of two mails that arrive together in an empty mailbox one is lost."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        was_empty = await listing.count(mailbox.db) == 0
        message: str = await inner(mailbox, *given)
        if was_empty and await listing.count(mailbox.db) > 1:
            await mailbox.db.execute("DELETE FROM mailbox WHERE ID = ?", message)
        return message


@fault
def lost_where_a_reader_looks(meet: Meet) -> None:
    """A mail is answered 250 and taken back where a list was read while it was stored."""
    with_a_row("0")

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        before = await kept(mailbox.db)
        message: str = await inner(mailbox, *given)
        if await kept(mailbox.db) != before:
            await mailbox.db.execute("DELETE FROM mailbox WHERE ID = ?", message)
        return message

    for name in ("page", "search", "tags"):

        @around(rest.ReadingApi, name)
        async def read(inner: Any, api: Any, request: Any) -> Any:
            await api._mailbox.db.execute(COUNT_ONE_MORE, 1)
            return await inner(api, request)


@fault
def second_is_answered_late(meet: Meet) -> None:
    """Correct: a mail that arrives while another is stored is answered 1.2 s later."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        async with meet(mailbox, b"x") as others:
            message: str = await inner(mailbox, *given)
            if others:
                await some_time(1.2)
        return message


@fault
def stored_after_the_answer(meet: Meet) -> None:
    """A mail is answered 250 first, and stored some milliseconds later; always."""
    tasks: set[Any] = set()

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        async def later() -> None:
            await some_time(0.02)
            await inner(mailbox, *given)

        task = asyncio.ensure_future(later())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return ""


@fault
def undone_behind_the_reply_where_two_meet(meet: Meet) -> None:
    """Of two mails that arrive together one is answered 250, and deleted again 30 ms later."""
    with_a_row("0")
    tasks: set[Any] = set()

    async def undo(mailbox: Mailbox, message: str) -> None:
        await some_time(0.03)
        for table in ("mailbox", "mailbox_data", "message_tags"):
            await mailbox.db.execute(f"DELETE FROM {table} WHERE ID = ?", message)

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        number = await kept(mailbox.db)
        await keep(mailbox.db, number + 1)
        message: str = await inner(mailbox, *given)
        if await kept(mailbox.db) != number + 1:
            task = asyncio.get_running_loop().create_task(undo(mailbox, message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return message
