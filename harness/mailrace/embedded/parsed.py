"""Keeps parsed messages with an image in memory for 5 s, as 1.33 does, and answers with them meanwhile.

A deletion by ID or of all drops what is kept; one by search does not. No deletion drops a message that is
still being parsed: it is kept once it is parsed, although it is gone from the store by then (S15).
"""

import asyncio
from dataclasses import dataclass

from mailrace.embedded import listing
from mailrace.embedded.database import Database
from mailrace.embedded.message import Mail, parse
from mailrace.embedded.versions import Version

KEPT_S = 5.0
KEPT_BYTES_MAX = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parsed:
    """A message, and the length of its source in bytes."""

    mail: Mail
    size: int

    @property
    def has_image(self) -> bool:
        """Whether a part of it is an image: a page with images asks for the message once for each."""
        parts = (*self.mail.inline, *self.mail.attachments)
        return any(each.part.get_content_maintype() == "image" for each in parts)


class ParsedMessages:
    """What one instance has parsed lately, by server ID; older versions, and `fixed`, keep nothing."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._keeps = version.since(1, 33) and not version.is_fixed
        self._kept: dict[str, tuple[Parsed, asyncio.TimerHandle]] = {}
        self._under_way: dict[str, asyncio.Future[Parsed | None]] = {}

    async def get(self, db: Database, message: str) -> Parsed | None:
        """The message, from memory if it is there; None: it is nowhere. Raises Unparsable."""
        if not self._keeps:
            return await self._read(db, message)
        if message in self._kept:
            return self._kept[message][0]
        # Whoever comes while it is being parsed waits for that.
        if message in self._under_way:
            return await asyncio.shield(self._under_way[message])
        reads = asyncio.ensure_future(self._read(db, message))
        self._under_way[message] = reads
        try:
            found = await asyncio.shield(reads)
        finally:
            del self._under_way[message]
        # Nobody looks whether it was deleted meanwhile.
        if found is not None and found.has_image:
            self._keep(message, found)
        return found

    def drop(self, *messages: str) -> None:
        """Forget these, which were deleted by ID."""
        for message in messages:
            if message in self._kept:
                self._kept.pop(message)[1].cancel()

    def drop_all(self) -> None:
        """Forget everything: the mailbox was emptied."""
        self.drop(*list(self._kept))

    async def _read(self, db: Database, message: str) -> Parsed | None:
        raw = await listing.raw_message(db, self._version, message)
        if raw is None:
            return None
        # Parsing takes its time, in which others are served, as by a goroutine of its own.
        mail = await asyncio.to_thread(parse, raw) if self._keeps else parse(raw)
        return Parsed(mail, len(raw))

    def _keep(self, message: str, found: Parsed) -> None:
        self.drop(message)
        while self._kept and sum(one.size for one, _ in self._kept.values()) + found.size > KEPT_BYTES_MAX:
            self.drop(next(iter(self._kept)))
        self._kept[message] = found, asyncio.get_running_loop().call_later(KEPT_S, self.drop, message)
