"""Sleep sets against brute force, on statements of every kind that a real database runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mailrace.steer.database_proxy.independence import Footprint, Footprints, commute
from mailrace.steer.database_proxy.rqlite import Call, Done, Failed
from mailrace.steer.database_proxy.store import Store, rows
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.strategy import Budget, run_schedules

SCHEMA = (
    "PRAGMA foreign_keys = ON",
    "CREATE TABLE mail (ID INTEGER PRIMARY KEY, Text TEXT, Long TEXT GENERATED ALWAYS AS (Text || '!'))",
    "CREATE TABLE tags (ID INTEGER PRIMARY KEY AUTOINCREMENT, Name TEXT UNIQUE)",
    "CREATE TABLE notes (MailID INTEGER REFERENCES mail (ID) ON DELETE CASCADE, Note TEXT)",
    "CREATE TABLE log (What TEXT)",
    "CREATE TABLE other (A TEXT)",
    "CREATE VIEW seen AS SELECT Text, Note FROM mail JOIN notes ON notes.MailID = mail.ID",
    "CREATE TRIGGER noted AFTER DELETE ON notes BEGIN INSERT INTO log VALUES (old.Note); END",
    "CREATE TRIGGER shown INSTEAD OF INSERT ON seen BEGIN INSERT INTO other VALUES (new.Text); END",
    "CREATE VIRTUAL TABLE found USING fts5(Text, content='mail', content_rowid='ID')",
    "CREATE VIRTUAL TABLE words USING fts5(Text)",
    "INSERT INTO mail (ID, Text) VALUES (1, 'one'), (2, 'two')",
    "INSERT INTO notes VALUES (1, 'first'), (2, 'second')",
    "INSERT INTO tags (Name) VALUES ('a')",
    "INSERT INTO found (found) VALUES ('rebuild')",
)
STATEMENTS = (
    "SELECT * FROM mail",
    "SELECT Long FROM mail WHERE ID = 2",
    "SELECT * FROM seen",
    "INSERT INTO seen VALUES ('x', 'y')",
    "DELETE FROM mail WHERE ID = 1",
    "INSERT INTO mail (Text) VALUES ('new') RETURNING ID",
    "UPDATE mail SET Text = 'changed' WHERE ID = 2",
    "SELECT COUNT(*) FROM log",
    "INSERT INTO tags (Name) VALUES ('a') ON CONFLICT (Name) DO UPDATE SET Name = 'b'",
    "INSERT OR IGNORE INTO tags (Name) VALUES ('a')",
    "DELETE FROM tags",
    "SELECT * FROM tags",
    "REPLACE INTO tags (ID, Name) VALUES (1, 'c')",
    "SELECT rowid FROM found",
    "SELECT Text FROM found WHERE found MATCH 'one'",
    "SELECT Text FROM words",
    "INSERT INTO words VALUES ('there')",
    "SELECT COUNT(*) FROM words_content",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < (SELECT COUNT(*) FROM mail))"
    " SELECT * FROM n",
    "INSERT INTO other SELECT Text FROM mail",
    "CREATE TABLE IF NOT EXISTS more (A TEXT)",
    "INSERT INTO more VALUES ('m')",
    "CREATE TRIGGER IF NOT EXISTS late AFTER INSERT ON other BEGIN DELETE FROM log; END",
    "SELECT seq FROM sqlite_sequence",
)
PROGRAMS = st.lists(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=3), min_size=2, max_size=3)


@pytest.fixture(scope="module")
def start() -> Store:
    store = Store()
    for text in SCHEMA:
        answer = store.run((text, ()))
        assert not isinstance(answer, Failed), answer
    return store


@dataclass
class Statements:
    """An explorer's `System`: actors that send fixed statements to one store."""

    start: Store
    programs: Sequence[Sequence[str]]
    is_brute: bool = False
    store: Store = field(default_factory=Store)
    at: list[int] = field(default_factory=list)
    told: list[list[object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.snapshot = self.start.snapshot()
        self.prints = Footprints(self.snapshot)
        for text in STATEMENTS:
            self.prints.of(text)  # as a session has asked for most of them before

    def restart(self) -> None:
        self.store.restore(self.snapshot)
        self.at = [0] * len(self.programs)
        self.told = [[] for _ in self.programs]

    def enabled(self) -> tuple[int, ...]:
        return tuple(i for i, program in enumerate(self.programs) if self.at[i] < len(program))

    def waiting(self, actor: int) -> str:
        return self.programs[actor][self.at[actor]]

    def commute(self, one: int, other: int) -> bool:
        mine, its = (self.waiting(one), ()), (self.waiting(other), ())
        return not self.is_brute and commute(self.store.connection, self.prints, (mine,), (its,))

    def touches(self, actor: int) -> Footprint:
        return self.prints.of(self.waiting(actor))

    def step(self, actor: int) -> None:
        call: Call = (self.waiting(actor), ())
        answer = self.store.run(call)
        self.told[actor].append(answer.rows_affected if isinstance(answer, Done) else answer)
        self.at[actor] += 1

    def finish(self) -> object:
        connection = self.store.connection
        tables = [r[1] for r in rows(connection, "PRAGMA main.table_list") if r[2] in ("table", "shadow")]
        held = [
            (t, sorted(map(repr, rows(connection, f'SELECT * FROM "{t}"')))) for t in sorted(map(str, tables))
        ]
        return repr((self.told, held))


def outcomes(system: Statements) -> set[object]:
    found: list[object] = []
    coverage = run_schedules(
        system, DepthFirst(), Budget(schedules_max=100_000), lambda _, leaf: found.append(leaf)
    )
    assert coverage.is_complete
    return set(found)


A_COPY = [["DELETE FROM mail WHERE ID = 1"], ["SELECT Text FROM found WHERE found MATCH 'one'"]]
"""What a table that only indexes another one finds hangs on that other one."""
A_PART = [["INSERT INTO words VALUES ('there')"], ["SELECT COUNT(*) FROM words_content"]]
"""What is put into a virtual table is kept in another one."""


@pytest.mark.slow
@settings(max_examples=120)
@given(PROGRAMS)
@example(A_COPY)
@example(A_PART)
def test_sleep_sets_come_to_what_brute_force_comes_to(start: Store, programs: list[list[str]]) -> None:
    shortened = programs if len(programs) == 2 else [program[:2] for program in programs]
    assert outcomes(Statements(start, shortened)) == outcomes(Statements(start, shortened, is_brute=True))
