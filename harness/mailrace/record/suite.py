"""Takes a whole record; gives what its suite did: operations in order, parties, the life of each mail.

A *party* works by itself: it is a process, where the system names it. Two connections of one process are one
party. A *tester* is a party that reads, searches or deletes. A party that only sends is the application under
test, and its mails belong to the testers that ask for them by name. Only what testers do to each other while
both are at work makes a suite flaky, so hazards are told only between testers.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

from mailrace.model.attempt import Outcome
from mailrace.model.errors import UsageError
from mailrace.record.mails import DELETIONS, EVENTS, READS, Mail, mails_of, shows_unnamed
from mailrace.record.recorded import Begun, Connected, Ended, Held, Line, NotSeen, Recorded, TestRan
from mailrace.record.searches import search_of

T = TypeVar("T")
UNKNOWN = 0
"""Stands for every party whose process is not known; nothing is told about it."""
TESTS = READS | DELETIONS | {"mark_deleted", "set_tags", "rename_tag", "delete_tag", "set_read"}
"""What a tester does, and an application under test does not."""


class Suite:
    """What a record tells of the suite. Raises UsageError where the record has no first line."""

    def __init__(self, lines: Iterable[Line]) -> None:
        lines = tuple(lines)
        begun, ended = _of(Begun, lines), _of(Ended, lines)
        if len(begun) != 1:
            raise UsageError("this record has no first line, so nothing is known of it; record again")
        self.begun = begun[0]
        self.ended: Ended | None = ended[0] if ended else None
        self.operations: tuple[Recorded, ...] = tuple(
            sorted(_of(Recorded, lines), key=lambda one: one.invoked_ns)
        )
        self.connections: Mapping[int, Connected] = {one.connection: one for one in _of(Connected, lines)}
        # The rest is looked up by process or by mail, and mails can be known only once all operations are.
        self.not_seen, self.tests, held = _of(NotSeen, lines), _of(TestRan, lines), _of(Held, lines)
        self.was_there = frozenset(one.id for one in held if one.was_there)
        """Server IDs of what the store held before the first client came."""
        self.held = tuple(one for one in held if not one.was_there and one.id not in self.was_there)
        """Rows that came meanwhile and are there at the end."""
        still = {one.id for one in held if not one.was_there}
        self.old_gone = len(self.was_there - still)
        """How many of the messages that the store held before are no longer there."""
        self.mails: tuple[Mail, ...] = mails_of(self.operations, self.held)
        self.by_id: Mapping[str, Mail] = {mail.id: mail for mail in self.mails if mail.id}

    def of(self, *kinds: str) -> Iterator[Recorded]:
        """The operations of these kinds that the server accepted, in the order of their starts."""
        return (one for one in self.operations if one.kind in kinds and one.outcome is Outcome.OK)

    def party(self, one: Recorded) -> int:
        """Who sent the operation: a process id, or UNKNOWN."""
        connected = self.connections.get(one.connection)
        return connected.pid if connected is not None else UNKNOWN

    @cached_property
    def tag_edits(self) -> tuple[Recorded, ...]:
        """All operations that may have changed a tag, also those whose reply did not come."""
        kinds = ("set_tags", "rename_tag", "delete_tag")
        return tuple(x for x in self.operations if x.kind in kinds and x.outcome is not Outcome.FAIL)

    def sent_between(self, after_ns: int, before_ns: int) -> Iterator[Recorded]:
        """The accepted mails that were begun after the first instant and accepted before the second."""
        first = bisect_left(self.mails, after_ns, key=lambda mail: mail.sent.invoked_ns)
        upto = bisect_right(self.mails, before_ns, key=lambda mail: mail.sent.invoked_ns)
        return (mail.sent for mail in self.mails[first:upto] if mail.sent.completed_ns <= before_ns)

    @cached_property
    def by_party(self) -> Mapping[int, tuple[Recorded, ...]]:
        """The operations of each party whose process is known."""
        found: dict[int, list[Recorded]] = defaultdict(list)
        for one in self.operations:
            if (party := self.party(one)) != UNKNOWN:
                found[party].append(one)
        return {party: tuple(operations) for party, operations in found.items()}

    @cached_property
    def testers(self) -> Mapping[int, tuple[int, int]]:
        """The testers, each with the instants between which it was at work."""
        return {
            party: (operations[0].invoked_ns, max(one.completed_ns for one in operations))
            for party, operations in self.by_party.items()
            if any(one.kind in TESTS for one in operations)
        }

    def are_beside(self, one: int, other: int) -> bool:
        """Whether two testers were at work at the same time, and not one after the other."""
        if one == other or not {one, other} <= self.testers.keys():
            return False
        (begun, ended), (begun_too, ended_too) = self.testers[one], self.testers[other]
        return begun < ended_too and begun_too < ended

    def others_at_work(self, one: Recorded) -> frozenset[int]:
        """The other testers that were in the middle of something when this operation was done."""
        me = self.party(one)
        if me not in self.testers:
            return frozenset()
        return frozenset(
            party
            for party, (begun, ended) in self.testers.items()
            if party != me and begun <= one.invoked_ns and one.completed_ns <= ended
        )

    def before(self, party: int, t_ns: int) -> Recorded:
        """The last operation that a party had begun at that instant."""
        operations = self.by_party[party]
        return operations[bisect_right(operations, t_ns, key=lambda one: one.invoked_ns) - 1]

    @cached_property
    def asked_for(self) -> Mapping[str, Mapping[int, Recorded]]:
        """By address, whole or its part before the @: the first search of each tester for it."""
        found: dict[str, dict[int, Recorded]] = defaultdict(dict)
        for one in self.operations:
            if one.kind in ("search", "delete_search", "read_latest") and self.party(one) in self.testers:
                for name in search_of(one.query).names() if one.query else ():
                    found[name].setdefault(self.party(one), one)
        return found

    def users(self, recipient: str) -> Mapping[int, Recorded]:
        """The testers that asked for the recipient by name, each with its first search for it."""
        whole = recipient.lower()
        return {**self.asked_for.get(whole.partition("@")[0], {}), **self.asked_for.get(whole, {})}

    def owners(self, sent: Recorded) -> frozenset[int]:
        """The testers that a mail is for: the one that sent it, and those that asked for its recipients."""
        own = {self.party(sent)} & self.testers.keys()
        return frozenset(own.union(*(self.users(recipient) for recipient in sent.recipients)))

    def is_of_others(self, sent: Recorded, by: Recorded) -> bool:
        """Whether the mail is for testers that were in the middle of something when another did `by`.

        A tester that has ended, such as all of them when a suite tidies up, cannot miss its mail any more.
        """
        owners = self.owners(sent)
        return self.party(by) not in owners and not owners.isdisjoint(self.others_at_work(by))

    @cached_property
    def _unclear_reads(self) -> tuple[Recorded, ...]:
        """Operations that may have shown mails which the record does not name."""
        return tuple(one for one in self.operations if shows_unnamed(one))

    def may_have_been_shown(self, mail: Mail, until_ns: int) -> bool:
        """Whether anybody had been shown the mail by then, or may have been."""
        return any(shown.completed_ns <= until_ns for shown in mail.shown) or any(
            read.invoked_ns <= until_ns and (read.kind == EVENTS or read.completed_ns >= mail.sent.invoked_ns)
            for read in self._unclear_reads
        )

    @cached_property
    def busy(self) -> tuple[str, ...]:
        """Processes that did several things at once, which cannot be told apart."""
        found = []
        for party, operations in self.by_party.items():
            if party in self.testers and any(a.completed_ns > b.invoked_ns for a, b in pairwise(operations)):
                found.append(f"process {party} ({self.connections[operations[0].connection].process})")
        return tuple(found)

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
        party = self.party(one)
        tests = self._tests_of.get(party, ())
        place = bisect_left(tests, one.invoked_ns, key=lambda test: test.ended_ns)
        if place < len(tests) and tests[place].begun_ns <= one.invoked_ns:
            return tests[place].name
        return ""

    @cached_property
    def _tests_of(self) -> Mapping[int, tuple[TestRan, ...]]:
        """The tests of each process, in the order in which they ran: one after the other."""
        found: dict[int, list[TestRan]] = defaultdict(list)
        for test in self.tests:
            found[test.pid].append(test)
        return {pid: tuple(sorted(tests, key=lambda one: one.ended_ns)) for pid, tests in found.items()}


def _of(kind: type[T], lines: tuple[Line, ...]) -> tuple[T, ...]:
    return tuple(line for line in lines if isinstance(line, kind))


def _about(one: Recorded) -> str:
    if one.kind == "send":
        return f" <{one.message_id}> to {', '.join(one.recipients[:3])}" if one.message_id else ""
    if one.query:
        return f" {one.query!r}"
    return f" of {', '.join(one.ids[:3])}" if one.ids else ""
