"""POST /send: a mail written as JSON, stored as if it had come over SMTP."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from mailrace.embedded.compose import CannotCompose, compose
from mailrace.embedded.mailbox import Mailbox, Refused
from mailrace.embedded.rest_reply import BadJson, as_json, read_json


def send_handler(mailbox: Mailbox) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler; every mistake is 400 with `{"Error": …}`, whether the mail is stored or not."""

    async def send(request: web.Request) -> web.StreamResponse:
        try:
            document = await read_json(request)
            raw, recipients = compose(document)
            sender = str((document.get("from") or {}).get("Email") or "")
            message = await mailbox.accept(sender, recipients, raw)
        except (BadJson, CannotCompose, Refused) as error:
            return as_json({"Error": str(error)}, status=400)
        return as_json({"ID": message})

    return send
