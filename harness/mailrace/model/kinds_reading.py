"""The kinds of operation that show messages or mark them read, each a frozen value (see `kinds`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import quote

from mailrace.model.asked import Asked, AskedOfOne, Effect, Request, Spoken, as_body, own_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Asked):
    """Poll `GET path` a stated number of times; judged only as `torn_read`."""

    effect: ClassVar[Effect] = Effect.POLLS | Effect.MARKS  # any path: that of a message marks it read
    says: ClassVar[str] = "reads {it.path} {it.times} times"
    kind: Literal["read"] = "read"
    key: str
    path: str
    times: int

    def request(self, ids: Mapping[str, str]) -> Request:
        """See `Asked`."""
        return "GET", self.path, b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage(AskedOfOne):
    """`GET /message/ID` of a given message: shows it and marks it read."""

    effect: ClassVar[Effect] = Effect.SHOWS | Effect.MARKS
    says: ClassVar[str] = "reads {it.message}, which marks it read"
    kind: Literal["read_message"] = "read_message"
    key: str
    message: str

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pop3Retrieve(AskedOfOne):
    """RETR of a given message, in a POP3 session whose login was before the release (RFC 1939, 5).

    Before 1.18.6 Mailpit keeps to less of RFC 1939: it answers no QUIT.
    """

    effect: ClassVar[Effect] = Effect.SHOWS
    says: ClassVar[str] = "retrieves {it.message} by POP3"
    protocol: ClassVar[Spoken] = "pop3"
    since: ClassVar[str] = "1.18.6"
    kind: Literal["pop3_retrieve"] = "pop3_retrieve"
    key: str
    message: str
