"""A whole record in, what its suite did out: its operations in order, its parties, and the life of each mail.

A *party* is what works by itself: a process where the system tells it, else everything that comes from one
machine. Two connections of one process are one party. Where there is only one party, nothing can be said of
parties disturbing each other.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mailrace.check.tags import tag_key, tag_keys
from mailrace.check.touched import terms
from mailrace.model.attempt import Outcome
from mailrace.model.errors import UsageError
from mailrace.record.overlaps import senders_of
from mailrace.record.recorded import Begun, Connected, Held, Line, NotSeen, Recorded, TestRan

READS = frozenset({"read_message", "read_latest", "read_raw", "retrieve", "list", "search"})


@dataclass(slots=True)
class Mail:
    """One accepted mail: who sent it, who was shown it, who deleted it and when it could be gone.

    shown     operations whose reply held the mail or one of its rows, in order
    deleted   the first operation that surely deleted it; `maybe_deleted` one that could have
    """

    id: str
    sent: Recorded
    shown: list[Recorded] = field(default_factory=list)
    deleted: Recorded | None = None
    maybe_deleted: Recorded | None = None


class Suite:
    """What a record tells of the suite. Raises UsageError where the record has no first line."""

    def __init__(self, lines: Iterable[Line]) -> None:
        found: dict[type, list[Line]] = defaultdict(list)
        for line in lines:
            found[type(line)].append(line)
        begun = [line for line in found[Begun] if isinstance(line, Begun)]
        if len(begun) != 1:
            raise UsageError("this record has no first line, so nothing is known of it; record again")
        self.begun = begun[0]
        self.operations: tuple[Recorded, ...] = tuple(
            sorted((x for x in found[Recorded] if isinstance(x, Recorded)), key=lambda x: x.invoked_ns)
        )
        self.connections: Mapping[int, Connected] = {
            x.connection: x for x in found[Connected] if isinstance(x, Connected)
        }
        self.not_seen = tuple(x for x in found[NotSeen] if isinstance(x, NotSeen))
        self.tests = tuple(x for x in found[TestRan] if isinstance(x, TestRan))
        self.held = tuple(x for x in found[Held] if isinstance(x, Held))
        self.mails = _mails(self.operations)

    def of(self, *kinds: str) -> Iterator[Recorded]:
        """The operations of these kinds that the server accepted, in the order of their starts."""
        return (one for one in self.operations if one.kind in kinds and one.outcome is Outcome.OK)

    def party(self, one: Recorded) -> int:
        """Who sent the operation: a process id, or 0 for everybody whose process is not known."""
        connected = self.connections.get(one.connection)
        return connected.pid if connected is not None else 0

    def parties(self) -> frozenset[int]:
        """All parties of the record."""
        return frozenset(self.party(one) for one in self.operations)

    def between(self, kind: str, after_ns: int, before_ns: int) -> Iterator[Recorded]:
        """Operations of a kind that were accepted between two instants."""
        return (x for x in self.of(kind) if after_ns <= x.completed_ns <= before_ns)

    def who(self, one: Recorded) -> str:
        """The operation in words: what, when, on which connection, by which process, in which test."""
        connected = self.connections.get(one.connection)
        by = f" by process {connected.pid} ({connected.process})" if connected and connected.pid else ""
        test = self.test_of(one)
        at_s = (one.invoked_ns - self.begun.t_ns) / 1e9
        return f"{one.kind}{_about(one)} at {at_s:.3f} s on connection {one.connection}{by}" + (
            f" in {test}" if test else ""
        )

    def test_of(self, one: Recorded) -> str:
        """The test that ran in the operation's process when it began; "" where that is not known."""
        pid = self.party(one)
        running = (x for x in self.tests if x.pid == pid and x.begun_ns <= one.invoked_ns <= x.ended_ns)
        return next((x.name for x in running), "")


def surely_matches(query: str, sent: Recorded) -> bool:
    """Whether a search finds the mail, told only from what is known of it: recipients, sender, ID and tags.

    False also where the query asks for anything else, so that nothing is claimed that was not seen.
    """
    asked = terms(query)
    fields = {
        "to": " ".join(sent.recipients).lower(),
        "from": sent.sender.lower(),
        "message-id": sent.message_id.lower(),
    }
    for is_negated, name, value in asked:
        if is_negated or (name not in fields and name != "tag"):
            return False
        if name == "tag" and tag_key(value) not in tag_keys(sent.tags):
            return False
        if name in fields and value.lower() not in fields[name]:
            return False
    return bool(asked)


def _mails(operations: Sequence[Recorded]) -> Mapping[str, Mail]:
    """The life of every accepted mail whose server ID is known, by that ID."""
    mails = {
        server_id: Mail(server_id, sent)
        for server_id, sent in senders_of(operations).items()
        if sent.outcome is Outcome.OK
    }
    by_end = sorted(mails.values(), key=lambda mail: mail.sent.completed_ns)
    ends = [mail.sent.completed_ns for mail in by_end]
    living: set[str] = set()
    arrived = 0
    for one in operations:
        # Only mails that had been accepted before the operation began were surely in its reach.
        upto = bisect_right(ends, one.invoked_ns)
        living.update(mail.id for mail in by_end[arrived:upto])
        arrived = max(arrived, upto)
        if one.kind in READS:
            for server_id in {*one.ids, *(server_id for server_id, _ in one.found)}:
                if server_id in mails:
                    mails[server_id].shown.append(one)
        elif one.outcome is not Outcome.FAIL and one.kind in ("delete", "delete_all", "delete_search"):
            _delete(one, mails, living)
    return mails


def _delete(one: Recorded, mails: Mapping[str, Mail], living: set[str]) -> None:
    """Note what a deletion surely took with it, and what it may have."""
    if one.kind == "delete":
        gone = [mails[server_id] for server_id in one.ids if server_id in mails]
    elif one.kind == "delete_all":
        gone = [mails[server_id] for server_id in living]
    else:
        gone = [mails[i] for i in living if surely_matches(one.query, mails[i].sent)]
    for mail in gone:
        mail.deleted = mail.deleted or one
        living.discard(mail.id)
    if one.kind != "delete":
        # What arrived meanwhile, or may match the search, can be gone as well.
        for mail in mails.values():
            if mail.deleted is None and mail.sent.invoked_ns < one.completed_ns:
                mail.maybe_deleted = mail.maybe_deleted or one


def _about(one: Recorded) -> str:
    if one.kind == "send":
        return f" <{one.message_id}> to {', '.join(one.recipients[:3])}" if one.message_id else ""
    if one.query:
        return f" {one.query!r}"
    return f" of {', '.join(one.ids[:3])}" if one.ids else ""
