"""The table of what a client can ask of the server: each operation, how it is written, and what is left out.

An operation is written as an actor of a scenario file, so each pair of them is a scenario that can be kept.
The relation of a pair (`relations`) fills in what it acts on: a given message, a tag that it writes, and a
tag that it expects to be there.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mailrace.scenario.actor import Actor

Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class Subject:
    """What one side of a pair acts on: names of given messages, and tags as a scenario file has them.

    message   the message that it deletes, reads or retags; `besides`: another one, for bulk operations
    tag       the tag that it writes; `known`: the tag that it looks for, renames or deletes
    also_known   another tag that may be there
    """

    message: str
    besides: str
    tag: str
    known: str
    also_known: str


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One operation of the table.

    name      unique, as the report has it
    kind      the actor's key in a scenario file; an operation whose key this mailrace does not know is not
              surveyed
    form      gives the fields under that key, for what it acts on
    requests  the entries of the server's own list of operations that it stands for
    """

    name: str
    kind: str
    form: Callable[[Subject], Fields]
    requests: tuple[str, ...] = ()

    @property
    def only_reads(self) -> bool:
        """Whether it changes nothing: two of these cannot race."""
        return self.kind == "read"

    @property
    def is_known(self) -> bool:
        """Whether a scenario can hold it."""
        return self.kind in Actor.model_fields


def _search(on: Subject) -> str:
    return f"tag:{on.known}"


TABLE: tuple[Surveyed, ...] = (
    Surveyed("send", "send", lambda on: {"tags": [on.tag]}, ("SMTP",)),
    Surveyed("send by REST", "send", lambda on: {"tags": [on.tag], "via": "rest"}, ("POST /api/v1/send",)),
    Surveyed("delete", "delete", lambda on: {"messages": [on.message]}, ("DELETE /api/v1/messages",)),
    Surveyed("delete two", "delete", lambda on: {"messages": [on.message, on.besides]}),
    Surveyed(
        "delete by search", "delete_search", lambda on: {"query": _search(on)}, ("DELETE /api/v1/search",)
    ),
    Surveyed("delete unread", "delete_search", lambda on: {"query": f"is:unread {_search(on)}"}),
    Surveyed("delete all", "delete_all", lambda _: {}),
    Surveyed(
        "set tags",
        "set_tags",
        lambda on: {"messages": [on.message], "tags": [on.tag]},
        ("PUT /api/v1/tags",),
    ),
    Surveyed("clear tags", "set_tags", lambda on: {"messages": [on.message], "tags": []}),
    Surveyed(
        "rename tag",
        "rename_tag",
        lambda on: {"tag": on.known, "to": on.tag if on.tag != on.known else f"{on.known}-r"},
        ("PUT /api/v1/tags/{Tag}",),
    ),
    Surveyed("rename to known", "rename_tag", lambda on: {"tag": on.known, "to": on.also_known}),
    Surveyed("delete tag", "delete_tag", lambda on: {"tag": on.known}, ("DELETE /api/v1/tags/{Tag}",)),
    Surveyed(
        "read message", "read_message", lambda on: {"message": on.message}, ("GET /api/v1/message/{ID}",)
    ),
    Surveyed(
        "mark read",
        "set_read",
        lambda on: {"messages": [on.message], "read": True},
        ("PUT /api/v1/messages",),
    ),
    Surveyed("mark read by search", "set_read", lambda on: {"query": _search(on), "read": True}),
    Surveyed("mark all read", "set_read", lambda _: {"read": True}),
    Surveyed("view latest", "view_latest", lambda _: {}, ("GET /view/latest",)),
    Surveyed("read latest", "view_latest", lambda _: {"via": "api"}),
    Surveyed("POP3 retrieve", "pop3_retrieve", lambda on: {"message": on.message}, ("POP3 RETR",)),
    Surveyed("POP3 delete", "pop3_delete", lambda on: {"messages": [on.message]}, ("POP3 DELE, QUIT",)),
    Surveyed(
        "release", "release", lambda on: {"message": on.message}, ("POST /api/v1/message/{ID}/release",)
    ),
    Surveyed(
        "list",
        "read",
        lambda _: {"path": "/api/v1/messages?limit=50", "times": 1},
        ("GET /api/v1/messages",),
    ),
)
"""The order is that of the heat map."""

SAME_ID = Surveyed("send one ID", "send", lambda on: {"tags": [on.tag], "message_id": "shared"}, ("SMTP",))
"""Surveyed beside itself on servers that are told to ignore duplicate Message-IDs."""

DELETE = next(one for one in TABLE if one.name == "delete")
POP3_TWO = Surveyed("POP3 delete two", "pop3_delete", lambda on: {"messages": [on.message, on.besides]})
"""Surveyed beside a deletion of one of its messages only, which may stop the server (S5)."""

_ONLY_READS = "it only reads, as the list does"
LEFT_OUT: Mapping[str, str] = {
    "GET /api/v1/chaos": "it is about faults that the server is told to make",
    "PUT /api/v1/chaos": "it is about faults that the server is told to make",
    "GET /api/v1/info": _ONLY_READS,
    "GET /api/v1/webui": "it reads nothing of the store",
    "GET /api/v1/message/{ID}/headers": _ONLY_READS,
    "GET /api/v1/message/{ID}/raw": _ONLY_READS,
    "GET /api/v1/message/{ID}/part/{PartID}": _ONLY_READS,
    "GET /api/v1/message/{ID}/part/{PartID}/thumb": _ONLY_READS,
    "GET /api/v1/message/{ID}/html-check": _ONLY_READS,
    "GET /api/v1/message/{ID}/link-check": "it reaches other servers",
    "GET /api/v1/message/{ID}/rspamd-check": "it reaches other servers",
    "GET /api/v1/message/{ID}/sa-check": "it reaches other servers",
    "GET /api/v1/search": _ONLY_READS,
    "GET /api/v1/tags": _ONLY_READS,
    "GET /view/{ID}.html": _ONLY_READS,
    "GET /view/{ID}.txt": _ONLY_READS,
    "pruning by --max": "no client asks for it: a timer of the server does, once a minute",
    "pruning by --max-age": "no client asks for it: a timer of the server does, once a minute",
}
"""Requests that are known but not surveyed, and why; mailrace does not know what neither table holds."""


def not_surveyed(offered: Iterable[str]) -> dict[str, str]:
    """What the server offers and the survey leaves out, and why; what mailrace does not know comes first.

    offered   the server's own list, with entries such as `GET /api/v1/info`; empty where it has none
    """
    own = {request: one for one in TABLE for request in one.requests}
    new = {one: "this mailrace does not know it" for one in offered if one not in own and one not in LEFT_OUT}
    lacking = {r: f"this mailrace has no actor `{one.kind}`" for r, one in own.items() if not one.is_known}
    return {**new, **lacking, **LEFT_OUT}
