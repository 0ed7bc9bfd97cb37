"""Faults that make the round that shows them hard to look at: refusals, silence, and lists that fail."""

import asyncio
from typing import Any

from aiohttp import web
from mailrace.embedded import rest
from mailrace.embedded.driver import actor_now
from mailrace.embedded.mailbox import Mailbox, Refused
from mailrace.embedded.smtp import Session
from planting import Meet, around, fault

LISTS_BROKEN = 3
"""So many lists and searches fail after mails that arrived together."""


@fault
def refuses_everything(meet: Meet) -> None:
    """Every mail is answered 451 and is not stored."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        raise Refused("refused")


@fault
def deletions_unanswered(meet: Meet) -> None:
    """A deletion by ID is never answered and deletes nothing, whoever else is there or was there before."""

    @around(Mailbox, "delete")
    async def delete(inner: Any, mailbox: Mailbox, *rest: Any) -> None:
        await asyncio.Event().wait()


@fault
def next_mail_refused(meet: Meet) -> None:
    """After two mails that arrived together, the next MAIL in a session of theirs is answered 451, once."""
    poisoned: set[str] = set()

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        async with meet(mailbox, b"") as others:
            if others:
                poisoned.add(actor_now())
            return await inner(mailbox, *rest)

    @around(Session, "smtp_MAIL")
    async def smtp_mail(inner: Any, session: Session, arg: str | None) -> None:
        actor = f"smtp {session._peer()[1]}"
        if actor in poisoned:
            poisoned.remove(actor)
            await session.push("451 4.3.0 Try again later")
        else:
            await inner(session, arg)


def _fail_after_a_race(meet: Meet, names: tuple[str, ...]) -> None:
    """After two mails that arrived together, the next requests of these names are answered 500."""
    broken = [0]

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *others_of_it: Any) -> str:
        async with meet(mailbox, b"") as others:
            broken[0] = LISTS_BROKEN if others else broken[0]
            return await inner(mailbox, *others_of_it)

    for name in names:

        @around(rest.ReadingApi, name)
        async def read(inner: Any, api: Any, request: web.Request) -> web.Response:
            if broken[0]:
                broken[0] -= 1
                return web.Response(status=500, text="the list is broken")
            return await inner(api, request)


@fault
def lists_fail_after_a_race(meet: Meet) -> None:
    """After two mails that arrived together, the next lists and searches are answered 500."""
    _fail_after_a_race(meet, ("page", "search"))


@fault
def searches_fail_after_a_race(meet: Meet) -> None:
    """After two mails that arrived together, the next searches are answered 500, and lists are whole."""
    _fail_after_a_race(meet, ("search",))
