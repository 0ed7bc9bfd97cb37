"""What a recorder saw, as frozen values that go to record.jsonl and come back, one JSON object a line.

Times are monotonic nanoseconds of the recorder's process; the first line (`Begun`) says which time of day
its own instant was. No content of a mail and no credential is in any of these values: a mail is known by its
Message-ID, its addresses, its tags, its size and a digest.
"""

from dataclasses import dataclass
from typing import Literal, Self, TypedDict

from mailrace.model.attempt import Outcome
from mailrace.model.command_line import OwnCommand

Protocol = Literal["smtp", "http", "pop3"]
FOUND_MAX = 200
"""How many rows of a reply are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The first line: whose record this is, and what its clock reads.

    started   time of day, ISO 8601 in UTC, at the instant `t_ns`
    target    the server behind the recorder, as named by the user; `version` as it says
    is_ours   the server was started for this record, so nobody else can reach its store
    command   what made the record, as a command line without secrets; "" where that is not known
    keeps_content   the mails themselves are kept as well, in files beside the record
    """

    mailrace: str
    started: str
    t_ns: int
    target: str
    version: str = ""
    is_ours: bool = True
    command: OwnCommand = ""
    keeps_content: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A client connected. `pid` and `process` say who, where the system tells; else 0 and ""."""

    connection: int
    protocol: Protocol
    t_ns: int
    pid: int = 0
    process: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One operation of a client, from its first byte to the last byte of its reply.

    kind          the word of a scenario's actor (`send`, `delete`, `delete_search`, `delete_all`, `set_tags`,
                  `rename_tag`, `delete_tag`, `set_read`, `release`), of a reader (`list`, `search`,
                  `read_message`, `read_latest`, `read_raw`, `retrieve`, `tags`, `info`), or `other`
    invoked_ns, completed_ns   first byte of the request, last byte of the reply (or the link's end)
    outcome       ok, fail or unknown, as in a history
    code, text    the reply: SMTP code or HTTP status; of its text only SMTP's enhanced status code, because
                  a server may quote the mail. Where contents are kept, so is the whole text.
    message_id    without angle brackets; "" where the mail had none
    recipients    envelope recipients of a mail that is sent
    to            what a search `to:` is compared with: all that looks like an address in the mail's To
                  header, and "*" where it holds more than can be told
    tags          tags that the mail asks for, or that the request sets
    ids           server IDs that the request names; `queued_as` the one that the reply gives
    found         (server ID, Message-ID) of the rows that the reply shows, at most FOUND_MAX
    total         how many messages the reply says there are, or match; -1 where it says nothing
    start, limit  the page of a list or search that was asked for; limit 0: none was named
    query         what was searched for; for `other`, the path
    digest, size  SHA-256 and length in bytes of the mail as it went over the wire
    """

    number: int
    connection: int
    kind: str
    invoked_ns: int
    completed_ns: int
    outcome: Outcome
    code: int = 0
    text: str = ""
    message_id: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    queued_as: str = ""
    found: tuple[tuple[str, str], ...] = ()
    total: int = -1
    start: int = 0
    limit: int = 0
    query: str = ""
    digest: str = ""
    size: int = 0

    def overlaps(self, other: Self) -> bool:
        """Whether the two were under way at the same time, by what the recorder saw."""
        return self.invoked_ns < other.completed_ns and other.invoked_ns < self.completed_ns


class About(TypedDict, total=False):
    """What a request and its reply say of an operation: fields of `Recorded`."""

    code: int
    text: str
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    to: tuple[str, ...]
    tags: tuple[str, ...]
    ids: tuple[str, ...]
    queued_as: str
    found: tuple[tuple[str, str], ...]
    total: int
    start: int
    limit: int
    query: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSeen:
    """Traffic that passed unread on a connection from `t_ns` on, and why."""

    connection: int
    t_ns: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRan:
    """A test of the suite, as the pytest option tells it: from when to when it ran, in which process."""

    name: str
    pid: int
    begun_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One message that the store held: server ID, Message-ID, tags, as its list shows them.

    was_there   before the first client connected; else at the end
    """

    id: str
    message_id: str = ""
    recipients: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    was_there: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last line: a record without it was cut off.

    status           the child command's; None where there was none
    is_store_known   the store was read whole after the last operation
    accepted, deleted   how many messages the server itself counts as accepted and as deleted meanwhile; -1:
                     it does not say
    failures         why the record is not whole, a sentence each
    """

    t_ns: int
    status: int | None = None
    is_store_known: bool = False
    accepted: int = -1
    deleted: int = -1
    failures: tuple[str, ...] = ()


Line = Begun | Connected | Recorded | NotSeen | TestRan | Held | Ended
