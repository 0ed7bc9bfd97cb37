"""What actors do: the round that joins their operations, and what a server is started with for it.

A `Plan` (mailrace.scenario) draws these from a scenario and a seed; the engines carry them out; the
checkers compare what was asked for here with what was promised and stored. Nothing here knows a socket,
a clock or a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrace.model.asked import Effect, Spoken
from mailrace.model.kinds import (
    EDITS,
    OPERATIONS,
    Delete,
    DeleteAll,
    DeleteSearch,
    DeleteTag,
    Operation,
    Pop3Delete,
    Release,
    RenameTag,
    Send,
    SetTags,
    protocol_of,
)
from mailrace.model.kinds_reading import Pop3Retrieve, Read, ReadMessage, SetRead, ViewLatest
from mailrace.model.message import FILLER, Message, respelt

__all__ = [
    "EDITS",
    "FILLER",
    "OPERATIONS",
    "Delete",
    "DeleteAll",
    "DeleteSearch",
    "DeleteTag",
    "Effect",
    "Message",
    "Operation",
    "PlannedRound",
    "Pop3Delete",
    "Pop3Retrieve",
    "Spoken",
    "Read",
    "ReadMessage",
    "Release",
    "RenameTag",
    "Send",
    "ServerOptions",
    "SetRead",
    "SetTags",
    "ViewLatest",
    "messages_of",
    "protocol_of",
    "respelt",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRound:
    """One hold-and-release: what is stored before, and one operation for each actor, all released together.

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
    """What a server of ours is started with beyond the flags that every run gives it.

    pop3    with POP3 and a login for it
    relay   with a relay to release messages to: a `Sink` of ours
    """

    ignore_duplicate_ids: bool = False
    tags_disable: tuple[str, ...] = ()
    instances: int = 1
    pop3: bool = False
    relay: bool = False
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
        if self.pop3:
            shown["pop3"] = "true"
        if self.relay:
            shown["relay"] = "true"
        return shown
