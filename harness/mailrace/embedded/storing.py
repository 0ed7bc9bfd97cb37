"""A message into the store, with its tags, in the statements and the order of each version."""

import json
import secrets
import string
import zlib
from dataclasses import dataclass
from time import time

from mailrace.embedded.database import Statements
from mailrace.embedded.message import Mail, parse
from mailrace.embedded.tagging import Tagging, unique_tags
from mailrace.embedded.versions import Version

_ALPHABET = string.digits + string.ascii_letters

Addresses = list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSources:
    """Where tags may come from; `--tags-disable` switches them off."""

    x_tags: bool = True
    plus_addresses: bool = True


def new_id() -> str:
    """22 characters of [0-9A-Za-z], as the database IDs and the Message-IDs that Mailpit makes."""
    number = secrets.randbits(130)
    letters = []
    for _ in range(22):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


async def is_stored(db: Statements, message_id: str) -> bool:
    """Whether a message of that Message-ID is there (`--ignore-duplicate-ids`)."""
    rows = await db.query("SELECT COUNT(*) FROM mailbox WHERE MessageID = ?", message_id)
    return bool(rows[0][0])


async def store(
    db: Statements, tagging: Tagging, version: Version, sources: TagSources, raw: bytes, username: str
) -> str:
    """Store it and then tag it; returns its ID.

    Between the transaction and the tags, and between the statements of the tags, others may come, unless
    `db` is one transaction. A failure of the tags is raised though the message is committed: S1, S2.
    """
    mail = parse(raw)
    row = row_of(mail, version, raw, username)
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


def row_of(mail: Mail, version: Version, raw: bytes, username: str) -> Row:
    """What lists and searches will know of the mail, under a new ID."""
    return Row(
        created_ms=int(time() * 1000),
        message=new_id(),
        message_id=mail.message_id,
        subject=mail.header.text("Subject"),
        metadata=_metadata(mail, version, username),
        size_bytes=len(raw),
        inline_count=len(mail.inline),
        attachment_count=len(mail.attachments),
        search_text=mail.search_text(),
        snippet=mail.snippet(),
    )


async def _insert(db: Statements, version: Version, row: Row, raw: bytes) -> None:
    await db.execute(
        "INSERT INTO mailbox (Created, ID, MessageID, Subject, Metadata, Size, Inline, Attachments, "
        "SearchText, Read, Snippet) VALUES(?,?,?,?,?,?,?,?,?,0,?)",
        row.created_ms,
        row.message,
        row.message_id,
        row.subject,
        row.metadata,
        row.size_bytes,
        row.inline_count,
        row.attachment_count,
        row.search_text,
        row.snippet,
    )
    message = row.message
    packed = zlib.compress(raw, 1)
    literal = f"x'{packed.hex()}'"
    if not version.compresses:
        await db.execute(f"INSERT INTO mailbox_data (ID, Email) VALUES(?, {literal})", message)
    elif db.stores_blobs:
        await db.execute("INSERT INTO mailbox_data (ID, Email, Compressed) VALUES(?, ?, 1)", message, packed)
    else:
        sql = f"INSERT INTO mailbox_data (ID, Email, Compressed) VALUES(?, {literal}, 1)"
        await db.execute(sql, message)


def _metadata(mail: Mail, version: Version, username: str) -> str:
    def listed(name: str) -> Addresses:
        return [{"Name": n, "Address": a} for n, a in mail.header.addresses(name)]

    name, address = mail.sender()
    found: dict[str, object] = {"From": {"Name": name, "Address": address}}
    found |= {key: listed(header) for key, header in (("To", "To"), ("Cc", "Cc"), ("Bcc", "Bcc"))}
    found |= {"ReplyTo": listed("Reply-To")}
    if version.lists_username:
        found |= {"Username": username}
        found = {key: value for key, value in found.items() if value}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
