"""The store's own tables in, `Stored` out: what REST would show, read without asking the server.

A test holds that both agree on every real version. Orders are judged by this (0.1 ms); a realised witness is
read over REST as well.
"""

import json
import sqlite3
from collections.abc import Mapping

from mailrace.model.attempt import Stored, StoredMessage
from mailrace.steer.database_proxy.store import rows
from mailrace.targets.rows import names_of_row

_MESSAGES = (
    "SELECT ID, MessageID, Metadata, Subject, Size, Read, Snippet, Created, Attachments FROM mailbox"
    " ORDER BY Created DESC"
)
_TAGS_OF = (
    "SELECT message_tags.ID, tags.Name FROM tags JOIN message_tags ON tags.ID = message_tags.TagID"
    " ORDER BY tags.Name"
)
_TAGS = "SELECT DISTINCT Name FROM tags ORDER BY Name"


def read_stored(connection: sqlite3.Connection) -> Stored:
    """Everything the store holds, newest first; every tag name."""
    tags: dict[str, list[str]] = {}
    for holder, name in rows(connection, _TAGS_OF):
        tags.setdefault(str(holder), []).append(str(name))
    found = []
    for row in rows(connection, _MESSAGES):
        found.append(_message(row, tuple(tags.get(str(row[0]), ()))))
    return Stored(messages=tuple(found), tags=tuple(str(name) for (name,) in rows(connection, _TAGS)))


def ids_by_key(stored: Stored) -> Mapping[str, str]:
    """Server IDs by the keys of the messages they are copies of."""
    return {message.key: message.id for message in stored.messages}


def _message(row: tuple[object, ...], tags: tuple[str, ...]) -> StoredMessage:
    metadata = json.loads(str(row[2]))
    sender = metadata.get("From") or {}
    return StoredMessage(
        id=str(row[0]),
        message_id=str(row[1]),
        sender=str(sender.get("Address", "")).lower(),
        to=_addresses(metadata.get("To")),
        cc=_addresses(metadata.get("Cc")),
        bcc=_addresses(metadata.get("Bcc")),
        reply_to=_addresses(metadata.get("ReplyTo")),
        subject=str(row[3]),
        tags=tags,
        read=row[5] == 1,
        size=int(float(str(row[4]))),
        snippet=str(row[6]),
        attachments=int(float(str(row[8]))),
        names=names_of_row(metadata),
        created_ms=int(float(str(row[7]))),
    )


def _addresses(value: object) -> tuple[str, ...]:
    entries = value if isinstance(value, list) else []
    return tuple(str(entry.get("Address", "")).lower() for entry in entries)
