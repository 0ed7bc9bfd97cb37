"""No faults: servers that keep every promise, in an unusual way."""

import asyncio
import random
import re
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from mailrace.embedded import listing, rest, storing
from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault, some_time

from planted.mail_lost import EDITS

LATE_S, LATER_S = 0.010, 0.060
own: ContextVar[str] = ContextVar("own")


@fault
def statement_after_the_reply(meet: Meet) -> None:
    """Correct: 10 ms after the reply to a mail or an edit, one statement that changes nothing."""
    _later_statement(("accept", "delete_all", *EDITS), LATE_S)


@fault
def statement_long_after_an_edit(meet: Meet) -> None:
    """Correct: the same after edits only, and 60 ms after their reply."""
    _later_statement(("delete_all", *EDITS), LATER_S)


def _later_statement(calls: Iterable[str], after_s: float) -> None:
    running: set[asyncio.Task[Any]] = set()

    def later(mailbox: Mailbox) -> None:
        task = asyncio.ensure_future(mailbox.db.execute("DELETE FROM settings WHERE Key = ?", "nothing"))
        running.add(task)
        task.add_done_callback(running.discard)

    for name in calls:

        @around(Mailbox, name)
        async def work(inner: Any, mailbox: Mailbox, *rest: Any) -> Any:
            found = await inner(mailbox, *rest)
            asyncio.get_running_loop().call_later(after_s, later, mailbox)
            return found


@fault
def no_fault(meet: Meet) -> None:
    """Correct: the reference as it is, taken for a Mailpit."""


@fault
def ids_are_used_again(meet: Meet) -> None:
    """Correct: a message's ID is the lowest number that no other message has."""

    @around(storing, "store")
    async def store(inner: Any, db: Any, *given: Any) -> str:
        taken = {str(row[0]) for row in await db.query("SELECT ID FROM mailbox")}
        own.set(next(f"{n:022d}" for n in range(1, 100_000) if f"{n:022d}" not in taken))
        return str(await inner(db, *given))

    @around(storing, "row_of")
    def row_of(inner: Any, *given: Any) -> Any:
        return replace(inner(*given), message=own.get())


@fault
def header_is_sorted(meet: Meet) -> None:
    """Correct: a source is shown with its header's lines in alphabetical order."""

    @around(listing, "raw_message")
    async def raw_message(inner: Any, *given: Any) -> Any:
        raw = await inner(*given)
        if raw is None:
            return None
        head, mark, body = raw.partition(b"\r\n\r\n")
        return b"\r\n".join(sorted(head.replace(b"\r\n ", b" ").split(b"\r\n"))) + mark + body


@fault
def header_is_shuffled(meet: Meet) -> None:
    """Correct: a source is shown with its header's lines in an order that changes."""
    chance = random.Random()

    @around(listing, "raw_message")
    async def raw_message(inner: Any, *given: Any) -> Any:
        raw = await inner(*given)
        if raw is None:
            return None
        head, mark, body = raw.partition(b"\r\n\r\n")
        lines = head.replace(b"\r\n ", b" ").split(b"\r\n")
        chance.shuffle(lines)
        return b"\r\n".join(lines) + mark + body


@fault
def message_id_is_rewritten(meet: Meet) -> None:
    """Odd: each mail gets a Message-ID of the server's own."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, sender: str, to: Any, raw: bytes, *rest: Any) -> str:
        own_id = f"Message-ID: <{storing.new_id()}@odd.test>\r\n".encode()
        raw = re.sub(rb"(?im)^Message-ID:.*\r\n", own_id, raw, count=1)
        return str(await inner(mailbox, sender, to, raw, *rest))


@fault
def lists_are_slow(meet: Meet) -> None:
    """Correct: a list or search takes a second and a half."""
    for name in ("page", "search"):

        @around(rest.ReadingApi, name)
        async def read(inner: Any, api: Any, request: Any) -> Any:
            await some_time(1.5)
            return await inner(api, request)


@fault
def pages_of_three(meet: Meet) -> None:
    """Correct: no page of a list or search has more than three messages."""

    @around(rest.ReadingApi, "_wanted")
    def wanted(inner: Any, api: Any, request: Any) -> tuple[int, int]:
        start, limit = inner(api, request)
        return start, min(limit or 3, 3)
