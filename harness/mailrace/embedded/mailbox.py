"""One instance's mailbox: what SMTP and REST ask of it, counted, and whole where the version is `fixed`.

Each operation is written once, against Statements. In `fixed` it runs within one real transaction, its
check, its causes and its pruning included; in the others each of its statements stands alone.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from mailrace.embedded import deleting, listing, searching, storing, tagging
from mailrace.embedded.database import Database, Statements
from mailrace.embedded.door import StatementFailed, acting
from mailrace.embedded.headers import MalformedHeader, is_listed, read_header, with_header
from mailrace.embedded.log import log
from mailrace.embedded.storing import TagSources
from mailrace.embedded.versions import Version

T = TypeVar("T")

STATISTICS_DELAY_S = 0.25


class Refused(Exception):
    """A mail that is not stored, or of which the store said so; the reply is 451, or 400 over REST."""


@dataclass(slots=True)
class Counters:
    """What `GET /info` counts since the start."""

    accepted: int = 0
    accepted_bytes: int = 0
    rejected: int = 0
    ignored: int = 0
    deleted: int = 0


class Mailbox:
    """The operations of one instance on one store."""

    def __init__(
        self, db: Database, version: Version, sources: TagSources, ignore_duplicate_ids: bool
    ) -> None:
        self.db = db
        self.version = version
        self.counters = Counters()
        self.ignores_duplicate_ids = ignore_duplicate_ids
        self._sources = sources
        self._tagging = tagging.Tagging(version)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._statistics_due = False

    def whole(self) -> AbstractAsyncContextManager[Statements]:
        """The statements of one operation: in one transaction where the version is `fixed`."""
        return self.db.whole() if self.version.is_atomic else nullcontext(self.db)

    async def to_its_end(self, work: Coroutine[object, object, T]) -> T:
        """Run it to its end even where its client goes away meanwhile, as a goroutine does."""
        task: asyncio.Task[T] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # asked for here too: its client may have gone

    async def accept(self, sender: str, recipients: Sequence[str], raw: bytes, username: str = "") -> str:
        """Store a mail as received; returns its ID, "" where it is a duplicate that is ignored.

        Raises Refused; the message may be stored all the same (S1, S2).
        """
        try:
            prepared, message_id = self._prepared(sender, recipients, raw)
        except MalformedHeader as error:
            log("warning" if self.version.has_send else "error", f"[smtpd] error parsing message: {error}")
            self.counters.rejected += 1
            raise Refused(str(error)) from error
        try:
            async with self.whole() as db:
                if self.ignores_duplicate_ids and message_id and await storing.is_stored(db, message_id):
                    self.counters.ignored += 1
                    return ""
                message = await storing.store(
                    db, self._tagging, self.version, self._sources, prepared, username
                )
        except StatementFailed as error:
            log("error", f"[db] error storing message: {error}")
            raise Refused(str(error)) from error
        self.counters.accepted += 1
        self.counters.accepted_bytes += len(prepared)
        self._broadcast()
        return message

    def _prepared(self, sender: str, recipients: Sequence[str], raw: bytes) -> tuple[bytes, str]:
        """The mail with Return-Path, Message-ID and Bcc as Mailpit adds them, and its own Message-ID."""
        raw = raw.replace(b"\r\r\n", b"\r\n")
        header, _ = read_header(raw)
        if header.get("Return-Path").strip("<>") != sender:
            raw = with_header(raw, "Return-Path", f"<{sender}>")
        message_id = header.get("Message-ID").strip("<>")
        if not message_id:
            raw = f"{self.version.message_id_name}: <{storing.new_id()}@mailpit>\r\n".encode() + raw
        missing = [address for address in recipients if not is_listed(address, header)]
        if missing:
            listed = ", ".join(missing)
            present = header.get("Bcc") if header.addresses("Bcc") else ""
            if present:
                # From some 1.2x on the addresses that were missing are lost here.
                listed = f"{listed}, {present}" if self.version.keeps_header_bcc else f", {present}"
            raw = with_header(raw, "Bcc", listed)
        return raw, message_id

    async def set_tags(self, ids: Sequence[str], names: Sequence[str]) -> None:
        """Make these the tags of those messages; an unknown ID gets a ghost tag, except in `fixed`."""
        async with self.whole() as db:
            for message in ids:
                if self.version.is_atomic and not await listing.metadata(db, message):
                    continue
                await self._tagging.set_tags(db, message, names)

    async def rename_tag(self, old: str, new: str) -> None:
        """Raises TagRefused."""
        async with self.whole() as db:
            await self._tagging.rename(db, old, new)

    async def delete_tag(self, name: str) -> None:
        """Raises TagRefused."""
        async with self.whole() as db:
            await self._tagging.delete(db, name)

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete those of the messages that exist."""
        if self.version.is_atomic:
            async with self.whole() as db:
                deleted = await deleting.delete_messages(db, ids)
        else:
            deleted = await deleting.delete_messages_as_released(self.db, ids)
        self._count_deleted(deleted)

    async def delete_search(self, query: str) -> None:
        """Delete every message that matches."""
        async with self.whole() as db:
            found = [
                (str(row[1]), int(float(str(row[5]))))
                for row in await searching.find(db, self.version, query)
            ]
            await deleting.delete_found(db, found)
        self._count_deleted(len(found))

    async def delete_all(self) -> None:
        """Empty it."""
        async with self.whole() as db:
            deleted = await deleting.delete_all(db)
        self._count_deleted(deleted)
        self._broadcast()

    async def mark(self, ids: Sequence[str], read: bool) -> None:
        """Mark messages read or unread."""
        async with self.whole() as db:
            await listing.mark(db, self.version, ids, int(read))
        self._broadcast()

    async def mark_found(self, query: str, read: bool) -> None:
        """The same for every message that matches and is not so marked yet."""
        async with self.whole() as db:
            rows = await searching.find(db, self.version, query, extra=("Read = ?", (int(not read),)))
            await listing.mark(db, self.version, [str(row[1]) for row in rows], int(read))
        self._broadcast()

    async def mark_all(self, read: bool) -> None:
        """The same for every message."""
        async with self.whole() as db:
            await listing.mark_all(db, int(read))
        self._broadcast()

    def _count_deleted(self, count: int) -> None:
        self.counters.deleted += count
        if count:
            self._broadcast()

    def _broadcast(self) -> None:
        """Count the mailbox in a quarter of a second, once, for the web pages that may be open."""
        if not self._statistics_due:
            self._statistics_due = True
            asyncio.get_running_loop().call_later(STATISTICS_DELAY_S, self._start_statistics)

    def _start_statistics(self) -> None:
        self._statistics_due = False
        task = asyncio.ensure_future(self._statistics())
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    async def _statistics(self) -> None:
        with acting("background"):
            try:
                await listing.count(self.db)
                await listing.count_flagged(self.db, 0)
            except StatementFailed as error:
                log("error", f"[db] {error}")
