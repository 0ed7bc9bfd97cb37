"""Tags of messages: names cleaned, set, renamed, deleted and pruned, in the statements of each version."""

import re
from collections.abc import Iterable, Sequence

from mailrace.embedded.database import Database
from mailrace.embedded.driver import StatementFailed
from mailrace.embedded.mutex import Mutex
from mailrace.embedded.versions import TagWriting, Version

_TAGS_OF = (
    "SELECT Name FROM Tags LEFT JOIN message_tags ON (Tags.ID=message_tags.TagID) "
    "WHERE message_tags.ID = ? ORDER BY Name"
)


class TagRefused(Exception):
    """A tag edit that the server answers with 400 and these words."""


def clean_tag(name: str, version: Version) -> str:
    """The tag as it is stored: what may not be in one becomes a space, spaces run together."""
    # From 1.30 on (the release is not known exactly) an @ may stand in a tag, and 100 characters at most.
    is_new = version.since(1, 30)
    cleaned = " ".join(re.sub(r"[^a-zA-Z0-9\- _.@]" if is_new else r"[^a-zA-Z0-9\- _.]", " ", name).split())
    return cleaned[:100] if is_new else cleaned


def unique_tags(names: Iterable[str], version: Version) -> list[str]:
    """Cleaned tags, each once without regard to case, the first spelling of each, in the order given."""
    found: dict[str, str] = {}
    for name in names:
        cleaned = clean_tag(name, version)
        if cleaned:
            found.setdefault(cleaned.lower(), cleaned)
    return list(found.values())


class Tagging:
    """The tag operations of one instance; they share its mutex, where the version has one."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._mutex = Mutex()

    async def set_tags(self, db: Database, message: str, names: Sequence[str]) -> None:
        """Make the tags of a message exactly these; stale ones are removed after new ones are added."""
        wanted = unique_tags(names, self._version)
        current = await tags_of(db, message)
        present = {tag.lower() for tag in current}
        for name in wanted:
            if name.lower() not in present:
                await self._add(db, message, name)
        kept = {name.lower() for name in wanted}
        if self._version.handles_tags_together:
            stale = [tag for tag in current if tag.lower() not in kept]
            if stale:
                await _remove_together(db, message, stale)
        elif current:
            for tag in await tags_of(db, message):
                if tag.lower() not in kept:
                    await _remove(db, message, tag)

    async def _add(self, db: Database, message: str, name: str) -> None:
        if self._version.tags is TagWriting.INSERT_OR_IGNORE:
            tag = await _insert_or_ignore(db, name)
        elif self._version.tags is TagWriting.UNDER_A_MUTEX:
            tag = await self._under_mutex(db, name)
        else:
            tag = await self._check_then_insert(db, name)
        await self._attach(db, message, tag)

    async def _check_then_insert(self, db: Database, name: str) -> int:
        found = await self._find(db, name)
        while found is None:
            await db.execute("INSERT INTO tags ( Name ) VALUES ( ? )", name)
            found = await self._find(db, name)
        return found

    async def _under_mutex(self, db: Database, name: str) -> int:
        while True:
            async with self._mutex.held():
                found = await self._find(db, name)
                if found is not None:
                    return found
                await db.execute("INSERT INTO tags ( Name ) VALUES ( ? )", name)

    async def _find(self, db: Database, name: str) -> int | None:
        columns = "ID, Name" if self._version.hears_that_a_tag_is_there else "ID"
        rows = await db.query(f"SELECT {columns} FROM tags WHERE Name = ?", name)
        return int(str(rows[0][0])) if rows else None

    async def _attach(self, db: Database, message: str, tag: int) -> None:
        count = "SELECT COUNT(ID) FROM message_tags WHERE ID = ? AND TagID = ?"
        if self._version.hears_that_a_tag_is_there:
            if (await db.query_one(count, message, tag))[0]:
                return
        else:
            await db.execute(count, message, tag)  # 1.17 asks, and does not read the answer
        await db.execute("INSERT INTO message_tags ( ID, TagID ) VALUES ( ?, ? )", message, tag)

    async def rename(self, db: Database, old: str, new: str) -> None:
        """Give a tag another name; raises TagRefused where it is unknown, taken or empty."""
        name = clean_tag(new, self._version)
        if not name:
            raise TagRefused(f"invalid tag name: {name}")
        if old == name:
            return
        tag = await _known(db, old)
        taken = "SELECT ID FROM tags WHERE Name = ? AND ID != ? LIMIT ?"
        if await db.query(taken, name, tag, 1):
            raise TagRefused(f"tag already exists: {name}")
        await db.execute("UPDATE tags SET Name=? WHERE ID = ?", name, tag)

    async def delete(self, db: Database, name: str) -> None:
        """Take a tag from all messages and delete it; raises TagRefused where it is unknown."""
        tag = await _known(db, name)
        try:
            await db.execute("DELETE FROM message_tags WHERE TagID = ?", tag)
        except StatementFailed as error:
            raise TagRefused(f"error deleting tag references: {error}") from error
        try:
            await db.execute("DELETE FROM tags WHERE ID = ?", tag)
        except StatementFailed as error:
            raise TagRefused(f"error deleting tag: {error}") from error


async def tags_of(db: Database, message: str) -> list[str]:
    """The tags of one message, sorted; a tag that it holds twice is there twice."""
    return [str(row[0]) for row in await db.query(_TAGS_OF, message)]


async def tags_of_all(db: Database, messages: Sequence[str], version: Version) -> dict[str, list[str]]:
    """The tags of a page of messages, by message."""
    if not version.handles_tags_together:
        return {message: await tags_of(db, message) for message in messages}
    found: dict[str, list[str]] = {message: [] for message in messages}
    if not found:
        return found
    marks = ",".join("?" * len(messages))
    sql = f"SELECT mt.ID, t.Name FROM Tags t JOIN message_tags mt ON t.ID = mt.TagID WHERE mt.ID IN ({marks})"
    for message, name in await db.query(f"{sql} ORDER BY mt.ID, t.Name", *messages):
        found[str(message)].append(str(name))
    return found


async def all_tags(db: Database) -> list[str]:
    """Every tag there is, sorted, with or without a message."""
    return [str(row[0]) for row in await db.query("SELECT DISTINCT Name FROM tags ORDER BY Name")]


async def tag_counts(db: Database) -> dict[str, int]:
    """Tags with the number of their messages; of several without any, one."""
    sql = (
        "SELECT Name, COUNT(message_tags.TagID) as total FROM tags "
        "LEFT JOIN message_tags ON (tags.ID = message_tags.TagID) GROUP BY message_tags.TagID ORDER BY Name"
    )
    return {str(name): int(str(total)) for name, total in await db.query(sql)}


async def prune_tags(db: Database) -> None:
    """Delete each tag that no message held when this began to look."""
    sql = (
        "SELECT tags.ID, tags.Name, COUNT(message_tags.ID) as COUNT FROM tags "
        "LEFT JOIN message_tags ON (tags.ID = message_tags.TagID) GROUP BY tags.ID"
    )
    for tag, _, count in await db.query(sql):
        if not count:
            await db.execute("DELETE FROM tags WHERE ID = ?", tag)


async def _insert_or_ignore(db: Database, name: str) -> int:
    await db.execute("INSERT OR IGNORE INTO tags (Name) VALUES (?)", name)
    return int(str((await db.query_one("SELECT ID, Name FROM tags WHERE Name = ?", name))[0]))


async def _remove_together(db: Database, message: str, names: Sequence[str]) -> None:
    marks = ",".join("?" * len(names))
    sql = f"DELETE FROM message_tags WHERE ID = ? AND TagID IN (SELECT ID FROM tags WHERE Name IN ({marks}))"
    await db.execute(sql, message, *names)
    await prune_tags(db)


async def _remove(db: Database, message: str, name: str) -> None:
    sql = (
        "DELETE FROM message_tags WHERE message_tags.ID = ? AND message_tags.Key IN "
        "(SELECT Key FROM message_tags LEFT JOIN tags ON TagID=tags.ID WHERE Name = ?)"
    )
    await db.execute(sql, message, name)
    await prune_tags(db)


async def _known(db: Database, name: str) -> int:
    rows = await db.query("SELECT ID FROM tags WHERE Name = ? LIMIT ?", name, 1)
    if not rows:
        raise TagRefused(f"tag not found: {name}")
    return int(str(rows[0][0]))
