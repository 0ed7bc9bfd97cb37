"""Faults that lose mail, new or old."""

import time
from typing import Any

from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.storing import new_id
from planting import Meet, around, fault

EDITS = ("set_tags", "rename_tag", "delete_tag", "delete", "delete_search", "mark", "mark_found", "mark_all")
"""Operations of a mailbox that change something and store nothing, but for the deletion of everything."""

WORKS_ON_S = 0.010

OLDEST = "SELECT ID FROM mailbox ORDER BY Created LIMIT 1"


@fault
def stores_nothing(meet: Meet) -> None:
    """Every mail is answered 250 with an ID, and none is there."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        return new_id()


@fault
def older_mail_deleted(meet: Meet) -> None:
    """When two mails arrive together, the oldest mail of the mailbox is gone afterwards."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        async with meet(mailbox, b"") as others:
            for row in await mailbox.db.query(OLDEST) if others else ():
                for table in ("mailbox", "mailbox_data", "message_tags"):
                    await mailbox.db.execute(f"DELETE FROM {table} WHERE ID = ?", row[0])
            return await inner(mailbox, *rest)


@fault
def untouched_mail_lost_beside_an_edit(meet: Meet) -> None:
    """A mail that arrives while anything is edited or deleted is answered 250, and is not there."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        async with meet(mailbox, b"mail") as others:
            return new_id() if b"edit" in others else await inner(mailbox, *rest)

    for name in EDITS:

        @around(Mailbox, name)
        async def edit(inner: Any, mailbox: Mailbox, *rest: Any) -> None:
            async with meet(mailbox, b"edit"):
                await inner(mailbox, *rest)


@fault
def older_mail_altered(meet: Meet) -> None:
    """When two mails arrive together, the Subject of the oldest mail is another afterwards."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        async with meet(mailbox, b"") as others:
            for row in await mailbox.db.query(OLDEST) if others else ():
                altered = "UPDATE mailbox SET Subject = Subject || '!' WHERE ID = ?"
                await mailbox.db.execute(altered, row[0])
            return await inner(mailbox, *rest)


@fault
def older_mail_shortened(meet: Meet) -> None:
    """Each mail that is stored makes the Subject of the mail given second another, always."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        found: str = await inner(mailbox, *rest)
        shorten = "UPDATE mailbox SET Subject = ? WHERE ID != ? AND Subject LIKE ?"
        await mailbox.db.execute(shorten, "x", found, "%g02")
        return found


@fault
def mail_lost_after_an_edit(meet: Meet) -> None:
    """From the start of the first edit or deletion on, every mail is answered 250 and none is there."""
    edited: list[str] = []

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        return new_id() if edited else await inner(mailbox, *rest)

    for name in EDITS:

        @around(Mailbox, name)
        async def edit(inner: Any, mailbox: Mailbox, *rest: Any) -> None:
            edited.append("an edit")
            await inner(mailbox, *rest)


@fault
def mail_lost_soon_after_an_edit(meet: Meet) -> None:
    """The server works on for 10 ms behind its reply to an edit; a mail that arrives then is lost."""
    until_s = [0.0]

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        return new_id() if time.monotonic() < until_s[0] else await inner(mailbox, *rest)

    for name in EDITS:

        @around(Mailbox, name)
        async def edit(inner: Any, mailbox: Mailbox, *rest: Any) -> None:
            until_s[0] = time.monotonic() + 1.0
            await inner(mailbox, *rest)
            until_s[0] = time.monotonic() + WORKS_ON_S


@fault
def deletion_does_nothing_beside_a_mail(meet: Meet) -> None:
    """A deletion by ID that comes while a mail is stored is answered like any other, and deletes nothing."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        async with meet(mailbox, b"mail"):
            return str(await inner(mailbox, *rest))

    @around(Mailbox, "delete")
    async def delete(inner: Any, mailbox: Mailbox, *rest: Any) -> None:
        async with meet(mailbox, b"edit") as others:
            if b"mail" not in others:
                await inner(mailbox, *rest)
