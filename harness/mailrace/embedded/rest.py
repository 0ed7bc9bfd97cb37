"""The REST interface under /api/v1, livez and readyz: the routes of one version, and its errors."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from mailrace.embedded.driver import StatementFailed, acting
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.rest_changing import ChangingApi
from mailrace.embedded.rest_reading import ReadingApi
from mailrace.embedded.rest_reply import BadJson, bad_request
from mailrace.embedded.settings import Settings
from mailrace.embedded.tagging import TagRefused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_BYTES_MAX = 64 * 1024 * 1024


def application(mailbox: Mailbox, settings: Settings) -> web.Application:
    """The whole HTTP side of one instance."""
    app = web.Application(client_max_size=REQUEST_BYTES_MAX)
    reading, changing = ReadingApi(mailbox, settings), ChangingApi(mailbox, settings.relay)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/messages", reading.page),
        ("PUT", "/messages", changing.set_read),
        ("DELETE", "/messages", changing.delete),
        ("GET", "/search", reading.search),
        ("DELETE", "/search", changing.delete_search),
        ("GET", "/message/{id}", reading.message),
        ("GET", "/message/{id}/raw", reading.raw),
        ("GET", "/message/{id}/headers", reading.headers),
        ("GET", "/message/{id}/part/{part}", reading.part),
        ("POST", "/message/{id}/release", changing.release),
        ("GET", "/tags", reading.tags),
        ("PUT", "/tags", changing.set_tags),
        ("GET", "/info", reading.info),
        ("GET", "/webui", reading.webui),
    ]
    # A release that lacks an endpoint answers 404, so what came later is added only from then on.
    if mailbox.version.since(1, 18):
        routes.append(("POST", "/send", changing.send))
    if mailbox.version.since(1, 19):
        routes += [
            ("PUT", "/tags/{tag:.+}", changing.rename_tag),
            ("DELETE", "/tags/{tag:.+}", changing.delete_tag),
        ]
    for method, path, handler in routes:
        app.router.add_route(method, f"/api/v1{path}", _answering(mailbox, handler))
    # These stand outside of /api/v1, as in the releases.
    app.router.add_get("/view/latest", _answering(mailbox, reading.view_latest))
    app.router.add_get("/livez", reading.livez)
    app.router.add_get("/readyz", reading.readyz)
    return app


def _answering(mailbox: Mailbox, handler: Handler) -> Handler:
    async def to_its_end(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (StatementFailed, TagRefused, BadJson) as error:
            return bad_request(str(error))

    async def answer(request: web.Request) -> web.StreamResponse:
        with acting(f"{request.method} {request.path}"):
            # A goroutine goes on when its client has left; so does this.
            return await mailbox.to_its_end(to_its_end(request))

    return answer
