"""Takes a request to Mailpit's REST API and its reply; gives what they are about, as fields of `Recorded`.

Where an actor of a scenario does the same, the kind has the actor's name, so that an overlap that was seen
can be written as a scenario. Paths are those of `/api/v1/swagger.json`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from mailrace.record.addresses import addresses_in
from mailrace.record.recorded import FOUND_MAX, About

_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", r"/api/v1/messages", "list"),
    ("PUT", r"/api/v1/messages", "set_read"),
    ("DELETE", r"/api/v1/messages", "delete"),
    ("GET", r"/api/v1/search", "search"),
    ("DELETE", r"/api/v1/search", "delete_search"),
    ("POST", r"/api/v1/send", "send"),
    ("GET", r"/api/v1/tags", "tags"),
    ("PUT", r"/api/v1/tags", "set_tags"),
    ("PUT", r"/api/v1/tags/(?P<tag>[^/]+)", "rename_tag"),
    ("DELETE", r"/api/v1/tags/(?P<tag>[^/]+)", "delete_tag"),
    ("GET", r"/api/v1/message/latest", "read_latest"),
    ("GET", r"/api/v1/message/(?P<id>[^/]+)", "read_message"),
    ("POST", r"/api/v1/message/(?P<id>[^/]+)/release", "release"),
    ("GET", r"/api/v1/message/latest/.+", "read_latest"),
    ("GET", r"/api/v1/message/(?P<id>[^/]+)/.+", "read_raw"),
    ("GET", r"/view/latest(?:\..+)?", "read_latest"),
    ("GET", r"/view/(?P<id>[^/]+?)(?:\.html|\.txt)?", "read_raw"),
    ("GET", r"/api/v1/info", "info"),
    ("GET", r"/api/events", "events"),
)
_OTHER = re.compile(r"/(?:api/v1/[a-z-]{1,20}|livez|readyz|metrics|view|proxy)?(?=/|$)")
_COMPILED = tuple((method, re.compile(path), kind) for method, path, kind in _ROUTES)
_WITH_ROWS = frozenset({"list", "search", "read_message", "read_latest", "send", "info"})


class Request:
    """Method and target of a request; `prefix` is the path under which the server lives.

    path    the path below the prefix, as sent
    kind    the word for the operation; `named` is what the path names
    """

    __slots__ = ("_query", "kind", "method", "named", "path")

    def __init__(self, method: str, target: str, prefix: str) -> None:
        if not target.startswith("/"):  # as a proxy is asked: with the whole URL
            target = urlunsplit(("", "", *urlsplit(target)[2:]))
        path, _, self._query = target.partition("#")[0].partition("?")
        self.method = method
        self.path = path[len(prefix) :] if prefix and path.startswith(prefix + "/") else path
        self.kind, self.named = _route(method, self.path)

    @property
    def has_rows(self) -> bool:
        """Whether the reply's body says what the operation was about, so that it must be kept."""
        return self.kind in _WITH_ROWS

    def parameter(self, name: str) -> str:
        """The first value of a parameter of the query; "" where there is none."""
        return parse_qs(self._query).get(name, [""])[0] if self._query else ""


def _route(method: str, path: str) -> tuple[str, Mapping[str, str]]:
    for its_method, pattern, kind in _COMPILED:
        if its_method == method and (found := pattern.fullmatch(path)):
            return kind, {k: unquote(v) for k, v in found.groupdict().items() if v}
    return "other", {}


def about_request(request: Request, body: bytes) -> tuple[str, About]:
    """The kind, and what the request names."""
    kind, named = request.kind, request.named
    # Only what tells operations apart is kept: IDs, tags, the query; no text of a mail.
    given = _json(body)
    about: About = {}
    if "id" in named:
        about["ids"] = (named["id"],)
    if kind in ("list", "search"):
        about |= {"start": _number(request.parameter("start")), "limit": _number(request.parameter("limit"))}
    if kind in ("search", "delete_search"):
        about["query"] = _without_login(request.parameter("query"))
    elif kind in ("delete", "set_read", "set_tags"):
        about["ids"] = _texts(given.get("IDs"))
        if kind == "delete" and not about["ids"]:
            kind = "delete_all"
        elif kind == "set_read":
            about["query"] = str(given.get("Search") or "") or ("" if about["ids"] else "all")
        elif kind == "set_tags":
            about["tags"] = _texts(given.get("Tags"))
    elif kind in ("rename_tag", "delete_tag"):
        about["tags"] = (named["tag"], *_texts([given.get("Name")] if given.get("Name") else []))
    elif kind == "send":
        about |= _sent(given, body)
    elif kind == "other":
        # A path outside Mailpit's API may hold anything, so nothing of it is kept.
        known = _OTHER.match(request.path)
        about["query"] = f"{request.method} {known[0] if known else '(another path)'}"
    return kind, about


def about_reply(request: Request, code: int, body: bytes) -> About:
    """What the reply shows: the rows, the count, the ID; nothing for a refusal."""
    if code >= 400:
        return {}
    kind = request.kind
    given = _json(body) if request.has_rows else {}
    if kind in ("list", "search"):
        rows = given.get("messages")
        total = given.get("messages_count", given.get("total", -1))
        return {"found": _rows(rows), "total": total if isinstance(total, int) else -1}
    if kind in ("read_message", "read_latest"):
        return {"found": _rows([given])}
    if kind == "send":
        return {"queued_as": str(given.get("ID") or "")}
    if kind == "info":
        total = given.get("Messages", -1)
        return {"total": total if isinstance(total, int) else -1}
    return {}


def _sent(given: Mapping[str, object], body: bytes) -> About:
    headers = given.get("Headers")
    fields = headers.items() if isinstance(headers, dict) else ()
    ids = [str(v) for k, v in fields if str(k).lower() == "message-id"]
    sender = given.get("From")
    everybody = [*_list(given.get("To")), *_list(given.get("Cc"))]
    recipients = [str(one.get("Email") or "") for one in everybody if isinstance(one, dict)]
    to = json.dumps(_list(given.get("To")), ensure_ascii=False)
    return {
        "sender": str(sender.get("Email") or "") if isinstance(sender, dict) else "",
        "recipients": (*recipients, *_texts(given.get("Bcc"))),
        "to": addresses_in(to),
        "tags": _texts(given.get("Tags")),
        "message_id": ids[0].strip("<>") if ids else "",
        "digest": hashlib.sha256(body).hexdigest(),
        "size": len(body),
    }


def _rows(rows: object) -> tuple[tuple[str, str], ...]:
    listed = [row for row in _list(rows) if isinstance(row, dict) and row.get("ID")]
    return tuple((str(row["ID"]), str(row.get("MessageID") or "")) for row in listed[:FOUND_MAX])


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _without_login(query: str) -> str:
    """A search without the login of a URL that it asks for."""
    return re.sub(r"//[^/\s\"@]+@", "//", query)


def _json(body: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in _list(value))
