"""An instance in this process whose statements a test can hold: `first` stops at its k-th, `second` goes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from mailrace.embedded.database import Database
from mailrace.embedded.driver import Answer, Statement, StatementFailed, acting
from mailrace.embedded.listing import list_messages
from mailrace.embedded.mailbox import Mailbox, Refused
from mailrace.embedded.pool import Pool
from mailrace.embedded.schema import apply_schema
from mailrace.embedded.settings import TagSources
from mailrace.embedded.sqlite_driver import SqliteDriver
from mailrace.embedded.tagging import TagRefused, all_tags
from mailrace.embedded.versions import VERSIONS

TURNS_MAX = 2000
"""Turns of the loop after which what has not come will not come."""

Act = Callable[[Mailbox, str], Awaitable[object]]
"""An operation on a mailbox; the second argument is the ID of the message that was given, "" without one."""


class HoldingDriver:
    """SQLite behind a driver that stops one statement: the k-th that `first` sends."""

    def __init__(self, path: Path, hold: int) -> None:
        self._inner = SqliteDriver(path)
        self.stores_blobs = True
        self.seen: list[Statement] = []
        self.held = asyncio.Event()
        self.go = asyncio.Event()
        self._hold = hold
        self._sent_by_first = 0

    async def open(self) -> None:
        await self._inner.open()

    async def close(self) -> None:
        await self._inner.close()

    async def statement(self, statement: Statement) -> Answer:
        if statement.actor == "first" and statement.kind != "control":
            self._sent_by_first += 1
            if self._sent_by_first == self._hold:
                self.held.set()
                await self.go.wait()
        self.seen.append(statement)
        return await self._inner.statement(statement)


@dataclass(frozen=True)
class Outcome:
    """What came of one schedule: `sent` are replies by actor, rows are (subject, tags)."""

    was_held: bool
    replies: dict[str, str]
    rows: list[tuple[str, list[str]]]
    tags: list[str]

    @property
    def refused_and_stored(self) -> bool:
        """An actor that sent was refused, and its mail is there."""
        stored = {subject for subject, _ in self.rows}
        return any(reply == "refused" and actor in stored for actor, reply in self.replies.items())

    @property
    def tag_lost(self) -> bool:
        """A mail that was accepted is there without a tag."""
        return any(self.replies.get(subject) == "ok" and not tags for subject, tags in self.rows)


def mail(subject: str, tags: str = "", message_id: str = "") -> bytes:
    """A mail; the actor's name as subject tells afterwards whose it is."""
    return (
        f"From: f@x.test\r\nTo: t@x.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <{message_id or subject}@x.test>\r\nX-Tags: {tags}\r\n\r\nbody\r\n"
    ).encode()


def sends(subject: str, tags: str, message_id: str = "") -> Act:
    """The act of sending one mail."""
    return lambda mailbox, _: mailbox.accept("f@x.test", ["t@x.test"], mail(subject, tags, message_id))


async def turns(until: Callable[[], bool]) -> bool:
    """Let the loop run until that holds; False where it never does."""
    for _ in range(TURNS_MAX):
        if until():
            return True
        await asyncio.sleep(0)
    return until()


async def _reply(act: Act, mailbox: Mailbox, given: str, actor: str) -> str:
    with acting(actor):
        try:
            await act(mailbox, given)
        except (Refused, StatementFailed, TagRefused):
            return "refused"
    return "ok"


async def _poll(mailbox: Mailbox, until: Callable[[], bool]) -> None:
    while not until():
        await all_tags(mailbox.db)


async def _run(
    version: str,
    first: Act,
    second: Act,
    given: bytes,
    *,
    hold: int,
    ignore_duplicate_ids: bool,
    decoys: int,
    seed: int,
) -> Outcome:
    driver = HoldingDriver(Path(":memory:"), hold)
    pool = Pool(seed)
    mailbox = Mailbox(Database(pool, driver), VERSIONS[version], TagSources(), ignore_duplicate_ids)
    await driver.open()
    await apply_schema(mailbox.db)
    message = await mailbox.accept("f@x.test", ["t@x.test"], given) if given else ""
    one = asyncio.create_task(_reply(first, mailbox, message, "first"))
    await turns(lambda: driver.held.is_set() or one.done())
    two = asyncio.create_task(_reply(second, mailbox, message, "second"))
    await turns(lambda: pool.waiting_count > 0 or two.done())
    readers = [asyncio.create_task(_poll(mailbox, lambda: one.done() and two.done())) for _ in range(decoys)]
    await turns(lambda: pool.waiting_count >= decoys)
    driver.go.set()
    replies = {"first": await one, "second": await two}
    await asyncio.gather(*readers)
    rows = await list_messages(mailbox.db, mailbox.version, 0, 50)
    outcome = Outcome(
        was_held=driver.held.is_set(),
        replies=replies,
        rows=[(str(row["Subject"]), list(row["Tags"])) for row in rows],  # type: ignore[call-overload]
        tags=await all_tags(mailbox.db),
    )
    await driver.close()
    return outcome


def release_points(
    version: str,
    first: Act,
    second: Act,
    given: bytes = b"",
    *,
    ignore_duplicate_ids: bool = False,
    decoys: int = 0,
    seed: int = 1,
) -> list[Outcome]:
    """One outcome for each statement of `first`: `second` set out when it arrived and took its turns.

    `given` is stored before. `decoys` readers lengthen the queue, so that the pool draws by `seed`.
    """
    outcomes: list[Outcome] = []
    for hold in range(1, 40):
        run = _run(
            version,
            first,
            second,
            given,
            hold=hold,
            ignore_duplicate_ids=ignore_duplicate_ids,
            decoys=decoys,
            seed=seed,
        )
        outcome = asyncio.run(run)
        if not outcome.was_held:
            return outcomes
        outcomes.append(outcome)
    raise AssertionError("an operation of over 39 statements")
