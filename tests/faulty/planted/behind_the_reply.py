"""Faults of edits of tags that the statements of one edit, run alone, do not tell of."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import web
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.pop3 import Pop3Session
from planting import Meet, around, fault, some_time

_running: set[asyncio.Task[Any]] = set()


def _behind(seconds: float, work: Coroutine[Any, Any, Any]) -> None:
    """Have it done so long after now."""

    async def later() -> None:
        await some_time(seconds)
        await work

    task = asyncio.get_running_loop().create_task(later())
    _running.add(task)
    task.add_done_callback(_running.discard)


@fault
def tags_set_behind_the_reply(meet: Meet) -> None:
    """An edit of tags is answered first, and done 20 ms later; always."""

    @around(Mailbox, "set_tags")
    async def set_tags(inner: Any, mailbox: Mailbox, *given: Any) -> None:
        _behind(0.02, inner(mailbox, *given))


@fault
def tags_are_refused(meet: Meet) -> None:
    """An edit of tags is refused; always."""

    @around(Mailbox, "set_tags")
    async def set_tags(inner: Any, mailbox: Mailbox, *given: Any) -> None:
        raise web.HTTPBadRequest


@fault
def tags_are_forgotten_while_a_message_is_retrieved(meet: Meet) -> None:
    """An edit of tags is answered and not done while a POP3 session reads a message; only memory tells."""
    reading: set[object] = set()

    @around(Pop3Session, "_retrieve")
    async def retrieve(inner: Any, session: Pop3Session, *given: Any) -> None:
        reading.add(session)
        await inner(session, *given)
        reading.discard(session)

    @around(Mailbox, "set_tags")
    async def set_tags(inner: Any, mailbox: Mailbox, *given: Any) -> None:
        if not reading:
            await inner(mailbox, *given)
