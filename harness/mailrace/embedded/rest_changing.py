"""REST that changes something: read flags, tags, deletion, and a mail that is sent as JSON."""

from email.utils import parseaddr

from aiohttp import web

from mailrace.embedded import listing, relaying
from mailrace.embedded.compose import CannotCompose, compose
from mailrace.embedded.log import log
from mailrace.embedded.mailbox import Mailbox, Refused
from mailrace.embedded.rest_reply import (
    BadJson,
    EmptyBody,
    as_json,
    bad_request,
    not_found,
    ok,
    read_json,
    strings,
)
from mailrace.embedded.settings import Address


class ChangingApi:
    """Handlers of PUT, DELETE and POST; the errors that they raise are answered 400 by the application."""

    def __init__(self, mailbox: Mailbox, relay: Address | None) -> None:
        self._mailbox = mailbox
        self._relay = relay
        self._version = mailbox.version

    async def set_read(self, request: web.Request) -> web.Response:
        """Mark messages by ID, by search or all."""
        document = await read_json(request)
        ids = strings(document, "IDs")
        read = document.get("read") is True
        query = str(document.get("search") or "") if self._version.since(1, 24, 1) else ""
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
        """Delete by ID; everything where no ID is given, and until 1.33.1 where the body is wrong."""
        try:
            ids = strings(await read_json(request), "IDs")
        except BadJson as error:
            if self._version.since(1, 33, 1) and not isinstance(error, EmptyBody):
                raise
            ids = []
        if ids:
            await self._mailbox.delete(ids)
        else:
            await self._mailbox.delete_all()
        return ok()

    async def delete_search(self, request: web.Request) -> web.Response:
        """Delete what matches."""
        query = request.query.get("query", "").strip()
        if not query:
            return bad_request("Error: no search query")
        await self._mailbox.delete_search(query)
        return ok()

    async def set_tags(self, request: web.Request) -> web.Response:
        """Make these the tags of those messages."""
        document = await read_json(request)
        await self._mailbox.set_tags(strings(document, "IDs"), strings(document, "Tags"))
        return ok()

    async def rename_tag(self, request: web.Request) -> web.Response:
        """Give a tag another name."""
        document = await read_json(request)
        await self._mailbox.rename_tag(request.match_info["tag"], str(document.get("name") or ""))
        return ok()

    async def delete_tag(self, request: web.Request) -> web.Response:
        """Take a tag from all messages."""
        await self._mailbox.delete_tag(request.match_info["tag"])
        return ok()

    async def release(self, request: web.Request) -> web.Response:
        """Hand a message to the relay, as it is when the request's head is there: the body is read later."""
        raw = await listing.raw_message(self._mailbox.db, self._version, request.match_info["id"])
        if raw is None:
            return not_found()
        recipients = strings(await read_json(request), "To")
        addresses = [parseaddr(each)[1] for each in recipients]
        for text, address in zip(recipients, addresses, strict=True):
            if "@" not in address.strip("@"):
                return bad_request(f"Invalid email address: {text}")
        if not recipients:
            return bad_request("No valid addresses found")
        sender, mail = relaying.released(raw, self._version)
        if not sender:
            return bad_request("No From header found")
        if self._relay is None:
            return bad_request("SMTP error: no relay is set up")
        # The store is not asked again: whatever becomes of the message now, the relay gets it.
        try:
            await self._mailbox.to_its_end(relaying.relay(self._relay, sender, recipients, mail))
        except relaying.RelayFailed as error:
            log("error", f"[smtp] error sending message: {error}")
            return bad_request(str(error))
        return ok()

    async def send(self, request: web.Request) -> web.Response:
        """Store a mail as if it had come over SMTP; every mistake is 400, whether it is stored or not."""
        try:
            document = await read_json(request)
            raw, recipients = compose(document)
            sender = str((document.get("from") or {}).get("Email") or "")
            message = await self._mailbox.accept(sender, recipients, raw)
        except (BadJson, CannotCompose, Refused) as error:
            return as_json({"Error": str(error)}, status=400)
        return as_json({"ID": message})
