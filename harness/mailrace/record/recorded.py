"""What a recorder saw, as frozen values that go to record.jsonl and come back, one JSON object a line.

Times are monotonic nanoseconds of the recorder's process; the first line (`Begun`) says which time of day
its own instant was. No content of a mail and no credential is in any of these values: a mail is known by its
Message-ID, its addresses, its tags, its size and a digest.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from mailrace.model.attempt import Outcome
from mailrace.model.errors import UsageError

RECORD = "record.jsonl"
"""The name of the file in a record's folder."""
TEXT_MAX = 300
"""Characters kept of a reply's text."""

Protocol = Literal["smtp", "http", "pop3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The first line: whose record this is, and what its clock reads.

    started   time of day, ISO 8601 in UTC, at the instant `t_ns`
    target    the server behind the recorder, as named by the user; `version` as it says
    command   the child command, or "" where the recorder stands in front of a running server
    """

    mailrace: str
    started: str
    t_ns: int
    target: str
    version: str = ""
    command: str = ""


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
    code, text    the reply: SMTP code or HTTP status, and the beginning of its text
    message_id    without angle brackets; "" where the mail had none
    recipients    envelope recipients of a mail that is sent
    tags          tags that the mail asks for, or that the request sets
    ids           server IDs that the request names; `queued_as` the one that the reply gives
    found         (server ID, Message-ID) of the rows that the reply shows, at most 200
    total         how many messages the reply says there are, or match; -1 where it says nothing
    query         of a search, or the path of `other`
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
    tags: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    queued_as: str = ""
    found: tuple[tuple[str, str], ...] = ()
    total: int = -1
    query: str = ""
    digest: str = ""
    size: int = 0

    def overlaps(self, other: Self) -> bool:
        """Whether the two were under way at the same time, by what the recorder saw."""
        return self.invoked_ns < other.completed_ns and other.invoked_ns < self.completed_ns


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
    """One message that the store held at the end: server ID, Message-ID, tags, as its list shows them."""

    id: str
    message_id: str = ""
    recipients: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


Line = Begun | Connected | Recorded | NotSeen | TestRan | Held
_WORDS: dict[type, str] = {
    Begun: "record",
    Connected: "connection",
    Recorded: "operation",
    NotSeen: "not_seen",
    TestRan: "test",
    Held: "stored",
}


class RecordFile:
    """Appends lines to record.jsonl, each handed to the operating system at once: nothing is held back."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, value: Line) -> None:
        """Append one line. Raises OSError where the disk takes no more."""
        said = {name: field for name, field in asdict(value).items() if field not in ("", ())}
        line = {"kind": _WORDS[type(value)], "value": said}
        os.write(self._handle, json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def read_record(path: Path) -> Iterator[Line]:
    """The lines in the order in which they were written.

    The last line may have been cut off when the recorder was killed, and is passed over then. Raises
    UsageError, with the number of the line, for anything else that is no line of a record.
    """
    of_word = {word: kind for kind, word in _WORDS.items()}
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.endswith(b"\n"):
                return
            try:
                line = json.loads(raw)
                yield _value(of_word[line["kind"]], line["value"])
            except (ValueError, TypeError, KeyError, RecursionError) as wrong:
                raise UsageError(
                    f"{path}:{number}: this is no line of a record ({type(wrong).__name__}: {wrong}); "
                    "give the record.jsonl that mailrace record wrote"
                ) from None


def _value(kind: type, given: dict[str, Any]) -> Any:
    """A value of that class whose fields have their types, also where the file is a stranger's."""
    from pydantic import TypeAdapter

    if unknown := set(given) - {f.name for f in fields(kind)}:
        raise ValueError(f"it has the unknown field {sorted(unknown)[0]!r}")
    return TypeAdapter(kind).validate_python(given)
