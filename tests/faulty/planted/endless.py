"""Faults that keep a client waiting without an end: answers that never come, or that come bytewise."""

import asyncio
from contextlib import suppress
from typing import Any

from aiohttp import web
from mailrace.embedded import rest
from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault

DRIP_S = 0.2
"""Between two bytes of an answer."""


@fault
def answers_no_mail(meet: Meet) -> None:
    """No final dot is ever answered, and nothing is stored."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *others: Any) -> str:
        await asyncio.Event().wait()
        raise AssertionError


@fault
def answers_no_raced_mail(meet: Meet) -> None:
    """Of two mails that arrive together one is never answered."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *others: Any) -> str:
        async with meet(mailbox, b"") as met:
            if met:
                await asyncio.Event().wait()
            return await inner(mailbox, *others)


@fault
def lists_drip(meet: Meet) -> None:
    """Lists and searches are answered a byte now and then, without an end."""
    for name in ("page", "search"):

        @around(rest.ReadingApi, name)
        async def read(inner: Any, api: Any, request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(headers={"Content-Type": "application/json"})
            await answer.prepare(request)
            while True:
                await answer.write(b" ")
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.Event().wait(), DRIP_S)
