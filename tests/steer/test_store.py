"""The store behind the proxy: answers as rqlite gives them, and always put back."""

import sqlite3
from pathlib import Path
from threading import Thread

import pytest
from mailrace.steer.database_proxy.rqlite import Done, Failed, Rows
from mailrace.steer.database_proxy.store import Store, rows, undone


@pytest.fixture
def store() -> Store:
    store = Store()
    store.run(
        ("CREATE TABLE tags (ID INTEGER PRIMARY KEY AUTOINCREMENT, Name TEXT UNIQUE COLLATE NOCASE)", ())
    )
    return store


def test_reads_and_writes(store: Store) -> None:
    assert store.run(("INSERT INTO tags (Name) VALUES (?)", ("foo",))) == Done(1, 1)
    assert store.run(("SELECT ID, Name FROM tags WHERE Name = ?", ("FOO",))) == Rows(
        ("ID", "Name"), ((1, "foo"),)
    )


def test_what_sqlite_refuses_is_an_answer(store: Store) -> None:
    store.run(("INSERT INTO tags (Name) VALUES (?)", ("foo",)))
    found = store.run(("INSERT INTO tags (Name) VALUES (?)", ("FOO",)))
    assert found == Failed("UNIQUE constraint failed: tags.Name")
    assert store.run(("SELECT nonsense", ())) == Failed("no such column: nonsense")


def test_too_few_arguments_are_an_error_and_change_nothing(store: Store) -> None:
    """A plain sqlite3 shell would bind NULL, and hide S4."""
    store.run(("INSERT INTO tags (Name) VALUES (?)", ("foo",)))
    found = store.run(("DELETE FROM tags WHERE ID IN (?,?)", (1,)))
    assert found == Failed("not enough args to execute query: want 2 got 1")
    assert store.run(("SELECT COUNT(*) FROM tags", ())) == Rows(("COUNT(*)",), ((1,),))


def test_too_many_arguments_are_dropped(store: Store) -> None:
    assert store.run(("SELECT ? AS a", (1, 2))) == Rows(("a",), ((1,),))


def test_a_migration_of_several_statements(store: Store) -> None:
    script = 'CREATE TABLE a (x);\n-- a comment\nCREATE TABLE b (x); INSERT INTO b VALUES ("DeletedSize");'
    assert store.run((script, ())) == Done(0, 0)
    assert store.run(("SELECT x FROM b", ())) == Rows(("x",), (("DeletedSize",),))


def test_everything_is_put_back_with_its_counters(store: Store) -> None:
    snapshot = store.snapshot()
    assert store.run(("INSERT INTO tags (Name) VALUES ('a')", ())) == Done(1, 1)
    store.run(("BEGIN IMMEDIATE", ()))
    store.run(("INSERT INTO tags (Name) VALUES ('b')", ()))
    store.restore(snapshot)
    assert not store.connection.in_transaction
    assert store.run(("SELECT COUNT(*) AS n FROM tags", ())) == Rows(("n",), ((0,),))
    assert store.run(("INSERT INTO tags (Name) VALUES ('c')", ())) == Done(1, 1)


def test_a_savepoint_is_undone_after_a_failure(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError), undone(store.connection):
        store.run(("INSERT INTO tags (Name) VALUES ('a')", ()))
        store.connection.execute("nonsense")
    assert store.run(("SELECT COUNT(*) AS n FROM tags", ())) == Rows(("n",), ((0,),))


def test_a_saved_copy_opens(store: Store, tmp_path: Path) -> None:
    store.run(("INSERT INTO tags (Name) VALUES ('a')", ()))
    store.save(tmp_path / "store.db")
    copy = sqlite3.connect(tmp_path / "store.db")
    assert copy.execute("SELECT Name FROM tags").fetchall() == [("a",)]
    copy.close()


def test_a_copy_ends_though_a_transaction_is_open(store: Store) -> None:
    """SQLite would wait for its end, which only the server that began it can bring."""
    store.run(("CREATE TABLE t (a)", ()))
    store.run(("BEGIN", ()))
    store.run(("INSERT INTO t VALUES (1)", ()))
    copies: list[sqlite3.Connection] = []
    copying = Thread(target=lambda: copies.append(store.snapshot()), daemon=True)
    copying.start()
    copying.join(10.0)
    assert [rows(copy, "SELECT * FROM t") for copy in copies] == [[]]
    assert not store.connection.in_transaction


def test_a_copy_holds_what_no_transaction_is_about(store: Store) -> None:
    store.run(("CREATE TABLE t (a)", ()))
    store.run(("INSERT INTO t VALUES (1)", ()))
    assert rows(store.snapshot(), "SELECT * FROM t") == [(1,)]


def test_what_a_connection_keeps_of_its_own_is_put_back_as_well(store: Store) -> None:
    store.run(("PRAGMA foreign_keys = ON", ()))
    snapshot = store.snapshot()
    before = store.connection
    store.restore(snapshot)
    assert store.connection is before
    for text in ("PRAGMA foreign_keys = OFF", "CREATE TEMP TABLE own (a)", "ATTACH ':memory:' AS more"):
        store.run((text, ()))
    store.restore(snapshot)
    assert rows(store.connection, "PRAGMA foreign_keys") == [(1,)]
    assert rows(store.connection, "SELECT name FROM sqlite_temp_master") == []
    assert [row[1] for row in rows(store.connection, "PRAGMA database_list")] in (["main"], ["main", "temp"])
