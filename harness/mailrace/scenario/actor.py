"""What a scenario file may say of its actors: a strict, frozen model for each kind, and the one-key entry."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mailrace.scenario.texts import ApiPath, HeaderName, HeaderValue, OwnTag, Query, SharedTag, Tag

ACTORS_MAX = 64
BODY_BYTES_MAX = 20_000_000


class Strict(BaseModel):
    """Frozen; no unknown keys, no conversions between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Many(Strict):
    """An entry that stands for `count` equal actors."""

    count: int = Field(1, ge=1, le=ACTORS_MAX, description="How many actors of this kind act in parallel.")


class SendActor(Many):
    """Senders; each sends one mail in a round."""

    tags: tuple[Tag, ...] = Field(
        (), max_length=50, description="Tags asked for; {run}, {round} and {sender} are filled in."
    )
    tags_via: Literal["x-tags", "plus", "both"] = Field(
        "x-tags", description="Whether tags are asked for in X-Tags, in a plus-address, or each tag in both."
    )
    tag_case: Literal["as-written", "vary"] = Field(
        "as-written", description="vary: each sender spells the tags in upper and lower case of its own."
    )
    body_bytes: int = Field(
        120, ge=0, le=BODY_BYTES_MAX, description="Length of the generated body in bytes, to 20 MB."
    )
    file: str | None = Field(
        None, min_length=1, description="Your own message, relative to the scenario file; it is stamped."
    )
    keep_tags: bool = Field(
        False,
        description="yes: tags that stand in file are sent as they stand, so that they are new to the server"
        " once only; no: each round has its own, TAG-RUN-ROUND.",
    )
    message_id: Literal["own", "shared"] = Field(
        "own", description="shared: all such senders of a round send one Message-ID."
    )
    recipients: int = Field(1, ge=1, le=50, description="Recipients that stand in To.")
    cc: int = Field(0, ge=0, le=50, description="Further recipients that stand in Cc.")
    to_in_cc: bool = Field(False, description="yes: the first address of To stands in Cc as well.")
    bcc: int = Field(0, ge=0, le=50, description="Further recipients that stand in the envelope only.")
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, max_length=50, description="Further headers: name and value."
    )
    lead: Literal["malformed"] | None = Field(
        None, description="malformed: a message that Mailpit refuses goes first on the same connection."
    )
    via: Literal["smtp", "rest"] = Field("smtp", description="rest: by POST /api/v1/send (from 1.18.0).")
    ignore_mail_reply: bool = Field(False, description="Go on with RCPT and DATA after a refused MAIL.")


OneMessage = Annotated[str, Field(min_length=1, description="Name of a given message.")]
Messages = Annotated[tuple[str, ...], Field(max_length=100, description="Names of given messages.")]
MessagesToDelete = Annotated[
    tuple[str, ...],
    Field(min_length=1, max_length=100, description="Names of given messages; a name may be repeated."),
]


class DeleteActor(Many):
    """Deletion by the IDs of given messages."""

    messages: MessagesToDelete


class DeleteSearchActor(Many):
    """Deletion of all that a search finds."""

    query: Query = Field(description="A search as in Mailpit; one term must hold {run}.")


class DeleteAllActor(Many):
    """Deletion of the whole mailbox."""


class SetTagsActor(Many):
    """The tags of given messages become exactly these."""

    messages: Annotated[Messages, Field(min_length=1)]
    tags: tuple[SharedTag, ...] = Field((), max_length=50, description="The tags they then have.")


class RenameTagActor(Many):
    """A tag gets another name (from 1.19.0)."""

    tag: OwnTag = Field(description="Its name now.")
    to: SharedTag = Field(description="Its name then.")


class DeleteTagActor(Many):
    """A tag is deleted (from 1.19.0)."""

    tag: OwnTag = Field(description="Its name.")


class ReadActor(Many):
    """A reader that polls one path."""

    path: ApiPath = Field("/api/v1/messages?limit=50", description="What is polled.")
    times: int = Field(10, ge=1, le=1000, description="How many times.")


class ReadMessageActor(Many):
    """A reader of one given message, which is marked read."""

    message: OneMessage


class SetReadActor(Many):
    """Messages become read or unread: those named, those that a search finds or, with neither, all."""

    read: bool = Field(True, description="yes: they become read; no: unread.")
    messages: Messages = ()
    query: Query | None = Field(
        None, description="A search as in Mailpit (from 1.24.1); one term must hold {run}."
    )


class ViewLatestActor(Many):
    """A reader of the newest message: of all, or of those that a search finds."""

    via: Literal["page", "api"] = Field(
        "page", description="page: GET /view/latest; api: GET /api/v1/message/latest, which marks it read."
    )
    query: Query | None = Field(None, description="A search as in Mailpit; one term must hold {run}.")


class Pop3RetrieveActor(Many):
    """RETR of a given message, in a POP3 session that logged in before (from 1.18.6)."""

    message: OneMessage


class Pop3DeleteActor(Many):
    """QUIT of a POP3 session in which given messages were marked with DELE before (from 1.18.6)."""

    messages: MessagesToDelete


class ReleaseActor(Many):
    """A given message is released to a relay; mailrace itself is the relay."""

    message: OneMessage


class Actor(Strict):
    """One entry of `actors`: exactly one of these keys."""

    send: SendActor | None = Field(None, description="Send one mail a round.")
    delete: DeleteActor | None = Field(None, description="Delete given messages by ID.")
    delete_search: DeleteSearchActor | None = Field(None, description="Delete all that a search finds.")
    delete_all: DeleteAllActor | None = Field(None, description="Delete the whole mailbox.")
    set_tags: SetTagsActor | None = Field(None, description="Set the tags of given messages.")
    rename_tag: RenameTagActor | None = Field(None, description="Rename a tag.")
    delete_tag: DeleteTagActor | None = Field(None, description="Delete a tag.")
    read: ReadActor | None = Field(None, description="Poll a path of the REST API.")
    read_message: ReadMessageActor | None = Field(None, description="Read a given message.")
    set_read: SetReadActor | None = Field(None, description="Mark messages read or unread.")
    view_latest: ViewLatestActor | None = Field(None, description="Look at the newest message.")
    pop3_retrieve: Pop3RetrieveActor | None = Field(None, description="Retrieve a given message by POP3.")
    pop3_delete: Pop3DeleteActor | None = Field(None, description="Delete given messages by POP3.")
    release: ReleaseActor | None = Field(None, description="Release a given message to a relay.")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The keys that are written; one of them in a scenario that was loaded."""
        return tuple(kind for kind in type(self).model_fields if getattr(self, kind) is not None)

    @property
    def kind(self) -> str:
        """`send`, `delete`, …"""
        return self.kinds[0]

    @property
    def spec(self) -> Many:
        """What stands under the key."""
        spec: Many = getattr(self, self.kind)
        return spec
