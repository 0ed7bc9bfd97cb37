"""The tables of a Mailpit store as its migrations leave them; takes Statements and makes what is missing.

One schema serves all versions: a 1.17 leaves `mailbox_data.Compressed` at its default.
"""

from mailrace.embedded.database import Database

_TABLES = (
    """CREATE TABLE IF NOT EXISTS mailbox (
        Created INTEGER NOT NULL, ID TEXT NOT NULL, MessageID TEXT NOT NULL, Subject TEXT NOT NULL,
        Metadata TEXT, Size INTEGER NOT NULL, Inline INTEGER NOT NULL, Attachments INTEGER NOT NULL,
        Read INTEGER, SearchText TEXT, Snippet TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE IF NOT EXISTS mailbox_data (
        ID TEXT KEY NOT NULL, Email BLOB, Compressed INTEGER NOT NULL DEFAULT '0')""",
    """CREATE TABLE IF NOT EXISTS tags (
        ID INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, Name TEXT COLLATE NOCASE)""",
    """CREATE TABLE IF NOT EXISTS message_tags (
        Key INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, ID TEXT NOT NULL, TagID INTEGER NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS settings (Key TEXT, Value TEXT)",
)

_UNIQUE = {"idx_id": "mailbox (ID)", "idx_data_id": "mailbox_data (ID)"}
_UNIQUE |= {"idx_tag_name": "tags (Name)", "idx_settings_key": "settings (Key)"}

_INDEXED = {f"idx_{column.lower()}": f"mailbox ({column})" for column in ("Created", "Subject", "Size")}
_INDEXED |= {"idx_message_id": "mailbox (MessageID)", "idx_read": "mailbox (Read)"}
_INDEXED |= {"idx_inline": "mailbox (Inline)", "idx_attachments": "mailbox (Attachments)"}
_INDEXED |= {"idx_message_tags_id": "message_tags (ID)", "idx_message_tags_tagid": "message_tags (TagID)"}


async def apply_schema(db: Database) -> None:
    """Create tables and indexes where they are missing, and the one setting Mailpit starts with."""
    async with db.transaction() as transaction:
        for table in _TABLES:
            await transaction.execute(table)
        for name, place in _UNIQUE.items():
            await transaction.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {place}")
        for name, place in _INDEXED.items():
            await transaction.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {place}")
    rows = await db.query("SELECT Value FROM settings WHERE Key = ? LIMIT ?", "DeletedSize", 1)
    if not rows or rows[0][0] is None:
        await forget_deleted_size(db)


async def forget_deleted_size(db: Database) -> None:
    """Begin to count anew how many bytes were deleted."""
    sql = "INSERT INTO settings (Key, Value) VALUES(?, ?) ON CONFLICT(Key) DO UPDATE SET Value = ?"
    await db.execute(sql, "DeletedSize", "0", "0")
