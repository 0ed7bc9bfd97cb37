"""Every kind of operation that an actor can do, each declared in one place as a frozen value.

That is its fields, its request, its words, what it may do to the store, and since which release it can be
asked. What else differs from kind to kind stands where it is needed. Nothing here knows a socket or a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args
from urllib.parse import quote

from mailrace.model.asked import Asked, Effect, Request, as_body, own_ids
from mailrace.model.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Asked):
    """Send one mail, by SMTP or by `POST /api/v1/send`; `lead` goes before it on the same connection.

    `lead` is a message sent and answered while the round is prepared (S11: it is refused, and what its
    session leaves behind is under test). With `ignore_mail_reply` the client goes on after a refused MAIL.
    """

    effect: ClassVar[Effect] = Effect.STORES
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
    kind: Literal["delete"] = "delete"
    key: str
    messages: tuple[str, ...]

    @property
    def words(self) -> str:
        """See `Asked`."""
        return f"deletes {', '.join(self.messages)} by ID"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "DELETE", "/api/v1/messages", as_body(IDs=own_ids(self, ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSearch(Asked):
    """`DELETE /search?query=`; deletes every message that matches."""

    effect: ClassVar[Effect] = Effect.DELETES
    kind: Literal["delete_search"] = "delete_search"
    key: str
    query: str

    @property
    def words(self) -> str:
        """See `Asked`."""
        return f"deletes what matches {self.query}"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "DELETE", f"/api/v1/search?query={quote(self.query, safe='')}", b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAll(Asked):
    """`DELETE /messages` without a body: the whole mailbox. Never on a server that is not ours."""

    effect: ClassVar[Effect] = Effect.DELETES
    kind: Literal["delete_all"] = "delete_all"
    key: str

    @property
    def is_on_all(self) -> bool:
        """See `Asked`."""
        return True

    @property
    def words(self) -> str:
        """See `Asked`."""
        return "deletes all messages"

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
    since: ClassVar[str] = "1.19.0"
    kind: Literal["rename_tag"] = "rename_tag"
    key: str
    tag: str
    to: str

    @property
    def words(self) -> str:
        """See `Asked`."""
        return f"renames the tag {self.tag} to {self.to}"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "PUT", f"/api/v1/tags/{quote(self.tag, safe='')}", as_body(Name=self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTag(Asked):
    """`DELETE /tags/TAG` (1.19.0)."""

    effect: ClassVar[Effect] = Effect.TAGS
    since: ClassVar[str] = "1.19.0"
    kind: Literal["delete_tag"] = "delete_tag"
    key: str
    tag: str

    @property
    def words(self) -> str:
        """See `Asked`."""
        return f"deletes the tag {self.tag}"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "DELETE", f"/api/v1/tags/{quote(self.tag, safe='')}", b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Asked):
    """Poll `GET path` a stated number of times; judged only as `torn_read`."""

    effect: ClassVar[Effect] = Effect.POLLS | Effect.MARKS  # any path: that of a message marks it read
    kind: Literal["read"] = "read"
    key: str
    path: str
    times: int

    @property
    def words(self) -> str:
        """See `Asked`."""
        return f"reads {self.path} {self.times} times"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "GET", self.path, b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage(Asked):
    """`GET /message/ID` of a given message: shows it and marks it read."""

    effect: ClassVar[Effect] = Effect.SHOWS | Effect.MARKS
    kind: Literal["read_message"] = "read_message"
    key: str
    message: str

    @property
    def named(self) -> tuple[str, ...]:
        """See `Asked`."""
        return (self.message,)

    @property
    def words(self) -> str:
        """See `Asked`."""
        return f"reads {self.message}, which marks it read"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "GET", f"/api/v1/message/{own_ids(self, ids)[0]}", b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRead(Asked):
    """`PUT /messages`: given messages, what a `query` finds or, with neither, all become read or unread."""

    effect: ClassVar[Effect] = Effect.MARKS
    since_if_given: ClassVar[Mapping[str, str]] = {"query": "1.24.1"}  # older ones would take it for all
    kind: Literal["set_read"] = "set_read"
    key: str
    read: bool
    messages: tuple[str, ...] = ()
    query: str = ""

    @property
    def is_on_all(self) -> bool:
        """See `Asked`."""
        return not (self.messages or self.query)

    @property
    def words(self) -> str:
        """See `Asked`."""
        what = f"what matches {self.query}" if self.query else ", ".join(self.messages) or "all messages"
        return f"marks {what} {'read' if self.read else 'unread'}"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        which = {"IDs": own_ids(self, ids)} if self.messages else {"Search": self.query} if self.query else {}
        return "PUT", "/api/v1/messages", as_body(Read=self.read, **which)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewLatest(Asked):
    """The newest message, or the newest that a `query` finds.

    page: `GET /view/latest`, which is answered with a redirection to it; api: `GET /message/latest`, which
    marks it read. Which one that is depends on all mail of the server.
    """

    effect: ClassVar[Effect] = Effect.SHOWS | Effect.MARKS
    kind: Literal["view_latest"] = "view_latest"
    key: str
    via: Literal["page", "api"] = "page"
    query: str = ""

    @property
    def words(self) -> str:
        """See `Asked`."""
        how = "asks for the page of" if self.via == "page" else "reads"
        return f"{how} the newest message{f' that matches {self.query}' if self.query else ''}"

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        path = "/view/latest" if self.via == "page" else "/api/v1/message/latest"
        return "GET", path + (f"?query={quote(self.query, safe='')}" if self.query else ""), b""


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
)

OPERATIONS: Mapping[str, type[Operation]] = {
    one.__dataclass_fields__["kind"].default: one for one in get_args(Operation)
}
"""Each operation by its kind, which is its key in a scenario file."""

EDITS: tuple[type, ...] = tuple(
    one for one in OPERATIONS.values() if one.effect & (Effect.DELETES | Effect.TAGS)
)
"""Operations that delete messages or edit tags: `--allow-deletions` on a server that is not ours."""
