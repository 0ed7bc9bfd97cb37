"""What is in the store: pages of the mailbox, counts, one message's raw text, read flags."""

import base64
import json
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime

from mailrace.embedded.database import Database
from mailrace.embedded.driver import Row, Value
from mailrace.embedded.tagging import tags_of_all
from mailrace.embedded.versions import ReadFlags, Version

COLUMNS = "m.Created, m.ID, m.MessageID, m.Subject, m.Metadata, m.Size, m.Attachments, m.Read, m.Snippet"

Summary = dict[str, object]


async def list_messages(db: Database, version: Version, start: int, limit: int) -> list[Summary]:
    """A page, newest first; `limit` 0, where the version lets it come here, means all."""
    page = " LIMIT ? OFFSET ?" if limit else ""
    rows = await db.query(
        f"SELECT {COLUMNS} FROM mailbox m ORDER BY m.Created DESC{page}", *([limit, start] if limit else [])
    )
    return await with_tags(db, version, [summary(row) for row in rows])


async def with_tags(db: Database, version: Version, found: list[Summary]) -> list[Summary]:
    """The rows with their tags, which take further queries: changes that come between are seen (S9)."""
    tags = await tags_of_all(db, [str(item["ID"]) for item in found], version)
    for item in found:
        item["Tags"] = tags[str(item["ID"])]
    return found


def summary(row: Row) -> Summary:
    """A row of `COLUMNS` as REST shows it, without its tags."""
    created, message, message_id, subject, metadata, size, attachments, read, snippet = row[:9]
    meta = json.loads(str(metadata))
    found: Summary = {"ID": message, "MessageID": message_id, "Read": bool(read)}
    found |= {key: meta.get(key) for key in ("From", "To", "Cc", "Bcc", "ReplyTo")}
    found |= {"Subject": subject, "Created": as_time(created), "Tags": []}
    return found | {"Size": int(float(str(size))), "Attachments": attachments, "Snippet": snippet}


def as_time(created_ms: Value) -> str:
    """Milliseconds since 1970 as RFC 3339 with as many decimals as it takes."""
    ms = int(float(str(created_ms)))
    text = datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f".{ms % 1000:03d}".rstrip("0").rstrip(".")
    return f"{text}{decimals}Z"


async def count(db: Database) -> int:
    """All messages."""
    return int(str((await db.query("SELECT COUNT(*) FROM mailbox"))[0][0]))


async def count_flagged(db: Database, read: int) -> int:
    """Those read (1) or unread (0)."""
    return int(str((await db.query("SELECT COUNT(*) FROM mailbox WHERE Read = ?", read))[0][0]))


async def raw_message(db: Database, version: Version, message: str) -> bytes | None:
    """The stored mail, None where there is none of that ID."""
    columns = "ID, Email, Compressed" if version.since(1, 27) else "ID, Email"
    rows = await db.query(f"SELECT {columns} FROM mailbox_data WHERE ID = ?", message)
    if not rows:
        return None
    packed = rows[0][1]
    # A remote store answers binary data as base64 text.
    return zlib.decompress(packed if isinstance(packed, bytes) else base64.b64decode(str(packed)))


async def metadata(db: Database, message: str) -> dict[str, object]:
    """What was noted of it when it was stored; empty where there is none."""
    rows = await db.query("SELECT Metadata FROM mailbox WHERE ID = ?", message)
    return dict(json.loads(str(rows[0][0]))) if rows else {}


async def created(db: Database, message: str) -> str:
    """When it was stored."""
    rows = await db.query("SELECT Created FROM mailbox WHERE ID = ?", message)
    return as_time(rows[0][0]) if rows else "0001-01-01T00:00:00Z"


async def mark(db: Database, version: Version, ids: Sequence[str], read: int) -> None:
    """Mark messages read (1) or unread (0)."""
    if version.read_flags is ReadFlags.TOGETHER:
        await _mark_together(db, ids, read)
        return
    for message in ids:
        if version.read_flags is ReadFlags.LOOK_FIRST:
            sql = "SELECT COUNT(*) FROM mailbox WHERE Read = ? AND ID = ?"
            is_unread = (await db.query(sql, 0, message))[0][0] == 1
            if is_unread != bool(read):
                continue
        await db.execute("UPDATE mailbox SET Read=? WHERE ID = ?", read, message)


async def _mark_together(db: Database, ids: Sequence[str], read: int) -> None:
    marks = ",".join("?" * len(ids))
    sql = f"SELECT ID FROM mailbox WHERE Read = {1 - read} AND ID IN ({marks})"
    changing = [row[0] for row in await db.query(sql, *ids)] if ids else []
    if changing:
        marks = ",".join("?" * len(changing))
        await db.execute(f"UPDATE mailbox SET Read = {read} WHERE ID IN ({marks})", *changing)


async def mark_all(db: Database, read: int) -> None:
    """Mark every message read (1) or unread (0)."""
    await count_flagged(db, 1 - read)
    await db.execute("UPDATE mailbox SET Read=? WHERE Read = ?", read, 1 - read)
