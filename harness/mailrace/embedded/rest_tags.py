"""REST on tags: all of them, those of messages, and one by its name."""

from aiohttp import web

from mailrace.embedded import tagging
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.rest_reply import BadJson, as_json, bad_request, ok, read_json, strings


class TagsApi:
    """Handlers of /tags and /tags/TAG."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def all(self, request: web.Request) -> web.Response:
        """Every tag there is."""
        return as_json(await tagging.all_tags(self._mailbox.db))

    async def set(self, request: web.Request) -> web.Response:
        """Make these the tags of those messages."""
        try:
            document = await read_json(request)
            ids, names = strings(document, "IDs"), strings(document, "Tags")
        except BadJson as error:
            return bad_request(str(error))
        await self._mailbox.set_tags(ids, names)
        return ok()

    async def rename(self, request: web.Request) -> web.Response:
        """Give a tag another name."""
        try:
            document = await read_json(request)
        except BadJson as error:
            return bad_request(str(error))
        await self._mailbox.rename_tag(request.match_info["tag"], str(document.get("name") or ""))
        return ok()

    async def delete(self, request: web.Request) -> web.Response:
        """Take a tag from all messages."""
        await self._mailbox.delete_tag(request.match_info["tag"])
        return ok()
