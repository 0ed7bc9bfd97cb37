"""Faults of POP3, of a limit on the mailbox, of links, and of views that are kept or counted apart."""

import random
from dataclasses import replace
from typing import Any

from mailrace.embedded import listing, smtp, storing
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.pop3 import LISTED_MAX, Pop3Session
from planting import Meet, around, fault, keep, kept, with_a_row

from planted.rare_orders import COUNT_ONE_MORE

KEPT_MAX = 20


class LinkEnds(Exception):
    """Ends the link in hand."""


async def _now_at(session: Pop3Session, message: str) -> str:
    """The ID of the message that stands now where that one stood at the login."""
    place = [one for one, _ in session._listed].index(message)
    rows = await listing.list_messages(session._mailbox.db, session._version, 0, LISTED_MAX)
    return str(rows[place]["ID"]) if place < len(rows) else message


@fault
def pop3_retrieves_by_place(meet: Meet) -> None:
    """RETR 1 shows the message that is the newest now, not the one that was at the login."""

    @around(Pop3Session, "_raw")
    async def raw(inner: Any, session: Pop3Session, place: int) -> Any:
        if place < 0:
            return None
        now = await _now_at(session, session._listed[place][0])
        return await listing.raw_message(session._mailbox.db, session._version, now)


@fault
def pop3_deletes_by_place(meet: Meet) -> None:
    """QUIT deletes what stands now where the marked messages stood at the login."""

    @around(Pop3Session, "_quit")
    async def quits(inner: Any, session: Pop3Session) -> bool:
        session._marked = [await _now_at(session, one) for one in session._marked]
        return bool(await inner(session))


@fault
def pop3_shows_what_another_fetches(meet: Meet) -> None:
    """Of two sessions that fetch at the same time one is sent the message of the other."""
    with_a_row('""')

    @around(Pop3Session, "_raw")
    async def raw(inner: Any, session: Pop3Session, place: int) -> Any:
        if place < 0:
            return None
        db = session._mailbox.db
        await keep(db, session._listed[place][0])
        return await listing.raw_message(db, session._version, await kept(db))


@fault
def link_ends_where_two_meet(meet: Meet) -> None:
    """A mail beside which another arrives is stored, and its link ends without a reply."""
    with_a_row("0")

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        await mailbox.db.execute(COUNT_ONE_MORE, 1)
        before = await kept(mailbox.db)
        message: str = await inner(mailbox, *given)
        if await kept(mailbox.db) != before:
            raise LinkEnds
        return message

    @around(smtp.Session, "handle_exception")
    async def handle_exception(inner: Any, session: Any, error: Exception) -> Any:
        if isinstance(error, LinkEnds):
            session.transport.abort()
        return await inner(session, error)


@fault
def oldest_go_past_twenty(meet: Meet) -> None:
    """Odd: the mailbox keeps the newest 20 mails, whatever --max says."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        message: str = await inner(mailbox, *given)
        rows = await mailbox.db.query(
            "SELECT ID FROM mailbox ORDER BY Created DESC LIMIT -1 OFFSET ?", KEPT_MAX
        )
        if rows:
            await mailbox.delete([str(row[0]) for row in rows])
        return message


@fault
def order_within_a_second_is_any(meet: Meet) -> None:
    """Odd: mails are listed by the second in which they came, and within it in any order."""
    chance = random.Random(1)

    @around(storing, "row_of")
    def row_of(inner: Any, *given: Any) -> Any:
        row = inner(*given)
        return replace(row, created_ms=row.created_ms // 1000 * 1000)

    @around(listing, "list_messages")
    async def list_messages(inner: Any, *given: Any) -> Any:
        found = await inner(*given)
        marks = [chance.random() for _ in found]
        order = sorted(range(len(found)), key=lambda i: (found[i]["Created"], marks[i]), reverse=True)
        return [found[i] for i in order]
