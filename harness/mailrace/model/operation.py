"""What actors do: messages and operations as frozen values, and the round that joins them.

A `Plan` (mailrace.scenario) draws these from a scenario and a seed; the engines carry them out; the
checkers compare what was asked for here with what was promised and stored. Nothing here knows a socket,
a clock or a file.

Marks (docs/glossary.md): `domain` is the run's own recipient domain; a
message is known by its `key`, the local part of its `From`; an attempt by the local part of `Reply-To`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

FILLER = "The quick brown fox jumps over the lazy dog while two senders wait."
"""The line that fills generated bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A mail as planned; `render` gives its bytes for one attempt.

    key          unique in the run, `[a-z0-9]+`, e.g. `r00041s02` (round 41, sender 2) or `r00041g01` (given)
    domain       the run's recipient domain, e.g. `mr-k3f9x2ab.test`
    message_id   without angle brackets; may be shared between messages
    to           addresses in the `To` header, which are recipients too
    cc           addresses in the `Cc` header, recipients too; one may stand in `to` as well
    bcc          recipients that stand in the envelope only
    x_tags       tags asked for by `X-Tags`, uncleaned, in order; empty: no such header
    plus_tags    tags that the plus-addresses of the recipients ask for (they stand there already)
    body_bytes   length of the generated body (file is None)
    file_sha256  digest of the user's own message in `Plan.contents`, or None
    headers      extra headers, in order
    malformed    a header line without a colon, which Mailpit refuses with 451
    """

    key: str
    domain: str
    message_id: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    x_tags: tuple[str, ...] = ()
    plus_tags: tuple[str, ...] = ()
    subject: str = ""
    body_bytes: int = 120
    file_sha256: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    malformed: bool = False

    @property
    def sender(self) -> str:
        """The envelope sender and the address in `From`."""
        return f"{self.key}@{self.domain}"

    @property
    def recipients(self) -> tuple[str, ...]:
        """The envelope's recipients, each once, in the order of RCPT."""
        return tuple(dict.fromkeys(self.to + self.cc + self.bcc))

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags asked for, uncleaned."""
        return self.x_tags + self.plus_tags

    @property
    def shown_subject(self) -> str:
        """The subject that a generated message has."""
        return self.subject or f"mailrace {self.key}"

    @property
    def first_words(self) -> str:
        """What the generated body begins with: the key, or its end where the body is too short for it.

        So two messages with bodies of one length never have the same body, and the snippet of each says
        whose it is.
        """
        room = max(self.body_bytes, 2) - 2
        return self.key[-room:] if room else ""

    def reply_to(self, attempt: int) -> str:
        """The mark of attempt 1, 2, …: `a1@DOMAIN`."""
        return f"a{attempt}@{self.domain}"

    def with_tags(self, spelt: Mapping[str, str]) -> "Message":
        """The message with its tags spelt otherwise, in `X-Tags` and in plus-addresses; "" takes one away."""

        def each(tags: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(new for tag in tags if (new := spelt.get(tag, tag)))

        def address(written: str) -> str:
            local, at, domain = written.partition("@")
            head, *plus = local.split("+")
            return "+".join([head, *each(tuple(plus))]) + at + domain

        return replace(
            self,
            to=tuple(map(address, self.to)),
            cc=tuple(map(address, self.cc)),
            bcc=tuple(map(address, self.bcc)),
            x_tags=each(self.x_tags),
            plus_tags=each(self.plus_tags),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send one mail, by SMTP or by `POST /api/v1/send`; `lead` goes before it on the same connection.

    `lead` is a message sent and answered while the round is prepared (S11: it is refused, and what its
    session leaves behind is under test). With `ignore_mail_reply` the client goes on after a refused MAIL.
    """

    kind: Literal["send"] = "send"
    key: str
    message: Message
    via: Literal["smtp", "rest"] = "smtp"
    lead: Message | None = None
    ignore_mail_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """`DELETE /messages` with the server's IDs of `messages` (keys of given messages; may repeat)."""

    kind: Literal["delete"] = "delete"
    key: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSearch:
    """`DELETE /search?query=`; deletes every message that matches."""

    kind: Literal["delete_search"] = "delete_search"
    key: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAll:
    """`DELETE /messages` without a body: the whole mailbox. Never on a server that is not ours."""

    kind: Literal["delete_all"] = "delete_all"
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTags:
    """`PUT /tags`: the tags of given messages become exactly `tags`."""

    kind: Literal["set_tags"] = "set_tags"
    key: str
    messages: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameTag:
    """`PUT /tags/TAG` (1.19.0)."""

    kind: Literal["rename_tag"] = "rename_tag"
    key: str
    tag: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTag:
    """`DELETE /tags/TAG` (1.19.0)."""

    kind: Literal["delete_tag"] = "delete_tag"
    key: str
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Poll `GET path` a stated number of times; judged only as `torn_read`."""

    kind: Literal["read"] = "read"
    key: str
    path: str
    times: int


Operation = Send | Delete | DeleteSearch | DeleteAll | SetTags | RenameTag | DeleteTag | Read

EDITS: tuple[type, ...] = (Delete, DeleteSearch, DeleteAll, SetTags, RenameTag, DeleteTag)
"""Operations that delete messages or edit tags: `--allow-deletions` on a server that is not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRound:
    """One hold-and-release: what is stored before, and one operation an actor, all released together.

    token      this round's part of its tag names and keys, e.g. `r00041`
    given      stored, in order, and quiet before the round is prepared
    """

    index: int
    token: str
    given: tuple[Message, ...]
    operations: tuple[Operation, ...]


def messages_of(planned: PlannedRound) -> Mapping[str, Message]:
    """Every message that the round may store, by key: given, sent, and lead messages."""
    found = {m.key: m for m in planned.given}
    for operation in planned.operations:
        if isinstance(operation, Send):
            found[operation.message.key] = operation.message
            if operation.lead is not None:
                found[operation.lead.key] = operation.lead
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """What a server of ours is started with beyond the flags that every run gives it."""

    ignore_duplicate_ids: bool = False
    tags_disable: tuple[str, ...] = ()
    instances: int = 1
    smtp_auth: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()

    def shown(self) -> dict[str, str]:
        """What differs from the flags that every run gives, for the report."""
        shown = {}
        if self.ignore_duplicate_ids:
            shown["ignore_duplicate_ids"] = "true"
        if self.tags_disable:
            shown["tags_disable"] = ",".join(self.tags_disable)
        if self.instances > 1:
            shown["instances"] = str(self.instances)
        return shown


def respelt(tag: str, number: int) -> str:
    """The tag in spelling `number` (0: as written): its letters change case as the bits of the number say.

    Spellings are equal to the server and differ from each other as long as the tag has letters enough.
    """
    letters = []
    for letter in tag:
        if letter.isascii() and letter.isalpha():
            letters.append(letter.swapcase() if number & 1 else letter)
            number >>= 1
        else:
            letters.append(letter)
    return "".join(letters)
