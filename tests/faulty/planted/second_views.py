"""Faults that one view of the store shows and the list does not, and that take a race to come about."""

import json
from dataclasses import replace
from typing import Any

from aiohttp import web
from mailrace.embedded import listing, rest, searching, storing
from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault, keep, kept, met, with_a_row

from planted.mail_contents import _row_mixed, _with_metadata


@fault
def subject_index_is_overwritten(meet: Meet) -> None:
    """Of two mails that arrive together one is found by no search for its subject, and by any other."""
    with_a_row("[]")

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        message: str = await inner(mailbox, *given)
        known = await kept(mailbox.db)
        await keep(mailbox.db, [*known, message])
        return message

    @around(searching, "find")
    async def find(inner: Any, db: Any, version: Any, query: str, *more: Any) -> Any:
        rows = await inner(db, version, query, *more)
        known = await kept(db) if "subject:" in query else [row[1] for row in rows]
        return [row for row in rows if row[1] in known]


def _mails_are_counted() -> None:
    """Each accepted mail adds 1 to a number in the store, which is read first and then written."""
    with_a_row("0")

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        message: str = await inner(mailbox, *given)
        number = await kept(mailbox.db)
        await keep(mailbox.db, number + 1)
        return message


@fault
def unread_count_is_overwritten(meet: Meet) -> None:
    """After two mails that arrive together one unread mail too few is counted; the list shows both."""
    _mails_are_counted()

    @around(rest.ReadingApi, "info")
    async def info(inner: Any, api: Any, request: web.Request) -> web.Response:
        answer = await inner(api, request)
        document = json.loads(answer.text) | {"Unread": await kept(api._mailbox.db)}
        return web.json_response(document)


@fault
def list_is_reversed_after_a_race(meet: Meet) -> None:
    """After two mails that arrived together lists show the oldest mail first; until then the newest."""
    _mails_are_counted()

    @around(listing, "list_messages")
    async def list_messages(inner: Any, db: Any, *given: Any) -> Any:
        found = await inner(db, *given)
        return found if await kept(db) == await listing.count(db) else found[::-1]


@fault
def attachment_counted_that_is_not_there(meet: Meet) -> None:
    """A mail that arrives while another is stored is listed with an attachment."""
    _row_mixed(meet, lambda row, other: replace(row, attachment_count=row.attachment_count + 1))


@fault
def not_found_by_its_text(meet: Meet) -> None:
    """A mail that arrives while another is stored is found by its sender and by no word of its text."""
    _row_mixed(meet, lambda row, other: replace(row, search_text=row.search_text.split("mailrace")[0]))


@fault
def listed_under_another_name(meet: Meet) -> None:
    """A mail that arrives while another is stored is listed with a name that its sender has not."""

    def named(row: Any, other: Any) -> Any:
        sender = json.loads(row.metadata)["From"]
        return _with_metadata(row, From={**sender, "Name": "Somebody Else"})

    _row_mixed(meet, named)


@fault
def tag_in_capitals(meet: Meet) -> None:
    """A tag of a mail that arrives while another is stored is spelt as nobody asked for."""
    _row_mixed(meet, lambda row, other: row)

    @around(storing, "unique_tags")
    def unique_tags(inner: Any, *given: Any) -> list[str]:
        found: list[str] = inner(*given)
        return [tag.upper() for tag in found] if met.get(None) else found


@fault
def page_shows_what_another_reads(meet: Meet) -> None:
    """Of two messages that are read together, one page has the text of the other."""
    with_a_row('""')

    @around(rest.ReadingApi, "message")
    async def message(inner: Any, api: Any, request: web.Request) -> web.Response:
        db = api._mailbox.db
        await keep(db, request.match_info["id"])
        answer = await inner(api, request)
        if answer.status != 200:
            return answer
        shown = await kept(db)
        raw = await listing.raw_message(db, api._mailbox.version, shown)
        text = (raw or b"").partition(b"\r\n\r\n")[2].decode()
        return web.json_response(json.loads(answer.text) | {"Text": text})


@fault
def page_stays_of_what_is_deleted_beside_a_mail(meet: Meet) -> None:
    """A message that is deleted by ID while a mail is stored is not listed, and its page is still shown."""

    with_a_row("0")

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *given: Any) -> str:
        await keep(mailbox.db, 1)
        message: str = await inner(mailbox, *given)
        await keep(mailbox.db, 0)
        return message

    @around(Mailbox, "delete")
    async def delete(inner: Any, mailbox: Mailbox, ids: Any, *given: Any) -> None:
        if not await kept(mailbox.db):
            await inner(mailbox, ids, *given)
            return
        for row_id in ids:
            for table in ("mailbox", "message_tags"):
                await mailbox.db.execute(f"DELETE FROM {table} WHERE ID = ?", row_id)
