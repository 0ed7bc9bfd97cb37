"""The embedded reference with one fault planted, as a program with Mailpit's flags: for tests only.

    with a script that runs `python faulty_server.py FAULT "$@"`, the target `mailpit:SCRIPT`

A fault in `BESIDE` shows only where two mails are under way at once (or, for those in `BESIDE_EDIT`, a mail
and an edit), so no serial order has it; one in `ALWAYS` shows in every order. Everything else is `embedded`.
"""

import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from mailrace.embedded import __main__ as program
from mailrace.embedded import listing, searching, storing
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.message import parse

HELP = """Mailpit is an email testing tool
  -d, --database
  -s, --smtp
  -l, --listen
  -m, --max
      --smtp-disable-rdns
      --disable-version-check
      --ignore-duplicate-ids
      --tags-disable
      --smtp-auth-file
      --smtp-auth-allow-insecure
"""
MESSAGE_ID, SUBJECT, METADATA, SIZE, SEARCH_TEXT, SNIPPET = 2, 3, 4, 5, 8, 9
"""Places of the columns in the statement that stores a row; its time of arrival is the first."""
OLDEST = "(SELECT ID FROM mailbox ORDER BY Created LIMIT 1)"


class Mails:
    """The mails that are under way, by their tasks, and the edits."""

    def __init__(self) -> None:
        self.own: ContextVar[object] = ContextVar("own")
        self.raws: dict[object, bytes] = {}
        self.ids: list[str] = []
        """What was answered for mails that met another one, in order."""
        self.edits = 0
        self.edited = False

    def other(self) -> bytes | None:
        """The source of another mail that is under way now; None where there is none."""
        own = self.own.get(None)
        return next((raw for key, raw in self.raws.items() if key is not own), None)


MAILS = Mails()
Values = list[Any]
Alter = Callable[[Values, Any], None]


def _set(column: int, value: Callable[[Any], object]) -> Alter:
    """The column holds what it would of another mail."""

    def alter(values: Values, other: Any) -> None:
        values[column] = value(other)

    return alter


def _without(key: str, left: str) -> Alter:
    """The summary of the row has lost a field."""

    def alter(values: Values, other: Any) -> None:
        import json

        metadata = json.loads(values[METADATA])
        metadata[key] = json.loads(left)
        values[METADATA] = json.dumps(metadata)

    return alter


def _longer(values: Values, other: Any) -> None:
    values[SIZE] += 1


def _earlier(values: Values, other: Any) -> None:
    values[0] -= 3_600_000


ROW_BESIDE: dict[str, Alter] = {
    "subject": _set(SUBJECT, lambda other: other.header.text("Subject")),
    "message-id": _set(MESSAGE_ID, lambda other: other.message_id),
    "snippet": _set(SNIPPET, lambda other: other.snippet()),
    "search-text": _set(SEARCH_TEXT, lambda other: other.search_text()),
    "search-lost": _set(SEARCH_TEXT, lambda other: ""),
    "size": _longer,
    "arrival": _earlier,
    "no-sender": _without("From", '{"Name": "", "Address": ""}'),
    "other-sender": _without("From", '{"Name": "", "Address": "nobody@elsewhere.test"}'),
    "no-recipient": _without("To", "[]"),
}
"""What a row holds that was stored while another mail was under way."""


class _Altered:
    """Statements of which the one that stores a row has other values."""

    def __init__(self, db: Any, alter: Alter, other: Any) -> None:
        self._db, self._alter, self._other = db, alter, other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def execute(self, sql: str, *values: Any) -> Any:
        if sql.startswith("INSERT INTO mailbox ("):
            changed = list(values)
            self._alter(changed, self._other)
            values = tuple(changed)
        return await self._db.execute(sql, *values)


def _plant_in_storing(fault: str) -> None:
    insert = storing._insert

    async def faulty(db: Any, version: Any, message: str, mail: Any, raw: bytes, username: str) -> None:
        other = MAILS.other()
        if other is not None and fault in ROW_BESIDE:
            db = _Altered(db, ROW_BESIDE[fault], parse(other))
        if other is not None and fault == "body":
            raw = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + other.partition(b"\r\n\r\n")[2]
        if other is not None and fault == "older-altered":
            await db.execute(f"UPDATE mailbox SET Subject = Subject || '!' WHERE ID = {OLDEST}")
        if other is not None and fault == "older-gone":
            for table in ("mailbox_data", "message_tags", "mailbox"):
                await db.execute(f"DELETE FROM {table} WHERE ID = {OLDEST}")
        await insert(db, version, message, mail, raw, username)

    storing._insert = faulty


def _plant_in_mailbox(fault: str) -> None:
    accept = Mailbox.accept

    async def faulty(self: Mailbox, sender: str, recipients: Any, raw: bytes, username: str = "") -> str:
        own = object()
        MAILS.own.set(own)
        MAILS.raws[own] = raw
        try:
            met_edit = MAILS.edits > 0
            is_lost = (fault == "lost-beside-edit" and met_edit) or (
                fault == "lost-after-edit" and (met_edit or MAILS.edited)
            )
            stored = storing.new_id() if is_lost else await accept(self, sender, recipients, raw, username)
            if MAILS.other() is not None:
                MAILS.ids.append(stored)
                if fault == "same-id":
                    return MAILS.ids[-2] if len(MAILS.ids) % 2 == 0 else stored
                if fault == "no-such-id":
                    return storing.new_id()
            return stored
        finally:
            del MAILS.raws[own]

    Mailbox.accept = faulty  # type: ignore[method-assign]

    def counted(edit: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def faulty_edit(self: Mailbox, *arguments: Any) -> None:
            MAILS.edits += 1
            try:
                await edit(self, *arguments)
            finally:
                MAILS.edits -= 1
                MAILS.edited = True

        return faulty_edit

    for name in ("delete", "delete_all", "delete_search", "set_tags", "rename_tag", "delete_tag"):
        setattr(Mailbox, name, counted(getattr(Mailbox, name)))


def _plant_in_listing(fault: str) -> None:
    if fault == "oldest-first":
        listed = listing.list_messages

        async def faulty(*arguments: Any) -> Any:
            return (await listed(*arguments))[::-1]

        listing.list_messages = faulty
    if fault == "search-misses":
        found = searching.find

        async def blind(*arguments: Any) -> Any:
            return (await found(*arguments))[1:]

        searching.find = blind


def main() -> int:
    """The fault is the first word; the rest is what Mailpit takes."""
    fault = sys.argv.pop(1)
    if "--help" in sys.argv:
        print(HELP)
        return 0
    if sys.argv[1:2] == ["version"]:
        print("faulty v9.9.9 compiled with Python")
        return 0
    sys.argv[1:1] = ["--version-of", "fixed"]
    _plant_in_storing(fault)
    _plant_in_mailbox(fault)
    _plant_in_listing(fault)
    return program.main()


if __name__ == "__main__":
    sys.exit(main())
