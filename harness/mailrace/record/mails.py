"""Takes the operations of a record and its store; gives the life of each accepted mail."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailrace.model.attempt import Outcome
from mailrace.record.recorded import FOUND_MAX, Held, Recorded
from mailrace.record.searches import search_of

READS = frozenset({"read_message", "read_latest", "read_raw", "retrieve", "list", "search"})
DELETIONS = frozenset({"delete", "delete_all", "delete_search"})
EVENTS = "events"
"""A web socket tells of each mail that arrives, for as long as it is open."""
UNKNOWN_ID = "number "
"""The name of a message that a POP3 client named by its number, without having asked for its ID."""


@dataclass(slots=True)
class Mail:
    """One accepted mail: who sent it, who was shown it, who deleted it and when it could be gone.

    id        its server ID; "" where no reply and no row told it
    shown     operations whose reply held the mail or one of its rows, in order
    deleted   the first operation that certainly deleted it; `maybe_deleted`: one that could have
    """

    id: str
    sent: Recorded
    shown: list[Recorded] = field(default_factory=list)
    deleted: Recorded | None = None
    maybe_deleted: Recorded | None = None


def shows_unnamed(one: Recorded) -> bool:
    """Whether the reply may have shown mails that are not among its rows in the record.

    So it is where the reply was too long, packed in an unknown way or a page for people, where it had more
    rows than are kept, and where a POP3 client asked by a number alone.
    """
    if one.kind not in READS | {EVENTS} or one.outcome is Outcome.FAIL:
        return False
    if one.kind in ("list", "search"):  # POP3, which has no codes, lists sizes alone
        return bool(one.code) and (one.total < 0 or len(one.found) >= FOUND_MAX)
    if one.kind == "retrieve":
        return any(i.startswith(UNKNOWN_ID) for i in one.ids)
    return not one.ids and not one.found


def mails_of(operations: Sequence[Recorded], held: Sequence[Held]) -> tuple[Mail, ...]:
    """The life of every accepted mail, in the order in which they were sent."""
    ids = _ids(operations, held)
    mails = [
        Mail(one.queued_as or ids.get(one.message_id, ""), one)
        for one in operations
        if one.kind == "send" and one.outcome is Outcome.OK
    ]
    lives = _Lives(mails)
    for one in operations:
        lives.go_on_to(one)
        if one.kind in READS:
            lives.shown(one)
        elif one.kind in DELETIONS and (one.outcome is not Outcome.FAIL or one.code >= 500):
            lives.deleted(one)
    return tuple(mails)


def _ids(operations: Sequence[Recorded], held: Sequence[Held]) -> Mapping[str, str]:
    """Message-ID to server ID, of Message-IDs that one mail alone was sent with and one message alone has."""
    sent = Counter(one.message_id for one in operations if one.kind == "send" and one.message_id)
    rows = {(server_id, message_id) for one in operations for server_id, message_id in one.found}
    rows |= {(one.id, one.message_id) for one in held}
    copies = Counter(message_id for _, message_id in rows)
    return {m: server_id for server_id, m in rows if sent[m] == 1 and copies[m] == 1}


class _Lives:
    """The mails while the operations go by: which of them live, and which are arriving."""

    def __init__(self, mails: Sequence[Mail]) -> None:
        self._by_id = {mail.id: mail for mail in mails if mail.id}
        self._by_end = sorted(mails, key=lambda mail: mail.sent.completed_ns)
        self._ends = [mail.sent.completed_ns for mail in self._by_end]
        self._by_start = mails
        self._starts = [mail.sent.invoked_ns for mail in mails]
        self._living: dict[int, Mail] = {}
        self._sending: dict[int, Mail] = {}
        self._begun = self._arrived = 0

    def go_on_to(self, one: Recorded) -> None:
        """From now on mails live that had been accepted before the operation began: they are in its reach."""
        upto = bisect_left(self._starts, one.invoked_ns)
        self._sending.update((mail.sent.number, mail) for mail in self._by_start[self._begun : upto])
        self._begun = max(self._begun, upto)
        upto = bisect_right(self._ends, one.invoked_ns)
        for mail in self._by_end[self._arrived : upto]:
            self._sending.pop(mail.sent.number, None)
            self._living[mail.sent.number] = mail
        self._arrived = max(self._arrived, upto)

    def shown(self, one: Recorded) -> None:
        """Note what a reply showed."""
        for server_id in {*one.ids, *(server_id for server_id, _ in one.found)}:
            if (mail := self._by_id.get(server_id)) is not None and one.outcome is Outcome.OK:
                mail.shown.append(one)

    def deleted(self, one: Recorded) -> None:
        """Note what a deletion surely took with it, and what it may have."""
        if one.kind == "delete":
            gone = [mail for i in one.ids if (mail := self._by_id.get(i)) is not None]
            is_open = any(i.startswith(UNKNOWN_ID) for i in one.ids)
            maybe = [m for m in self._in_reach(one) if is_open or (not m.id and len(gone) < len(one.ids))]
        elif one.kind == "delete_all":
            gone, maybe = [*self._living.values()], self._in_reach(one)
        else:
            search = search_of(one.query)
            gone = [mail for mail in self._living.values() if search.surely_finds(mail.sent)]
            maybe = [mail for mail in self._in_reach(one) if not search.never_finds(mail.sent)]
        if one.outcome is not Outcome.OK:
            gone, maybe = [], [*gone, *maybe]
        for mail in gone:
            mail.deleted = mail.deleted or one
            self._living.pop(mail.sent.number, None)
        for mail in maybe:
            if mail.deleted is None:
                mail.maybe_deleted = mail.maybe_deleted or one

    def _in_reach(self, one: Recorded) -> list[Mail]:
        """The mails that live, and those that arrived while the operation was under way."""
        first, upto = (bisect_left(self._starts, at_ns) for at_ns in (one.invoked_ns, one.completed_ns))
        return [*self._living.values(), *self._sending.values(), *self._by_start[first:upto]]
