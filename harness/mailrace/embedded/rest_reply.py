"""How REST answers are written and bodies are read: JSON, and plain words for errors."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web


def as_json(document: object, status: int = 200) -> web.Response:
    """A document, compact."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return web.Response(status=status, body=body, content_type="application/json")


def ok() -> web.Response:
    """What every change answers."""
    return web.Response(text="ok")


def bad_request(text: str) -> web.Response:
    """400 with a sentence."""
    return web.Response(status=400, body=text.encode("utf-8", "replace"), content_type="text/plain")


def not_found(text: str = "404 page not found") -> web.Response:
    """404 for a message or part that is not there."""
    return web.Response(status=404, text=text)


class BadJson(Exception):
    """A request body that is not what is wanted."""


class EmptyBody(BadJson):
    """There is no body at all."""


async def read_json(request: web.Request) -> Mapping[str, Any]:
    """The body as an object, names in small letters; raises BadJson. What follows the object is not read."""
    try:
        raw = await request.read()
    except (ConnectionError, web.RequestPayloadError) as error:
        raise BadJson("unexpected EOF") from error  # cut off: to Go's decoder, a body like any other
    if not raw.strip():
        raise EmptyBody("EOF")
    try:
        document, _ = json.JSONDecoder().raw_decode(raw.decode("utf-8", "replace").lstrip())
    except json.JSONDecodeError as error:
        raise BadJson(f"json: {error}") from error
    if not isinstance(document, dict | None):
        raise BadJson("json: the body is no object")
    return {str(key).lower(): value for key, value in (document or {}).items()}


def strings(document: Mapping[str, Any], name: str) -> list[str]:
    """A list of strings under a name, empty where there is none; raises BadJson."""
    value = document.get(name.lower())
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadJson(f"json: {name} is no list of strings")
    return value
