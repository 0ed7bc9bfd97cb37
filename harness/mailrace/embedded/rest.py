"""The REST interface under /api/v1, livez and readyz: routes of one version, and how answers are written."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from mailrace.embedded.door import StatementFailed, acting
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.rest_info import InfoApi
from mailrace.embedded.rest_messages import MessagesApi
from mailrace.embedded.rest_reply import NOT_FOUND, UNTYPED, bad_request
from mailrace.embedded.rest_send import send_handler
from mailrace.embedded.rest_tags import TagsApi
from mailrace.embedded.tagging import TagRefused
from mailrace.embedded.versions import Version

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_BYTES_MAX = 64 * 1024 * 1024


def application(mailbox: Mailbox, database: str) -> web.Application:
    """The whole HTTP side of one instance; `database` is what `GET /info` calls the store."""
    errors = _errors_of(mailbox.version)
    app = web.Application(client_max_size=REQUEST_BYTES_MAX, middlewares=[errors])
    app.on_response_prepare.append(_leave_untyped)
    messages, tags = MessagesApi(mailbox), TagsApi(mailbox)
    info = InfoApi(mailbox, database)
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/messages", messages.page),
        ("PUT", "/messages", messages.set_read),
        ("DELETE", "/messages", messages.delete),
        ("GET", "/search", messages.search),
        ("DELETE", "/search", messages.delete_search),
        ("GET", "/message/{id}", messages.message),
        ("GET", "/message/{id}/raw", messages.raw),
        ("GET", "/message/{id}/headers", messages.headers),
        ("GET", "/message/{id}/part/{part}", messages.part),
        ("GET", "/tags", tags.all),
        ("PUT", "/tags", tags.set),
        ("GET", "/info", info.info),
        ("GET", "/webui", info.webui),
    ]
    if mailbox.version.has_tag_names:
        routes += [("PUT", "/tags/{tag:.+}", tags.rename), ("DELETE", "/tags/{tag:.+}", tags.delete)]
    if mailbox.version.has_send:
        routes.append(("POST", "/send", send_handler(mailbox)))
    for method, path, handler in routes:
        app.router.add_route(method, f"/api/v1{path}", _named(mailbox, handler))
    app.router.add_get("/livez", info.livez)
    app.router.add_get("/readyz", info.readyz)
    return app


def _named(mailbox: Mailbox, handler: Handler) -> Handler:
    async def named(request: web.Request) -> web.StreamResponse:
        with acting(f"{request.method} {request.path}"):
            # A goroutine goes on when its client has left; so does this.
            return await mailbox.to_its_end(_coroutine(handler, request))

    return named


async def _coroutine(handler: Handler, request: web.Request) -> web.StreamResponse:
    return await handler(request)


def _errors_of(version: Version) -> Any:
    @web.middleware
    async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            reply = await handler(request)
        except (StatementFailed, TagRefused) as error:
            reply = bad_request(str(error))
        except web.HTTPMethodNotAllowed as error:
            if not version.types_errors:
                return _nowhere(request, version)
            headers = {"Allow": ", ".join(sorted(error.allowed_methods))}
            return web.Response(status=405, text="Method Not Allowed\n", headers=headers)
        except web.HTTPNotFound:
            return _nowhere(request, version)
        if reply.status >= 400 and not version.types_errors:
            reply[UNTYPED] = True
        if not version.ends_json_in_newline and isinstance(reply, web.Response):
            _drop_newline(reply)
        return reply

    return errors


def _drop_newline(reply: web.Response) -> None:
    if reply.content_type == "application/json" and isinstance(reply.body, bytes):
        reply.body = reply.body.rstrip(b"\n")


async def _leave_untyped(request: web.Request, reply: web.StreamResponse) -> None:
    # aiohttp gives everything a type; some of Mailpit's answers have none.
    if reply.get(UNTYPED):
        reply.headers.popall("Content-Type", None)


def _nowhere(request: web.Request, version: Version) -> web.Response:
    # Under /api/ Mailpit looks for a file of its pages.
    looks_for_file = request.path.startswith("/api/") and version.has_send
    text = "File not found" if looks_for_file else NOT_FOUND
    return web.Response(status=404, text=f"{text}\n")
