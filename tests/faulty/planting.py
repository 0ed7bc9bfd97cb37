"""What a planted fault is made of: its register, methods replaced, and who else is here at the same time.

Everything here runs in the process of a faulty server, never in a test's own.
"""

import asyncio
import functools
import importlib
import json
import pkgutil
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any

from mailrace.embedded import server
from mailrace.embedded.mailbox import Mailbox

_RECEIVED = re.compile(rb"\AReceived: .*\r\n(?:[ \t].*\r\n)*")

Meet = Callable[[Mailbox, bytes], AbstractAsyncContextManager[list[bytes]]]
"""Lay down a note while the block runs; gives the notes of the others who are in such a block now."""

Plant = Callable[[Meet], None]

FAULTS: dict[str, Plant] = {}
"""By name: the function that patches one fault into the reference."""


def fault(plant: Plant) -> Plant:
    """Register a fault under its function's name; its docstring says what a user of the server would see."""
    assert plant.__doc__
    assert plant.__name__ not in FAULTS
    FAULTS[plant.__name__] = plant
    return plant


def load_all() -> dict[str, Plant]:
    """All faults of the folder `planted`, one area a file."""
    import planted

    for module in pkgutil.iter_modules(planted.__path__):
        importlib.import_module(f"planted.{module.name}")
    return FAULTS


def around(owner: Any, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replace a method, or a function of a module, by one that is given the original first."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(owner, name)

        @functools.wraps(original)
        def replaced(*args: Any, **named: Any) -> Any:
            return function(original, *args, **named)

        setattr(owner, name, replaced)
        return function

    return put


async def some_time(seconds: float) -> None:
    """A server that is slow by itself: nothing ends this but the time."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


def with_a_row(begins: str) -> None:
    """Have a table of one row made with the others, in which the server keeps something of its own."""

    @around(server, "apply_schema")
    async def apply_schema(inner: Callable[..., Any], db: Any) -> None:
        await inner(db)
        await db.execute("CREATE TABLE IF NOT EXISTS kept (Key INTEGER PRIMARY KEY, Value TEXT)")
        await db.execute("INSERT OR IGNORE INTO kept (Key, Value) VALUES (1, ?)", begins)


async def kept(db: Any) -> Any:
    """What is in that row, which is JSON."""
    return json.loads(str((await db.query("SELECT Value FROM kept WHERE Key = ?", 1))[0][0]))


async def keep(db: Any, value: Any) -> None:
    """Write that row."""
    await db.execute("UPDATE kept SET Value = ? WHERE Key = ?", json.dumps(value), 1)


met: ContextVar[list[bytes]] = ContextVar("met")
"""The notes of those whom the mail in hand met when it came in; for faults that are planted deeper down."""


@asynccontextmanager
async def meet_in_store(mailbox: Mailbox, note: bytes) -> AsyncIterator[list[bytes]]:
    """Notes lie in a table: two processes on one store meet as two connections to one process do.

    Two statements come before the block and one after it, each by itself, in `fixed` too: whoever laid down
    its note before we read the table, and has not left yet, is met.
    """
    # The server's own first header holds the time of day; without it the statement is the same in each order.
    text = _RECEIVED.sub(b"", note).decode("latin-1")
    own = (await mailbox.db.execute("INSERT INTO meeting (Note) VALUES (?)", text)).last_insert_id
    rows = await mailbox.db.query("SELECT Note FROM meeting WHERE Key != ? ORDER BY Key", own)
    try:
        yield [str(row[0]).encode("latin-1") for row in rows]
    finally:
        await mailbox.db.execute("DELETE FROM meeting WHERE Key = ?", own)


_inside: dict[object, bytes] = {}


@asynccontextmanager
async def meet_in_memory(mailbox: Mailbox, note: bytes) -> AsyncIterator[list[bytes]]:
    """Notes lie in the process: no statement tells of them, and two processes never meet."""
    own = object()
    _inside[own] = note
    # One turn at the pooled connection, in which others may come in.
    await mailbox.db.query("SELECT Value FROM settings WHERE Key = ?", "DeletedSize")
    try:
        yield [other for key, other in _inside.items() if key is not own]
    finally:
        del _inside[own]


MEETINGS: dict[str, Meet] = {"store": meet_in_store, "memory": meet_in_memory}


def make_room_for_notes() -> None:
    """Have the table of notes made with the others when the server starts."""

    @around(server, "apply_schema")
    async def apply_schema(inner: Callable[..., Any], db: Any) -> None:
        await inner(db)
        await db.execute("CREATE TABLE IF NOT EXISTS meeting (Key INTEGER PRIMARY KEY, Note TEXT)")
