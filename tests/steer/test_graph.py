"""Typed-in programs over a real store: all orders at once, and what the graph cannot know."""

from mailrace.steer.database_proxy.independence import Footprints
from mailrace.steer.database_proxy.rqlite import Call
from mailrace.steer.database_proxy.statement_text import Names
from mailrace.steer.database_proxy.store import Store
from mailrace.steer.explore.graph import Graph, always, build, count_schedules
from mailrace.steer.explore.programs import Learner, PlannedStep

LOOK: Call = ("SELECT ID FROM tags WHERE Name = ?", ("t",))
ADD: Call = ("INSERT INTO tags (Name) VALUES (?)", ("t",))
FAILS = "error: UNIQUE constraint failed: tags.Name"


def store() -> Store:
    it = Store()
    it.run(("CREATE TABLE tags (ID INTEGER PRIMARY KEY, Name TEXT UNIQUE)", ()))
    return it


def one(call: Call) -> list[PlannedStep]:
    return [PlannedStep((call,), call[0])]


def graph_of(programs: Learner) -> Graph:
    it = store()
    return build(programs.programs(), 2, Names({}), it.connection, Footprints(it.connection))


def look_then_add() -> Learner:
    """Each of two actors looks for a tag, adds it where it is absent, and ends where that fails (S1)."""
    programs = Learner()
    for actor in (0, 1):
        programs.variants[actor, ()] = one(LOOK)
        programs.variants[actor, ("[]",)] = one(ADD)
        programs.endings[actor, ("[['1']]",)] = "2xx"
        programs.endings[actor, ("[]", "1 rows")] = "2xx"
        programs.endings[actor, ("[]", FAILS)] = "4xx"
    return programs


def test_every_order_and_what_each_is_told() -> None:
    graph = graph_of(look_then_add())
    assert graph.is_whole
    counts = count_schedules(graph, always)
    told = {leaf.histories: number for leaf, number in counts.items()}
    assert told == {
        (("[]", "1 rows"), ("[['1']]",)): 1,
        (("[['1']]",), ("[]", "1 rows")): 1,
        (("[]", "1 rows"), ("[]", FAILS)): 2,
        (("[]", FAILS), ("[]", "1 rows")): 2,
    }


def test_a_program_that_was_never_seen_leaves_the_graph_partial() -> None:
    programs = look_then_add()
    del programs.endings[1, ("[]", FAILS)]
    assert not graph_of(programs).is_whole


def test_a_transactions_statements_are_chosen_by_their_own_answers() -> None:
    begin, commit = ("BEGIN IMMEDIATE", ()), ("COMMIT", ())
    absent = PlannedStep((begin, LOOK, ADD, commit), "adds", told="0 rows; []; 1 rows; 0 rows")
    present = PlannedStep((begin, LOOK, commit), "finds", told="0 rows; [['1']]; 0 rows")
    programs = Learner()
    for actor in (0, 1):
        programs.variants[actor, ()] = [absent, present]
        for step in (absent, present):
            programs.endings[actor, (step.told,)] = "2xx"
    graph = graph_of(programs)
    assert graph.is_whole
    assert {leaf.histories for leaf in graph.leaves()} == {
        ((absent.told,), (present.told,)),
        ((present.told,), (absent.told,)),
    }
    assert programs.programs().last(0, (present.told,)) is present


def test_building_leaves_the_store_as_it_was() -> None:
    it = store()
    build(look_then_add().programs(), 2, Names({}), it.connection, Footprints(it.connection))
    assert it.connection.execute("SELECT COUNT(*) FROM tags").fetchone() == (0,)


def test_the_graph_follows_foreign_keys_as_the_store_does() -> None:
    it = store()
    for text in (
        "PRAGMA foreign_keys = ON",
        "CREATE TABLE notes (TagID INTEGER REFERENCES tags (ID) ON DELETE CASCADE)",
        "INSERT INTO tags VALUES (1, 'a')",
        "INSERT INTO notes VALUES (1)",
    ):
        it.run((text, ()))
    programs = Learner()
    programs.variants[0, ()] = one(("DELETE FROM tags", ()))
    programs.variants[1, ()] = one(("SELECT COUNT(*) FROM notes", ()))
    programs.endings[0, ("1 rows",)] = "2xx"
    programs.endings[1, ("[['0']]",)] = programs.endings[1, ("[['1']]",)] = "2xx"
    graph = build(programs.programs(), 2, Names({}), it.snapshot(), Footprints(it.connection))
    assert {leaf.histories[1] for leaf in graph.leaves()} == {("[['0']]",), ("[['1']]",)}


def test_states_that_differ_in_a_table_that_is_made_on_the_way_are_two() -> None:
    it = store()
    programs = Learner()
    texts = (
        "CREATE TABLE IF NOT EXISTS more (A)",
        "INSERT INTO more SELECT {} WHERE NOT EXISTS (SELECT 1 FROM more)",
    )
    for actor in (0, 1):
        programs.variants[actor, ()] = one((texts[0], ()))
        programs.variants[actor, ("0 rows",)] = one((texts[1].format(actor), ()))
        programs.variants[actor, ("0 rows", "1 rows")] = one(("SELECT 1", ()))
        programs.endings[actor, ("0 rows", "0 rows")] = "2xx"
        programs.endings[actor, ("0 rows", "1 rows", "[['1']]")] = "2xx"
    graph = build(programs.programs(), 2, Names({}), it.snapshot(), Footprints(it.connection))
    assert graph.is_whole
    assert all("more" in dict(leaf.store) for leaf in graph.leaves())
