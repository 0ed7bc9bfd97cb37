"""Servers that hang where two meet in one way, and are only slow where they meet in another."""

import asyncio
from typing import Any

from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault, kept, some_time, with_a_row

SLOW_S = 0.2


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
