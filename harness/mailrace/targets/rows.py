"""Takes the JSON of Mailpit's list and search; gives pages of `StoredMessage`, or says what is wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailrace.model.attempt import StoredMessage


class NotMailpit(ValueError):
    """An answer with the right status that is not formed as Mailpit's; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the list or of a search.

    total      messages in the whole mailbox
    matching   messages that match the search (for the list: the same as `total`)
    messages   the rows of this page, newest first
    tags       every tag name of the server
    """

    total: int
    matching: int
    messages: tuple[StoredMessage, ...]
    tags: tuple[str, ...]


def page_of(document: object) -> Page:
    """The page in a decoded answer of `GET /messages` or `GET /search`. Raises NotMailpit."""
    body = object_of(document)
    rows = _rows(body)
    return Page(
        total=_whole(body, "total"),
        matching=_whole(body, "messages_count"),
        messages=tuple(_message(object_of(row, "a row of messages")) for row in rows),
        tags=names_of(body.get("tags")),
    )


def info_of(document: object) -> Mapping[str, object]:
    """The decoded answer of `GET /info`. Raises NotMailpit."""
    info = object_of(document)
    if not isinstance(info.get("Version"), str):
        raise NotMailpit("it has no text 'Version'")
    return info


def decoded(answer: bytes) -> object:
    """The JSON of an answer, whatever it is. Raises NotMailpit."""
    try:
        document: object = json.loads(answer)
        if b"\\ud" in answer.lower():
            # Half a surrogate pair is no character, and no file of ours could hold it.
            text = json.dumps(document, ensure_ascii=False)
            document = json.loads(text.encode("utf-8", "replace"))
        return document
    except (ValueError, RecursionError) as error:
        raise NotMailpit("it is not JSON") from error


def names_of(document: object) -> tuple[str, ...]:
    """The tag names in a decoded list; an absent list is an empty one, as Go writes it. Raises NotMailpit."""
    if document is None:
        return ()
    if not isinstance(document, list) or not all(isinstance(name, str) for name in document):
        raise NotMailpit("its tags are no list of names")
    return tuple(document)


def _message(row: Mapping[str, object]) -> StoredMessage:
    sender = row.get("From")
    return StoredMessage(
        id=_text(row, "ID"),
        message_id=_text(row, "MessageID"),
        sender=_address(sender) if sender is not None else "",
        to=_addresses(row.get("To")),
        cc=_addresses(row.get("Cc")),
        bcc=_addresses(row.get("Bcc")),
        reply_to=_addresses(row.get("ReplyTo")),
        subject=_text(row, "Subject"),
        tags=names_of(row.get("Tags")),
        read=row.get("Read") is True,
        size=_whole(row, "Size"),
        snippet=_text(row, "Snippet") if "Snippet" in row else None,
        attachments=_whole(row, "Attachments") if "Attachments" in row else None,
        names=names_of_row(row),
        created_ms=_instant_ms(_text(row, "Created")) if "Created" in row else 0,
    )


def _instant_ms(text: str) -> int:
    """Unix milliseconds of an instant as Go writes it, `2026-01-01T00:00:00.12Z`."""
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError as error:
        raise NotMailpit(f"'Created' is no instant: {text[:40]!r}") from error


def names_of_row(row: Mapping[str, object]) -> tuple[str, ...]:
    """The names beside the addresses of a row whose lists were already checked."""
    fields = ([row.get("From")], *(row.get(field) or [] for field in ("To", "Cc", "Bcc", "ReplyTo")))
    entries = [entry for field in fields if isinstance(field, list) for entry in field]
    return tuple(str(e["Name"]) for e in entries if isinstance(e, dict) and e.get("Name"))


def _addresses(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise NotMailpit("a list of addresses is none")
    return tuple(_address(entry) for entry in value)


def _address(value: object) -> str:
    return _text(object_of(value, "an address"), "Address").lower()


def object_of(value: object, what: str = "the answer") -> Mapping[str, object]:
    """The decoded value, a JSON object. Raises NotMailpit."""
    if not isinstance(value, dict):
        raise NotMailpit(f"{what} is no JSON object")
    return value


def _rows(body: Mapping[str, object]) -> list[object]:
    rows = body.get("messages", [])
    if "messages" not in body or not isinstance(rows, list | None):
        raise NotMailpit("it has no list 'messages'")
    return rows or []


def _text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise NotMailpit(f"it has no text {key!r}")
    return value


COUNT_MAX = 1 << 53
"""Beyond it a number of JSON is not exact (RFC 8259 6)."""


def _whole(row: Mapping[str, object], key: str) -> int:
    """1.17.x writes its counts as floats."""
    value = row.get(key)
    # Python's JSON also reads NaN and infinity; neither is within the range.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, int | float) and is_number and 0 <= value < COUNT_MAX and int(value) == value:
        return int(value)
    raise NotMailpit(f"it has no count {key!r}")
