"""What the server says of itself: info, webui, livez, readyz."""

import resource
from time import monotonic

from aiohttp import web

from mailrace.embedded import listing, tagging
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.rest_reply import as_json

_SIZE = "SELECT page_count * page_size AS size FROM pragma_page_count(), pragma_page_size()"


class InfoApi:
    """Handlers of /info, /webui and the two probes."""

    def __init__(self, mailbox: Mailbox, database: str) -> None:
        self._mailbox = mailbox
        self._database = database
        self._started_s = monotonic()

    async def info(self, request: web.Request) -> web.Response:
        """Version, store, totals, tags and what was counted since the start."""
        async with self._mailbox.whole() as db:
            size = int(str((await db.query(_SIZE))[0][0]))
            messages = await listing.count(db)
            unread = await listing.count_flagged(db, 0)
            tags = await tagging.tag_counts(db)
        counters = self._mailbox.counters
        uptime_s = monotonic() - self._started_s
        running = {
            "Uptime": int(uptime_s) if self._mailbox.version.counts_are_whole else uptime_s,
            "Memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "MessagesDeleted": counters.deleted,
            "SMTPAccepted": counters.accepted,
            "SMTPAcceptedSize": counters.accepted_bytes,
            "SMTPRejected": counters.rejected,
            "SMTPIgnored": counters.ignored,
        }
        found: dict[str, object] = {"Version": self._mailbox.version.shown, "LatestVersion": "disabled"}
        found |= {"Database": self._database, "DatabaseSize": size, "Messages": messages, "Unread": unread}
        return as_json(found | {"Tags": tags, "RuntimeStats": running})

    async def webui(self, request: web.Request) -> web.Response:
        """The settings that Mailpit's pages ask for."""
        is_new = self._mailbox.version.has_send
        relay: dict[str, object] = {"Enabled": False, "SMTPServer": "", "ReturnPath": ""}
        relay |= {"AllowedRecipients": "", "RecipientAllowlist": ""}
        if is_new:
            relay |= {"BlockedRecipients": "", "OverrideFrom": "", "PreserveMessageIDs": False}
        found: dict[str, object] = {"MessageRelay": relay, "SpamAssassin": False}
        found |= {"DuplicatesIgnored": self._mailbox.ignores_duplicate_ids}
        if is_new:
            found |= {"Label": "", "ChaosEnabled": False, "HideDeleteAllButton": False}
        return as_json(found)

    async def livez(self, request: web.Request) -> web.Response:
        """The process answers."""
        return web.Response()

    async def readyz(self, request: web.Request) -> web.Response:
        """The store answers: this waits for the pooled connection, without limit."""
        await self._mailbox.db.ping()
        return web.Response()
