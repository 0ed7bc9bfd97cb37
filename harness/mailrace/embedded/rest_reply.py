"""How answers are written: JSON as Go's encoder writes it, plain words for errors."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

NOT_FOUND = "404 page not found"
UNTYPED = "untyped"
"""Key of a reply that goes out without a Content-Type."""


def as_json(document: object, status: int = 200) -> web.Response:
    """A document, compact, with the escapes and the newline of Go's encoder."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    body = f"{text}\n".encode("utf-8", "replace")
    return web.Response(status=status, body=body, headers={"Content-Type": "application/json"})


def ok(content_type: str = "text/plain") -> web.Response:
    """What every change answers."""
    return web.Response(body=b"ok", headers={"Content-Type": content_type})


def bad_request(text: str) -> web.Response:
    """400 with a sentence."""
    return web.Response(
        status=400, body=text.encode("utf-8", "replace"), headers={"Content-Type": "text/plain"}
    )


def not_found() -> web.Response:
    """404 for a message or part that is not there."""
    return web.Response(status=404, body=NOT_FOUND.encode(), headers={"Content-Type": "text/plain"})


def no_latest() -> web.Response:
    """404 for `latest` where there is no message."""
    reply = web.Response(status=404, body=b"Message not found")
    reply[UNTYPED] = True
    return reply


class BadJson(Exception):
    """A request body that Go's decoder refuses, in its words."""


async def read_json(request: web.Request) -> Mapping[str, Any]:
    """The body as an object; names are matched without regard to case; raises BadJson."""
    try:
        raw = await request.read()
    except (ConnectionError, web.RequestPayloadError) as error:
        raise BadJson("unexpected EOF") from error  # cut off: to Go's decoder, a body like any other
    if not raw.strip():
        raise BadJson("EOF")
    try:
        # Go's decoder reads the first document, and leaves what follows.
        document, _ = json.JSONDecoder().raw_decode(raw.decode("utf-8", "replace").lstrip())
    except json.JSONDecodeError as error:
        raise BadJson(_in_go_words(error)) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        kind = {list: "array", str: "string", bool: "bool"}.get(type(document), "number")
        raise BadJson(f"json: cannot unmarshal {kind} into Go value of type struct")
    return {str(key).lower(): value for key, value in document.items()}


def strings(document: Mapping[str, Any], name: str) -> list[str]:
    """A list of strings under a name, empty where there is none; raises BadJson."""
    value = document.get(name.lower())
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadJson(f"json: cannot unmarshal {_kind(value)} into Go struct field .{name} of type string")
    return value


def _kind(value: object) -> str:
    names = {dict: "object", str: "string", bool: "bool", list: "number"}
    return names.get(type(value), "number")


def _in_go_words(error: json.JSONDecodeError) -> str:
    if error.pos >= len(error.doc.rstrip()):
        return "unexpected EOF"
    return f"invalid character '{error.doc[error.pos]}' looking for beginning of value"
