"""What every kind of operation tells about itself: its effects, what it names, its words and its request."""

import json
from collections.abc import Mapping
from enum import Flag, auto
from typing import ClassVar, Literal

from mailrace.model.errors import InternalError

Request = tuple[str, str, bytes]
"""Method, path below the API's root, and body."""

Spoken = Literal["smtp", "http", "pop3"]
"""What is spoken on a connection."""


class Effect(Flag):
    """What an operation may do to the store, and whether its reply tells of it."""

    STORES = auto()
    DELETES = auto()
    TAGS = auto()
    """It changes tags, or which message has them."""
    MARKS = auto()
    """It may change whether a message is read."""
    SHOWS = auto()
    """Its reply is one message or none; which one is a part of the round's outcome."""
    RELAYS = auto()
    """It hands a message to the server's relay; what the relay got is a part of the round's outcome."""
    POLLS = auto()
    """Its reply is a page that the server puts together from several queries; judged as `torn_read` only."""


class Asked:
    """What every operation tells about itself; the defaults here hold for most of them.

    effect           what it may do
    protocol         what it is asked over, unless a field of it says otherwise (`kinds.protocol_of`)
    says             what it does, in a few words; `{it.tag}` is its own field, `{it.names}` what it names
    since            the release that brought it; "" where all known releases have it
    since_if_given   the release that brought a field, where one is younger than its operation
    """

    __slots__ = ()
    key: str
    effect: ClassVar[Effect]
    protocol: ClassVar[Spoken] = "http"
    says: ClassVar[str]
    since: ClassVar[str] = ""
    since_if_given: ClassVar[Mapping[str, str]] = {}

    @property
    def named(self) -> tuple[str, ...]:
        """Keys of the given messages that it names, in its order and as often as it names them."""
        return getattr(self, "messages", ())

    @property
    def search(self) -> str:
        """The search whose matches it acts on; "" where it does not search."""
        return getattr(self, "query", "")

    @property
    def is_on_all(self) -> bool:
        """Whether it acts on the whole mailbox, whoever's mail that is."""
        return False

    @property
    def names(self) -> str:
        """What it names, as a list in words."""
        return ", ".join(self.named)

    @property
    def words(self) -> str:
        """What it does, in a few words."""
        return self.says.format(it=self)

    def request(self, ids: Mapping[str, str]) -> Request:
        """What is asked over HTTP; `ids` are the server's own IDs of the given messages, by key."""
        raise NotImplementedError


class AskedOfOne(Asked):
    """An operation on one given message."""

    __slots__ = ()
    message: str

    @property
    def named(self) -> tuple[str, ...]:
        """See `Asked`."""
        return (self.message,)


def own_ids(operation: Asked, ids: Mapping[str, str]) -> list[str]:
    """The server's IDs of the given messages that the operation names. Raises InternalError.

    Never an empty list, which would mean all messages.
    """
    missing = [key for key in operation.named if key not in ids]
    if missing or not operation.named:
        raise InternalError(f"{operation.key}: no server ID is known for {missing or 'no message'}")
    return [ids[key] for key in operation.named]


def as_body(**value: object) -> bytes:
    """The JSON of a request's body."""
    return json.dumps(value).encode()
