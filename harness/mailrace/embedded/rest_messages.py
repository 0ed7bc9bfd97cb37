"""REST on messages: lists, searches, one message, its raw text, headers and parts, read flags, deletion."""

import hashlib
from urllib.parse import quote

from aiohttp import web

from mailrace.embedded import listing, searching, tagging
from mailrace.embedded.headers import MalformedHeader
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.message import Attachment, Mail, parse
from mailrace.embedded.rest_reply import (
    BadJson,
    as_json,
    bad_request,
    no_latest,
    not_found,
    ok,
    read_json,
    strings,
)
from mailrace.embedded.unsubscribe import unsubscribe

PAGE_ROWS = 50


class MessagesApi:
    """Handlers of /messages, /search and /message."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._version = mailbox.version

    async def page(self, request: web.Request) -> web.Response:
        """A page of the mailbox."""
        start, before_ms, limit = self._wanted(request)
        async with self._mailbox.whole() as db:
            rows = await listing.list_messages(db, self._version, start, before_ms, limit)
            total = await listing.count(db)
            unread = await listing.count_flagged(db, 0)
            tags = await tagging.all_tags(db)
        return as_json(self._summary(start, rows, total, unread, tags, total, unread))

    async def search(self, request: web.Request) -> web.Response:
        """A page of what matches."""
        query = request.query.get("query", "").strip()
        if not query:
            return bad_request("Error: no search query")
        start, before_ms, limit = self._wanted(request)
        async with self._mailbox.whole() as db:
            rows, matching = await searching.search(db, self._version, query, start, before_ms, limit)
            total = await listing.count(db)
            unread = await listing.count_flagged(db, 0)
            tags = await tagging.all_tags(db)
            found_unread = 0
            if self._version.has_read_search:
                found_unread = await searching.count_unread(db, self._version, query, before_ms)
        return as_json(self._summary(start, rows, total, unread, tags, matching, found_unread))

    def _summary(
        self,
        start: int,
        rows: list[listing.Summary],
        total: int,
        unread: int,
        tags: list[str],
        matching: int,
        matching_unread: int,
    ) -> dict[str, object]:
        found: dict[str, object] = {"total": total, "unread": unread, "count": len(rows)}
        found |= {"messages_count": matching}
        if self._version.has_read_search:
            found |= {"messages_unread": matching_unread}
        return found | {"start": start, "tags": tags, "messages": rows}

    def _wanted(self, request: web.Request) -> tuple[int, int, int]:
        limit = _whole(request.query.get("limit", ""), 0 if self._version.limit_zero_is_all else 1, PAGE_ROWS)
        before = request.query.get("before", "") if self._version.has_read_search else ""
        return _whole(request.query.get("start", ""), 1, 0), searching.as_ms(before) or 0, limit

    async def message(self, request: web.Request) -> web.Response:
        """One message, which is marked read."""
        message, raw = await self._raw(request)
        if raw is None:
            return _absent(message)
        mail = parse(raw)
        db = self._mailbox.db
        meta = await listing.metadata(db, message) if self._version.lists_username else {}
        date = mail.date or await listing.created(db, message)
        tags = await tagging.tags_of(db, message)
        await self._mailbox.mark([message], True)
        return as_json(self._shown(message, raw, mail, meta, date, tags))

    def _shown(
        self, message: str, raw: bytes, mail: Mail, meta: dict[str, object], date: str, tags: list[str]
    ) -> dict[str, object]:
        name, address = mail.sender()
        sender = meta.get("From") or {"Name": name, "Address": address}
        found: dict[str, object] = {"ID": message, "MessageID": mail.message_id, "From": sender}
        for key in ("To", "Cc", "Bcc", "ReplyTo"):
            pairs = mail.header.addresses("Reply-To" if key == "ReplyTo" else key)
            found[key] = [{"Name": n, "Address": a} for n, a in pairs]
        found |= {"ReturnPath": mail.header.get("Return-Path").strip("<>") or address}
        found |= {"Subject": mail.header.text("Subject"), "ListUnsubscribe": unsubscribe(mail.header)}
        found |= {"Date": date, "Tags": tags}
        if self._version.lists_username:
            found |= {"Username": meta.get("Username", "")}
        found |= {"Text": mail.text, "HTML": mail.html, "Size": len(raw)}
        found |= {"Inline": [self._attachment(a) for a in mail.inline if a.file_name or a.content_id]}
        files = [self._attachment(a) for a in mail.attachments if a.file_name or a.content_id]
        return found | {"Attachments": files}

    def _attachment(self, part: Attachment) -> dict[str, object]:
        found: dict[str, object] = {"PartID": part.number, "FileName": part.file_name or part.content_id}
        found |= {"ContentType": part.content_type, "ContentID": part.content_id, "Size": len(part.content)}
        if self._version.checksums:
            digests = {
                name: hashlib.new(name, part.content).hexdigest() for name in ("md5", "sha1", "sha256")
            }
            found |= {"Checksums": {name.upper(): digest for name, digest in digests.items()}}
        return found

    async def raw(self, request: web.Request) -> web.Response:
        """The mail as stored."""
        message, raw = await self._raw(request)
        if raw is None:
            return _absent(message)
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if request.query.get("dl") == "1":
            headers["Content-Disposition"] = f'attachment; filename="{message}.eml"'
        return web.Response(body=raw, headers=headers)

    async def headers(self, request: web.Request) -> web.Response:
        """The header as a map from names to values."""
        message, raw = await self._raw(request)
        if raw is None:
            return _absent(message)
        try:
            return as_json(parse(raw).header.canonical())
        except MalformedHeader as error:
            return bad_request(str(error))

    async def part(self, request: web.Request) -> web.Response:
        """An attachment or inline part by its number."""
        _, raw = await self._raw(request)
        mail = parse(raw) if raw is not None else None
        parts = {a.number: a for a in (*mail.inline, *mail.attachments)} if mail else {}
        part = parts.get(request.match_info["part"])
        if part is None:
            return not_found()
        name = quote(part.file_name or part.content_id)
        headers = {"Content-Type": part.content_type, "Content-Disposition": f'inline; filename="{name}"'}
        return web.Response(body=part.content, headers=headers)

    async def _raw(self, request: web.Request) -> tuple[str, bytes | None]:
        message = request.match_info["id"]
        if message == "latest":
            message = await self._latest(request.query.get("query", "").strip())
        return message, await listing.raw_message(
            self._mailbox.db, self._version, message
        ) if message else None

    async def _latest(self, query: str) -> str:
        db = self._mailbox.db
        if query:
            rows, _ = await searching.search(db, self._version, query, 0, 0, 1)
        else:
            rows = await listing.list_messages(db, self._version, 0, 0, 1)
        return str(rows[0]["ID"]) if rows else ""

    async def set_read(self, request: web.Request) -> web.Response:
        """Mark messages by ID, by search or all."""
        try:
            document = await read_json(request)
            ids = strings(document, "IDs")
        except BadJson as error:
            return bad_request(str(error))
        read = document.get("read") is True
        query = str(document.get("search") or "") if self._version.has_read_search else ""
        if ids and query:
            return bad_request("You may specify either IDs or a search query, not both")
        if query:
            await self._mailbox.mark_found(query, read)
        elif ids:
            await self._mailbox.mark(ids, read)
        else:
            await self._mailbox.mark_all(read)
        return ok()

    async def delete(self, request: web.Request) -> web.Response:
        """Delete by ID; everything where the body is absent, empty or unreadable."""
        try:
            ids = strings(await read_json(request), "IDs")
        except BadJson:
            ids = []
        if ids:
            await self._mailbox.delete(ids)
        else:
            await self._mailbox.delete_all()
        return ok(self._version.deletion_type)

    async def delete_search(self, request: web.Request) -> web.Response:
        """Delete what matches."""
        query = request.query.get("query", "").strip()
        if not query:
            return bad_request("Error: no search query")
        await self._mailbox.delete_search(query)
        return ok()


def _absent(message: str) -> web.Response:
    return not_found() if message else no_latest()


def _whole(text: str, least: int, otherwise: int) -> int:
    try:
        number = int(text)
    except ValueError:
        return otherwise
    return number if number >= least else otherwise
