"""Takes what a store holds after a schedule; gives the same, all compared that a promise is about.

Of every row the source (`/raw`) is compared with what was sent, and the text that searches look through is
searched for the sender of each message and the first words of its text. Rows that were there before the
schedule are compared with what they were, unless an operation of the round may touch them.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailrace.actors import render
from mailrace.check import compare_source, differences, markable, touched, words_of
from mailrace.model.attempt import Changed, RoundRecord, Search, Source, Stored, StoredMessage
from mailrace.model.operation import Message, PlannedRound, Send, ServerOptions, messages_of
from mailrace.steer.database_proxy.store import rows

_BLOB = "SELECT Email FROM mailbox_data WHERE ID = ?"
_SEARCH = "SELECT ID FROM mailbox WHERE SearchText LIKE ? ORDER BY Created DESC"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Our HTTP client puts it where a byte is no UTF-8: of such a source the length is not known."""


@dataclass(slots=True)
class Contents:
    """What a planned round's rows are compared with.

    before   the rows as they were before the round, by server ID
    """

    planned: PlannedRound
    mails: Mapping[str, bytes]
    options: ServerOptions
    before: dict[str, StoredMessage] = field(default_factory=dict)
    _blobs: dict[str, object] = field(default_factory=dict)
    _sent: dict[str, bytes] = field(default_factory=dict)

    def unread(self, stored: Stored, connection: sqlite3.Connection) -> list[str]:
        """The IDs of the rows whose source has to be asked for: all but those that are stored as before.

        What the server keeps of a source is compressed and bears its own header, so only it can show one.
        """
        return [
            row.id
            for row in stored.messages
            if row.key in messages_of(self.planned)
            and (row.id not in self._blobs or self._blobs[row.id] != _blob(connection, row.id))
        ]

    def remember(self, stored: Stored, connection: sqlite3.Connection) -> None:
        """Take what is stored now for what there was before the round."""
        self.before = {row.id: row for row in stored.messages}
        self._blobs = {row.id: _blob(connection, row.id) for row in stored.messages}

    def looked_at(
        self, all_of_it: Stored, connection: sqlite3.Connection, sources: Mapping[str, str | None]
    ) -> Stored:
        """The rows with their sources compared and searched for; `sources` by ID, None: it shows none."""
        found = tuple(self._row(row, sources) for row in all_of_it.messages)
        messages = [m for m in messages_of(self.planned).values() if m.file_sha256 is None]
        stored = [m for m in messages if any(row.key == m.key for row in found)]
        searches = tuple(_search(connection, m, words) for m in stored for words in _searched(m))
        return replace(all_of_it, messages=found, searches=searches)

    def changed(self, record: RoundRecord) -> tuple[Changed, ...]:
        """Rows of before that no operation of the round touches and that are no longer what they were.

        One that is gone is another promise's: it was accepted.
        """
        if record.stored is None or not self.before:
            return ()
        excused, marked = touched(record, self.options), markable(record, self.options)
        found = []
        for after in record.stored.messages:
            before = self.before.get(after.id)
            if before is not None and before.key not in excused:
                after = _as_before(before, after, may_be_marked=before.key in marked)
                if differences(before, after):
                    found.append(Changed(before=before, after=after))
        return tuple(found)

    def _row(self, row: StoredMessage, sources: Mapping[str, str | None]) -> StoredMessage:
        message = messages_of(self.planned).get(row.key)
        if row.id not in sources or message is None:
            known = self.before.get(row.id)
            return replace(row, source=known.source) if known is not None else row
        raw = sources[row.id]
        if raw is None:
            none = Source(size_bytes=0, difference="the server shows no source for it")
            return replace(row, source=none)
        sent = self._sent.get(row.key)
        if sent is None:
            # As the client reads it: what is no UTF-8 is replaced in both.
            text = render(message, 1, self.mails).decode(errors="replace")
            sent = self._sent[row.key] = text.encode()
        posted = {o.message.key for o in self.planned.operations if isinstance(o, Send) and o.via == "rest"}
        source = compare_source(sent, raw.encode(), is_posted=row.key in posted)
        return replace(row, source=replace(source, size_bytes=row.size) if _REPLACEMENT in raw else source)


def _as_before(before: StoredMessage, after: StoredMessage, *, may_be_marked: bool) -> StoredMessage:
    """`after` without what may differ: the spelling of a tag, and whether it is read."""
    if sorted(map(str.lower, before.tags)) == sorted(map(str.lower, after.tags)):
        after = replace(after, tags=before.tags)
    return replace(after, read=before.read) if may_be_marked else after


def _searched(message: Message) -> tuple[str, ...]:
    """What only this message holds: its sender, and the first words of its text where it is long enough."""
    return tuple(dict.fromkeys((message.sender.lower(), words_of(message).strip('"').lower())))


def _search(connection: sqlite3.Connection, message: Message, query: str) -> Search:
    found = rows(connection, _SEARCH, f"%{query}%")
    return Search(key=message.key, query=query, ids=tuple(str(row_id) for (row_id,) in found))


def _blob(connection: sqlite3.Connection, row_id: str) -> object:
    found: Sequence[tuple[object, ...]] = rows(connection, _BLOB, row_id)
    return found[0][0] if found else None
