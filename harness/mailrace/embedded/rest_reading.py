"""REST that reads: lists, searches, one message and its parts, tags, and what the server says of itself."""

import resource
from time import monotonic

from aiohttp import web

from mailrace.embedded import listing, searching, tagging
from mailrace.embedded.database import Database
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.message import Attachment, parse
from mailrace.embedded.rest_reply import as_json, bad_request, not_found
from mailrace.embedded.settings import Settings

PAGE_ROWS = 50
_SIZE = "SELECT page_count * page_size AS size FROM pragma_page_count(), pragma_page_size()"


class ReadingApi:
    """Handlers of GET."""

    def __init__(self, mailbox: Mailbox, settings: Settings) -> None:
        self._mailbox = mailbox
        self._version = mailbox.version
        self._database = settings.database
        self._has_relay = settings.relay is not None
        self._started_s = monotonic()

    async def page(self, request: web.Request) -> web.Response:
        """A page of the mailbox."""
        start, limit = self._wanted(request)
        # Rows, their tags, totals and all tags are separate queries: changes that come between are seen.
        async with self._mailbox.whole() as db:
            rows = await listing.list_messages(db, self._version, start, limit)
            document = await self._counted(db)
        document |= {"messages": rows, "count": len(rows), "start": start}
        document |= {"messages_count": document["total"]}
        if self._version.since(1, 27):
            document["messages_unread"] = document["unread"]
        return as_json(document)

    async def search(self, request: web.Request) -> web.Response:
        """A page of what matches."""
        query = request.query.get("query", "").strip()
        if not query:
            return bad_request("Error: no search query")
        start, limit = self._wanted(request)
        async with self._mailbox.whole() as db:
            rows, matching = await searching.search(db, self._version, query, start, limit)
            document = await self._counted(db)
            if self._version.since(1, 27):
                document["messages_unread"] = await searching.count_unread(db, self._version, query)
        document |= {"messages": rows, "count": len(rows), "start": start}
        return as_json(document | {"messages_count": matching})

    async def _counted(self, db: Database) -> dict[str, object]:
        total, unread = await listing.count(db), await listing.count_flagged(db, 0)
        return {"total": total, "unread": unread, "tags": await tagging.all_tags(db)}

    def _wanted(self, request: web.Request) -> tuple[int, int]:
        """Start and limit; `limit=0` is 50 until 1.22.3, and then all of a list, but nothing of a search."""
        limit = _whole(request.query.get("limit", ""), 0 if self._version.since(1, 22, 3) else 1, PAGE_ROWS)
        return _whole(request.query.get("start", ""), 1, 0), limit

    async def message(self, request: web.Request) -> web.Response:
        """One message, which is marked read."""
        async with self._mailbox.whole() as db:
            message = await self._named(request, db)
            parsed = await self._mailbox.parsed.get(db, message) if message else None
            if parsed is None:
                return not_found() if message else not_found("Message not found")
            mail = parsed.mail
            if self._version.since(1, 27):
                await listing.metadata(db, message)
            date = mail.date or await listing.created(db, message)
            tags = await tagging.tags_of(db, message)
            await self._mailbox.mark([message], True, within=db)
        found: dict[str, object] = {"ID": message, "MessageID": mail.message_id, **mail.people()}
        found |= {"ReturnPath": mail.header.get("Return-Path").strip("<>") or mail.sender()[1]}
        found |= {"Subject": mail.header.text("Subject"), "Date": date, "Tags": tags, "Size": parsed.size}
        found |= {"Text": mail.text, "HTML": mail.html}
        found |= {"Inline": _parts(mail.inline), "Attachments": _parts(mail.attachments)}
        return as_json(found)

    async def raw(self, request: web.Request) -> web.Response:
        """The mail as stored."""
        raw = await self._raw(request)
        return web.Response(body=raw, content_type="text/plain") if raw is not None else not_found()

    async def headers(self, request: web.Request) -> web.Response:
        """The header as a map from names to values."""
        raw = await self._raw(request)
        return as_json(parse(raw).header.canonical()) if raw is not None else not_found()

    async def part(self, request: web.Request) -> web.Response:
        """An attachment or inline part by its number."""
        message = await self._named(request, self._mailbox.db)
        parsed = await self._mailbox.parsed.get(self._mailbox.db, message) if message else None
        for part in (*parsed.mail.inline, *parsed.mail.attachments) if parsed else ():
            if part.number == request.match_info["part"]:
                return web.Response(body=part.content(), content_type=part.part.get_content_type())
        return not_found()

    async def view_latest(self, request: web.Request) -> web.Response:
        """To the page of the newest message, or to the front page where there is none."""
        async with self._mailbox.whole() as db:
            newest = await self._newest(request, db)
        place = f"/view/{newest}" if newest else "/"
        headers = {"Location": place, "Content-Type": "text/html; charset=utf-8"}
        return web.Response(status=302, headers=headers, text=f'<a href="{place}">Found</a>.\n\n')

    async def _newest(self, request: web.Request, db: Database) -> str:
        """The ID of the newest message, or of the newest that matches; "" where there is none."""
        query = request.query.get("query", "").strip()
        if query:
            rows, _ = await searching.search(db, self._version, query, 0, 1)
        else:
            rows = await listing.list_messages(db, self._version, 0, 1)
        return str(rows[0]["ID"]) if rows else ""

    async def _named(self, request: web.Request, db: Database) -> str:
        """The ID of the message that the path names; "" where it asks for the newest and there is none."""
        message = request.match_info["id"]
        return await self._newest(request, db) if message == "latest" else message

    async def _raw(self, request: web.Request) -> bytes | None:
        """The source of the message that the path names; None where there is none."""
        message = await self._named(request, self._mailbox.db)
        return await listing.raw_message(self._mailbox.db, self._version, message) if message else None

    async def tags(self, request: web.Request) -> web.Response:
        """Every tag there is."""
        return as_json(await tagging.all_tags(self._mailbox.db))

    async def info(self, request: web.Request) -> web.Response:
        """Version, store, totals, tags and what was counted since the start."""
        async with self._mailbox.whole() as db:
            size = int(str((await db.query_one(_SIZE))[0]))
            messages = await listing.count(db)
            unread = await listing.count_flagged(db, 0)
            tags = await tagging.tag_counts(db)
        counters = self._mailbox.counters
        running = {
            "Uptime": int(monotonic() - self._started_s),
            "Memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "MessagesDeleted": counters.deleted,
            "SMTPAccepted": counters.accepted,
            "SMTPAcceptedSize": counters.accepted_bytes,
            "SMTPRejected": counters.rejected,
            "SMTPIgnored": counters.ignored,
        }
        name = self._version.name
        shown = name if self._version.is_fixed else f"v{name}"
        found: dict[str, object] = {"Version": shown, "Messages": messages, "Unread": unread}
        found |= {"Database": self._database, "DatabaseSize": size}
        return as_json(found | {"Tags": tags, "RuntimeStats": running})

    async def webui(self, request: web.Request) -> web.Response:
        """The settings that matter to a client: whether there is a relay, what is ignored, and no Chaos."""
        found: dict[str, object] = {"MessageRelay": {"Enabled": self._has_relay}, "SpamAssassin": False}
        found |= {"DuplicatesIgnored": self._mailbox.ignores_duplicate_ids}
        return as_json(found | ({"ChaosEnabled": False} if self._version.since(1, 27) else {}))

    async def livez(self, request: web.Request) -> web.Response:
        """The process answers."""
        return web.Response()

    async def readyz(self, request: web.Request) -> web.Response:
        """The store answers: this waits for the pooled connection, without limit."""
        await self._mailbox.db.ping()
        return web.Response()


def _parts(parts: tuple[Attachment, ...]) -> list[dict[str, object]]:
    return [
        {
            "PartID": each.number,
            "FileName": each.file_name or each.content_id,
            "ContentType": each.part.get_content_type(),
            "ContentID": each.content_id,
            "Size": len(each.content()),
        }
        for each in parts
        if each.file_name or each.content_id
    ]


def _whole(text: str, least: int, otherwise: int) -> int:
    try:
        number = int(text)
    except ValueError:
        return otherwise
    return number if number >= least else otherwise
