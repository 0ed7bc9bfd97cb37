"""Every kind of operation that an actor can do, each declared in one place as a frozen value.

A declaration has the kind's fields, its request, its words, what it may do to the store, and the release
since which it can be asked. What else differs between kinds stands where it is needed. Nothing here knows a
socket or a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args
from urllib.parse import quote

from mailrace.model.asked import Asked, AskedOfOne, Effect, Request, Spoken, as_body, own_ids
from mailrace.model.kinds_reading import Pop3Retrieve, Read, ReadMessage, SetRead, ViewLatest
from mailrace.model.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Asked):
    """Send one mail, by SMTP or by `POST /api/v1/send`; `lead` goes before it on the same connection.

    `lead` is a message sent and answered while the round is prepared (S11: it is refused, and what its
    session leaves behind is under test). With `ignore_mail_reply` the client goes on after a refused MAIL.
    """

    effect: ClassVar[Effect] = Effect.STORES
    protocol: ClassVar[Spoken] = "smtp"
    since_if_given: ClassVar[Mapping[str, str]] = {"via": "1.18.0"}
    kind: Literal["send"] = "send"
    key: str
    message: Message
    via: Literal["smtp", "rest"] = "smtp"
    lead: Message | None = None
    ignore_mail_reply: bool = False

    @property
    def words(self) -> str:
        """See `Asked`."""
        tags = f", tags {', '.join(self.message.tags)}" if self.message.tags else ""
        return f"sends {self.message.key} by {self.via.upper()}{tags}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Asked):
    """`DELETE /messages` with the server's IDs of `messages` (keys of given messages; may repeat)."""

    effect: ClassVar[Effect] = Effect.DELETES
    says: ClassVar[str] = "deletes {it.names} by ID"
    kind: Literal["delete"] = "delete"
    key: str
    messages: tuple[str, ...]

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "DELETE", "/api/v1/messages", as_body(IDs=own_ids(self, ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSearch(Asked):
    """`DELETE /search?query=`; deletes every message that matches."""

    effect: ClassVar[Effect] = Effect.DELETES
    says: ClassVar[str] = "deletes what matches {it.query}"
    kind: Literal["delete_search"] = "delete_search"
    key: str
    query: str

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "DELETE", f"/api/v1/search?query={quote(self.query, safe='')}", b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAll(Asked):
    """`DELETE /messages` without a body: the whole mailbox. Never on a server that is not ours."""

    effect: ClassVar[Effect] = Effect.DELETES
    says: ClassVar[str] = "deletes all messages"
    kind: Literal["delete_all"] = "delete_all"
    key: str

    @property
    def is_on_all(self) -> bool:
        """See `Asked`."""
        return True

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "DELETE", "/api/v1/messages", b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTags(Asked):
    """`PUT /tags`: the tags of given messages become exactly `tags`."""

    effect: ClassVar[Effect] = Effect.TAGS
    kind: Literal["set_tags"] = "set_tags"
    key: str
    messages: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def words(self) -> str:
        """See `Asked`."""
        return f"sets the tags of {', '.join(self.messages)} to {', '.join(self.tags) or 'none'}"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "PUT", "/api/v1/tags", as_body(IDs=own_ids(self, ids), Tags=self.tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameTag(Asked):
    """`PUT /tags/TAG` (1.19.0)."""

    effect: ClassVar[Effect] = Effect.TAGS
    says: ClassVar[str] = "renames the tag {it.tag} to {it.to}"
    since: ClassVar[str] = "1.19.0"
    kind: Literal["rename_tag"] = "rename_tag"
    key: str
    tag: str
    to: str

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "PUT", f"/api/v1/tags/{quote(self.tag, safe='')}", as_body(Name=self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTag(Asked):
    """`DELETE /tags/TAG` (1.19.0)."""

    effect: ClassVar[Effect] = Effect.TAGS
    says: ClassVar[str] = "deletes the tag {it.tag}"
    since: ClassVar[str] = "1.19.0"
    kind: Literal["delete_tag"] = "delete_tag"
    key: str
    tag: str

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "DELETE", f"/api/v1/tags/{quote(self.tag, safe='')}", b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pop3Delete(Asked):
    """QUIT of a POP3 session in which given messages were marked with DELE before the release.

    Only QUIT deletes (RFC 1939, 6). A message that is named twice is marked twice.
    """

    effect: ClassVar[Effect] = Effect.DELETES
    says: ClassVar[str] = "deletes {it.names} by POP3"
    protocol: ClassVar[Spoken] = "pop3"
    since: ClassVar[str] = "1.18.6"
    kind: Literal["pop3_delete"] = "pop3_delete"
    key: str
    messages: tuple[str, ...]


RELEASED_TO = "released@mailrace-sink.test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(AskedOfOne):
    """`POST /message/ID/release` of a given message, to a relay that mailrace listens as (`Sink`)."""

    effect: ClassVar[Effect] = Effect.RELAYS
    says: ClassVar[str] = "releases {it.message} to a relay"
    kind: Literal["release"] = "release"
    key: str
    message: str

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "POST", f"/api/v1/message/{own_ids(self, ids)[0]}/release", as_body(To=[RELEASED_TO])


Operation = (
    Send
    | Delete
    | DeleteSearch
    | DeleteAll
    | SetTags
    | RenameTag
    | DeleteTag
    | Read
    | ReadMessage
    | SetRead
    | ViewLatest
    | Pop3Retrieve
    | Pop3Delete
    | Release
)

OPERATIONS: Mapping[str, type[Operation]] = {
    one.__dataclass_fields__["kind"].default: one for one in get_args(Operation)
}
"""Each operation by its kind, which is its key in a scenario file."""


def protocol_of(operation: Operation) -> Spoken:
    """What the operation is asked over."""
    return "http" if isinstance(operation, Send) and operation.via == "rest" else operation.protocol


EDITS: tuple[type, ...] = tuple(
    one for one in OPERATIONS.values() if one.effect & (Effect.DELETES | Effect.TAGS)
)
"""Operations that delete messages or edit tags: `--allow-deletions` on a server that is not ours."""
