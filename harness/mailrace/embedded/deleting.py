"""Deletes messages from the store: by ID, by search, all; each deletion ends with pruning tags."""

from collections.abc import Sequence

from mailrace.embedded.database import Database
from mailrace.embedded.schema import forget_deleted_size
from mailrace.embedded.tagging import prune_tags

_TABLES = ("mailbox", "mailbox_data", "message_tags")
_CHUNK = 1000


def _marks(count: int) -> str:
    return ",".join("?" * count)


async def delete_messages(db: Database, ids: Sequence[str]) -> int:
    """Delete those that exist; returns how many. Repeated and stale IDs beside live ones do no harm."""
    sizes = await _sizes(db, ids)
    if not sizes:
        return 0
    async with db.transaction() as transaction:
        for table in _TABLES:
            await transaction.execute(f"DELETE FROM {table} WHERE ID IN ({_marks(len(sizes))})", *sizes)
    await _after(db, sum(sizes.values()))
    return len(sizes)


async def delete_messages_or_hang(db: Database, ids: Sequence[str]) -> int:
    """The same with issue 723 (S4): as many marks as IDs asked for, arguments only for those that exist.

    Where they differ, the first DELETE fails, and the transaction is neither committed nor rolled back: the
    one connection never comes back, and everything that needs it waits for good.
    """
    sizes = await _sizes(db, ids)
    if not sizes:
        return 0
    async with db.transaction(forgets_to_roll_back=True) as transaction:
        for table in _TABLES:
            await transaction.execute(f"DELETE FROM {table} WHERE ID IN ({_marks(len(ids))})", *sizes)
    await _after(db, sum(sizes.values()))
    return len(sizes)


async def delete_found(db: Database, found: Sequence[tuple[str, int]]) -> None:
    """Delete what a search found, given as (ID, size)."""
    if not found:
        return
    async with db.transaction() as transaction:
        for start in range(0, len(found), _CHUNK):
            ids = [message for message, _ in found[start : start + _CHUNK]]
            for table in _TABLES:
                await transaction.execute(f"DELETE FROM {table} WHERE ID IN ({_marks(len(ids))})", *ids)
    await prune_tags(db)
    await _add_deleted_size(db, sum(size for _, size in found))


async def delete_all(db: Database) -> int:
    """Empty the mailbox, tags too; returns how many messages were there before."""
    (total,) = (await db.query("SELECT COUNT(*) FROM mailbox"))[0]
    async with db.transaction() as transaction:
        for table in ("mailbox", "mailbox_data", "tags", "message_tags"):
            await transaction.execute(f"DELETE FROM {table}")
    await forget_deleted_size(db)
    return int(str(total))


async def _sizes(db: Database, ids: Sequence[str]) -> dict[str, int]:
    rows = await db.query(f"SELECT ID, Size FROM mailbox WHERE ID IN ({_marks(len(ids))})", *ids)
    return {str(message): int(float(str(size))) for message, size in rows}


async def _after(db: Database, size: int) -> None:
    await _add_deleted_size(db, size)
    await prune_tags(db)


async def _add_deleted_size(db: Database, size: int) -> None:
    await db.execute("INSERT OR IGNORE INTO settings (Key, Value) VALUES(?, ?)", "DeletedSize", 0)
    await db.execute("UPDATE settings SET Value = Value + ? WHERE Key = ?", size, "DeletedSize")
