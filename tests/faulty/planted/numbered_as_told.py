"""A server that numbers each mail as a file says: one start for many kinds, and for mixtures of them."""

import asyncio
import os
import secrets
from contextlib import nullcontext
from pathlib import Path

from mailrace.embedded.driver import StatementFailed
from mailrace.embedded.mailbox import Mailbox
from planting import Meet, fault

from planted.numbered import HIGHEST, KINDS, TAKE, TAKE_IF_FREE, Numbering, next_number, number_each_mail

TOLD = "MAILRACE_NUMBERED"
"""The environment's variable that names a file: in it stands how `numbered_as_told` numbers the next mail."""


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
