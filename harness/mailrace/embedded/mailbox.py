"""One instance's mailbox: the operations that SMTP and REST ask for, counted.

Each operation is written once, against a Database. In `fixed` it runs within one real transaction, with its
checks and its pruning; in the other versions each of its statements stands alone.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from mailrace.embedded import deleting, listing, searching, storing, tagging
from mailrace.embedded.database import Database
from mailrace.embedded.driver import StatementFailed, acting
from mailrace.embedded.headers import Header, MalformedHeader, is_listed, read_header, with_header
from mailrace.embedded.log import log
from mailrace.embedded.message import Unparsable
from mailrace.embedded.parsed import ParsedMessages
from mailrace.embedded.settings import TagSources
from mailrace.embedded.versions import Version

T = TypeVar("T")

STATISTICS_DELAY_S = 0.25


class Refused(Exception):
    """A mail that is not stored, or that the store reported as such; `reply` is SMTP's, REST answers 400."""

    def __init__(self, text: str, reply: str = "451 4.3.5 Unable to process mail") -> None:
        super().__init__(text)
        self.reply = reply


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
        self.parsed = ParsedMessages(version)
        self._sources = sources
        self._tagging = tagging.Tagging(version)
        self._tasks: set[asyncio.Task[object]] = set()
        self._statistics_due = False

    def whole(self) -> AbstractAsyncContextManager[Database]:
        """A block for the statements of one operation, in one transaction where the version is `fixed`."""
        if not self.version.is_fixed:
            return nullcontext(self.db)
        # IMMEDIATE keeps other processes and instances out as well.
        return self.db.transaction("BEGIN IMMEDIATE")

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

    async def accept(self, sender: str, recipients: Sequence[str], raw: bytes) -> str:
        """Store a mail as received; returns its ID, "" if it is ignored as a duplicate or not understood.

        Raises Refused; the message may be stored all the same (S1, S2).
        """
        try:
            prepared, message_id = self._prepared(sender, recipients, raw)
        except MalformedHeader as error:
            log("warning", f"[smtpd] error parsing message: {error}")
            self.counters.rejected += 1
            raise Refused(str(error)) from error
        message = ""
        try:
            async with self.whole() as db:
                # Except in `fixed`, another mail of this Message-ID may come before we store ours (S6).
                if self.ignores_duplicate_ids and message_id and await storing.is_stored(db, message_id):
                    self.counters.ignored += 1
                    return ""
                message = await storing.store(db, self._tagging, self.version, self._sources, prepared)
        except StatementFailed as error:
            log("error", f"[db] error storing message: {error}")
            raise Refused(str(error)) from error
        except Unparsable as error:
            log("warning", f"[message] {error}")
            # Before 1.33.1 the mail is dropped here, answered 250 and counted as accepted.
            if self.version.since(1, 33, 1):
                raise Refused(str(error), f"554 5.6.0 {error}") from error
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
            name = "Message-ID" if self.version.since(1, 27) else "Message-Id"
            raw = f"{name}: <{storing.new_id()}@mailpit>\r\n".encode() + raw
        missing = [address for address in recipients if not is_listed(address, header)]
        if missing:
            raw = with_header(raw, "Bcc", self._bcc(header, missing))
        return raw, message_id

    def _bcc(self, header: Header, missing: Sequence[str]) -> str:
        """The Bcc header with the recipients that no header names."""
        present = header.get("Bcc") if header.addresses("Bcc") else ""
        if not present:
            return ", ".join(missing)
        if self.version.since(1, 33, 1):
            return ", ".join([present, *missing])
        # Some releases before lose the addresses that were missing.
        return f", {present}" if self.version.since(1, 27) else ", ".join([*missing, present])

    async def set_tags(self, ids: Sequence[str], names: Sequence[str]) -> None:
        """Make these the tags of those messages; an unknown ID gets a ghost tag, except in `fixed`."""
        async with self.whole() as db:
            for message in ids:
                if self.version.is_fixed and not await listing.metadata(db, message):
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
        if self.version.hangs_on_stale_ids:
            deleted = await deleting.delete_messages_or_hang(self.db, ids)
        else:
            async with self.whole() as db:
                deleted = await deleting.delete_messages(db, ids)
        if deleted:
            self.parsed.drop(*ids)
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
        self.parsed.drop_all()
        self._count_deleted(deleted)
        self._broadcast()

    async def mark(self, ids: Sequence[str], read: bool, within: Database | None = None) -> None:
        """Mark messages read or unread, `within` an operation that is under way or as one of its own."""
        async with nullcontext(within) if within is not None else self.whole() as db:
            await listing.mark(db, self.version, ids, int(read))
        self._broadcast()

    async def mark_found(self, query: str, read: bool) -> None:
        """The same for every message that matches and is not so marked yet."""
        async with self.whole() as db:
            rows = await searching.find(db, self.version, query, int(not read))
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
