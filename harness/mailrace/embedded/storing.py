"""A message into the store, with its tags, in the statements and the order of each version."""

import json
import secrets
import string
import zlib
from dataclasses import astuple, dataclass
from time import time

from mailrace.embedded.database import Database
from mailrace.embedded.message import Mail, parse
from mailrace.embedded.settings import TagSources
from mailrace.embedded.tagging import Tagging, unique_tags
from mailrace.embedded.versions import Version

_ALPHABET = string.digits + string.ascii_letters


def new_id() -> str:
    """22 characters of [0-9A-Za-z], as the database IDs and the Message-IDs that Mailpit makes."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(22))


async def is_stored(db: Database, message_id: str) -> bool:
    """Whether a message of that Message-ID is there (`--ignore-duplicate-ids`)."""
    rows = await db.query("SELECT COUNT(*) FROM mailbox WHERE MessageID = ?", message_id)
    return bool(rows[0][0])


async def store(db: Database, tagging: Tagging, version: Version, sources: TagSources, raw: bytes) -> str:
    """Store it and then tag it; returns its ID. Raises Unparsable and StatementFailed.

    Between the transaction and the tags, and between the statements of the tags, others may come, unless
    `db` is one transaction. A failure of the tags is raised though the message is committed: S1, S2.
    """
    mail = parse(raw)
    row = row_of(mail, raw)
    # The message is committed here, and from now on everybody sees it, without its tags.
    async with db.transaction() as transaction:
        await _insert(transaction, version, row, raw)
    names = (mail.x_tags() if sources.x_tags else []) + (mail.plus_tags() if sources.plus_addresses else [])
    tags = sorted(unique_tags(names, version))
    if tags:
        await tagging.set_tags(db, row.message, tags)
    return row.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A mail's row of the table `mailbox`, unread; times in ms since 1970, `metadata` as JSON."""

    created_ms: int
    message: str
    message_id: str
    subject: str
    metadata: str
    size_bytes: int
    inline_count: int
    attachment_count: int
    search_text: str
    snippet: str


def row_of(mail: Mail, raw: bytes) -> Row:
    """What lists and searches will know of the mail, under a new ID."""
    return Row(
        created_ms=int(time() * 1000),
        message=new_id(),
        message_id=mail.message_id,
        subject=mail.header.text("Subject"),
        metadata=_metadata(mail),
        size_bytes=len(raw),
        inline_count=len(mail.inline),
        attachment_count=len(mail.attachments),
        search_text=mail.search_text(),
        snippet=mail.snippet(),
    )


async def _insert(db: Database, version: Version, row: Row, raw: bytes) -> None:
    await db.execute(
        "INSERT INTO mailbox (Created, ID, MessageID, Subject, Metadata, Size, Inline, Attachments, "
        "SearchText, Read, Snippet) VALUES(?,?,?,?,?,?,?,?,?,0,?)",
        *astuple(row),  # its fields are in the order of the columns
    )
    # Half a second of squeezing a big attachment would keep everybody else waiting: it is packed as it is.
    packed = zlib.compress(raw, 1 if len(raw) < 1_000_000 else 0)
    if version.since(1, 27) and db.driver.stores_blobs:
        sql = "INSERT INTO mailbox_data (ID, Email, Compressed) VALUES(?, ?, 1)"
        await db.execute(sql, row.message, packed)
        return
    # A remote store takes no binary data, and 1.17 sends none to any: the statement itself holds it.
    column, flag = (", Compressed", ", 1") if version.since(1, 27) else ("", "")
    values = f"VALUES(?, x'{packed.hex()}'{flag})"
    await db.execute(f"INSERT INTO mailbox_data (ID, Email{column}) {values}", row.message)


def _metadata(mail: Mail) -> str:
    found = {key: listed for key, listed in mail.people().items() if listed}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
