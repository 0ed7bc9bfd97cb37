"""Which statements can be exchanged: by the tables that the authorizer names, else by trying both orders."""

import pytest
from mailrace.steer.database_proxy.independence import Footprint, Footprints, commute
from mailrace.steer.database_proxy.store import Store

INSERT_TAG = "INSERT OR IGNORE INTO tags (Name) VALUES (?)"
SELECT_TAG = "SELECT ID, Name FROM tags WHERE Name = ?"
LINK = "INSERT INTO message_tags ( ID, TagID ) VALUES ( ?, ? )"
UNUSED = (
    "SELECT tags.ID, tags.Name, COUNT(message_tags.ID) as COUNT FROM tags"
    " LEFT JOIN message_tags ON (tags.ID = message_tags.TagID) GROUP BY tags.ID"
)


@pytest.fixture
def store() -> Store:
    store = Store()
    store.run(
        ("CREATE TABLE tags (ID INTEGER PRIMARY KEY AUTOINCREMENT, Name TEXT UNIQUE COLLATE NOCASE)", ())
    )
    store.run(("CREATE TABLE message_tags (ID TEXT, TagID INTEGER)", ()))
    store.run(("CREATE TABLE settings (Key TEXT UNIQUE, Value TEXT)", ()))
    return store


@pytest.mark.parametrize(
    ("sql", "reads", "writes"),
    [
        (SELECT_TAG, {"tags"}, set()),
        ("SELECT COUNT(*) FROM tags", {"tags"}, set()),
        (UNUSED, {"tags", "message_tags"}, set()),
        (INSERT_TAG, set(), {"tags"}),
        (LINK, set(), {"message_tags"}),
        ("UPDATE settings SET Value = Value + ? WHERE Key = ?", {"settings"}, {"settings"}),
        ("DELETE FROM tags WHERE ID = ?", {"tags"}, {"tags"}),
        ("DELETE FROM tags", set(), {"tags"}),
    ],
)
def test_the_tables_of_a_statement(store: Store, sql: str, reads: set[str], writes: set[str]) -> None:
    found = Footprints(store.connection).of(sql)
    assert found == Footprint(frozenset(reads), frozenset(writes))


@pytest.mark.parametrize(
    "sql",
    [
        "PRAGMA user_version",
        "PRAGMA user_version = 1",
        "SELECT seq FROM sqlite_sequence",
        "nonsense",
        "CREATE TABLE more (ID TEXT)",
        "DROP TABLE settings",
        "SELECT changes()",
        "SELECT last_insert_rowid() FROM tags",
        "COMMIT",
        "/* one transaction */ BEGIN",
        "-- one transaction\nBEGIN IMMEDIATE",
        "SAVEPOINT one",
        "ROLLBACK TO one",
        "CREATE TEMP TABLE more (ID TEXT)",
        "ATTACH ':memory:' AS more",
        "ANALYZE",
        "INSERT INTO words VALUES ('a')",
        "SELECT COUNT(*) FROM words_content",
    ],
)
def test_what_no_table_tells_depends_on_everything(store: Store, sql: str) -> None:
    store.run(("CREATE VIRTUAL TABLE words USING fts5(Text)", ()))
    assert Footprints(store.connection).of(sql).is_open
    assert not exchangeable(store, (sql, ()), ("SELECT COUNT(*) FROM message_tags", ()))


@pytest.mark.parametrize(
    ("sql", "is_of_connection"),
    [
        ("SELECT last_insert_rowid()", True),
        ("INSERT INTO settings VALUES ('last', changes())", True),
        ("PRAGMA foreign_keys = ON", True),
        ("PRAGMA foreign_keys", False),
        ("CREATE TEMP TABLE more (ID TEXT)", True),
        ("ATTACH ':memory:' AS more", True),
        ("SELECT Value FROM settings ORDER BY rowid DESC LIMIT 1", True),
        ("SELECT Name FROM tags ORDER BY rowid", False),
        ("CREATE TABLE more (ID TEXT)", False),
        ("SELECT random()", False),
        (INSERT_TAG, False),
    ],
)
def test_what_only_the_connection_keeps_is_told_apart(store: Store, sql: str, is_of_connection: bool) -> None:
    """Of such a statement the order of two writes before it matters, though these share no table."""
    assert Footprints(store.connection).of(sql).is_of_connection is is_of_connection


def test_a_step_of_a_whole_transaction_touches_what_its_statements_touch(store: Store) -> None:
    prints = Footprints(store.connection)
    calls = tuple((sql, ()) for sql in ("BEGIN", "DELETE FROM tags", "COMMIT"))
    assert prints.of_step(calls) == Footprint(frozenset(), frozenset({"tags"}))
    assert prints.of_step(calls[:1]).is_open, "what follows it is not known yet"


def test_a_footprint_runs_nothing(store: Store) -> None:
    prints = Footprints(store.connection)
    prints.of("INSERT INTO tags (Name) VALUES ('x')")
    assert store.connection.execute("SELECT COUNT(*) FROM tags").fetchone() == (0,)


def exchangeable(
    store: Store, one: tuple[str, tuple[object, ...]], other: tuple[str, tuple[object, ...]]
) -> bool:
    prints = Footprints(store.connection)
    there = commute(store.connection, prints, (one,), (other,))  # type: ignore[arg-type]
    assert commute(store.connection, prints, (other,), (one,)) is there  # type: ignore[arg-type]
    return there


def test_other_tables_are_independent(store: Store) -> None:
    assert exchangeable(store, (INSERT_TAG, ("a",)), (LINK, ("m", 1)))


def test_two_reads_are_independent(store: Store) -> None:
    assert exchangeable(store, (SELECT_TAG, ("a",)), (UNUSED, ()))


def test_a_read_of_what_is_written_depends(store: Store) -> None:
    assert not exchangeable(store, (SELECT_TAG, ("a",)), (INSERT_TAG, ("a",)))


def test_where_it_changes_nothing_here_it_is_independent(store: Store) -> None:
    assert exchangeable(store, (SELECT_TAG, ("b",)), (INSERT_TAG, ("a",)))
    store.run((INSERT_TAG, ("a",)))
    assert exchangeable(store, (SELECT_TAG, ("a",)), (INSERT_TAG, ("a",)))


def test_the_first_spelling_of_two_stands_so_they_depend(store: Store) -> None:
    assert not exchangeable(store, (INSERT_TAG, ("a",)), (INSERT_TAG, ("A",)))
    store.run((INSERT_TAG, ("a",)))
    assert exchangeable(store, (INSERT_TAG, ("a",)), (INSERT_TAG, ("A",)))


def test_trying_leaves_the_store_as_it_was(store: Store) -> None:
    assert not exchangeable(store, ("INSERT INTO tags (Name) VALUES ('a')", ()), (SELECT_TAG, ("a",)))
    assert store.connection.execute("SELECT COUNT(*) FROM tags").fetchone() == (0,)
    assert not store.connection.in_transaction


def test_within_a_transaction_nothing_is_tried(store: Store) -> None:
    store.run(("BEGIN", ()))
    assert not exchangeable(store, (SELECT_TAG, ("b",)), (INSERT_TAG, ("a",)))
    store.run(("ROLLBACK", ()))


@pytest.mark.parametrize("rule", ["ON DELETE CASCADE", "ON DELETE SET NULL"])
def test_what_is_changed_along_by_a_foreign_key_is_touched(store: Store, rule: str) -> None:
    store.run((f"CREATE TABLE notes (TagID INTEGER REFERENCES tags (ID) {rule})", ()))
    remove, count = ("DELETE FROM tags WHERE ID = ?", (1,)), ("SELECT COUNT(TagID) FROM notes", ())
    assert Footprints(store.connection).of(remove[0]).writes == {"tags"}
    for call in (
        ("PRAGMA foreign_keys = ON", ()),
        (INSERT_TAG, ("a",)),
        ("INSERT INTO notes VALUES (1)", ()),
    ):
        store.run(call)
    prints = Footprints(store.connection)
    assert prints.of(remove[0]).writes == {"tags", "notes"}
    assert not commute(store.connection, prints, (remove,), (count,))


def test_what_a_trigger_changes_is_touched_as_often_as_the_connection_lets_it(store: Store) -> None:
    store.run(("CREATE TABLE first (n)", ()))
    store.run(
        ("CREATE TRIGGER along AFTER INSERT ON first BEGIN INSERT INTO settings VALUES (1, 1); END", ())
    )
    assert Footprints(store.connection).of("INSERT INTO first VALUES (?)").writes == {"first", "settings"}
