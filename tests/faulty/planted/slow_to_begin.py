"""Servers that race where a deletion comes between two statements of a mail. Deletions begin late."""

import os
from typing import Any

from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault, some_time

from planted.numbered import HIGHEST, TAKE, next_number, number_each_mail, take_next
from planted.numbered_and_shared import two_connections

TAKE_THE_NEXT = f"INSERT INTO numbers (Number) {HIGHEST.replace('0)', '0) + 1')}"
BEGINS_AFTER = "MAILRACE_BEGINS_AFTER"
"""The environment's variable that says how many seconds a deletion waits before its first statement."""


@fault
def deletion_begins_late(meet: Meet) -> None:
    """A mail is numbered in two statements; a deletion takes a number in one, after it has waited."""

    async def number(mailbox: Mailbox, _: str) -> None:
        await take_next(mailbox, is_racy=True)

    number_each_mail(number)

    @around(Mailbox, "delete")
    async def delete(inner: Any, mailbox: Mailbox, *given: Any) -> None:
        await some_time(float(os.environ[BEGINS_AFTER]))
        await mailbox.db.execute(TAKE_THE_NEXT)
        await inner(mailbox, *given)


@fault
def deletion_begins_late_beside_others(meet: Meet) -> None:
    """The same, with a pool of two connections."""
    two_connections()
    deletion_begins_late(meet)


@fault
def two_deletions_come_between(meet: Meet) -> None:
    """A mail takes the number after the next one, so it takes two deletions between, and no pair shows it.

    A deletion beside a mail waits before its first statement; alone it does not.
    """
    under_way: list[str] = []

    async def number(mailbox: Mailbox, _: str) -> None:
        await mailbox.db.execute(TAKE, 1 + await next_number(mailbox))

    number_each_mail(number)

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        under_way.append("mail")
        try:
            return str(await inner(mailbox, *given))
        finally:
            under_way.pop()

    @around(Mailbox, "delete")
    async def delete(inner: Any, mailbox: Mailbox, *given: Any) -> None:
        if under_way:
            await some_time(float(os.environ[BEGINS_AFTER]))
        await mailbox.db.execute(TAKE_THE_NEXT)
        await inner(mailbox, *given)
