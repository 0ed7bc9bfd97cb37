"""Two actors that come to the same statement: the replies tell whose it was, or the schedule is none."""

import pytest
from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.explore.graph import Graph
from mailrace.steer.one_instance.paths import Paths

from tests.steer.lattice import straight_through


def twin_counters(steps: int = 2) -> Graph:
    """Two actors that both send `count`, then `insert`: nothing but their replies tells them apart."""
    texts = ("count", "insert", "ask")[:steps]
    return straight_through(texts, texts)


def test_a_reply_tells_whose_the_statements_were() -> None:
    paths = Paths(twin_counters())
    both = [0, 1]
    paths.add("count []", both, whose=[1, 0])
    assert not paths.is_one
    assert paths.node.number(1) == 1
    paths.ended(lambda _: False)
    assert not paths.is_one
    paths.add("insert []", both, whose=[1])
    paths.ended(lambda actor: actor == 1)
    assert paths.is_one
    paths.add("count []", [0], whose=[0])
    paths.add("insert []", [0], whose=[0])
    assert paths.schedule() == (1, 1, 0, 0)


def test_the_reply_of_the_other_ends_the_try() -> None:
    paths = Paths(twin_counters())
    paths.add("count []", [0, 1], whose=[1, 0])
    paths.add("insert []", [0, 1], whose=[1])
    with pytest.raises(ScheduleMissed, match="step 2 was another actor's"):
        paths.ended(lambda actor: actor == 0)


def test_a_statement_that_only_one_can_send_leaves_one_order() -> None:
    """After two counts both stand at `insert`; after one, an insert is that actor's own."""
    paths = Paths(twin_counters())
    paths.add("count []", [0, 1], whose=[0, 1])
    assert paths.may_send("insert []", [0, 1]) == [0]
    assert paths.may_send("count []", [0, 1]) == [1]
    assert paths.may_send("delete []", [0, 1]) == []


def test_an_order_that_nothing_tells_from_another_is_none() -> None:
    """Count, count, insert, insert, and only then two replies: four schedules look like that."""
    paths = Paths(twin_counters())
    for text in ("count", "count", "insert", "insert"):
        paths.add(f"{text} []", [0, 1], whose=paths.may_send(f"{text} []", [0, 1]))
    assert not paths.is_one
    with pytest.raises(ScheduleMissed, match="several schedules would have looked the same"):
        paths.schedule()


def test_one_order_needs_no_reply() -> None:
    paths = Paths(twin_counters())
    paths.add("count []", [0], whose=[0])
    assert paths.is_one
    assert paths.schedule() == (0,)


def statement(sql: str) -> Statement:
    return Statement(1, 0, ((sql, ()),), 0, None)  # type: ignore[arg-type]


def fetch_then_note(first: str = "SELECT body") -> Graph:
    """Two actors that read the same and then note it."""
    return straight_through((first, "note"), (first, "note"))


def test_who_is_served_with_anothers_answer_asked_right_behind_it() -> None:
    """One `SELECT body` for two, then a note of each: who of them noted first makes no difference."""
    paths = Paths(fetch_then_note())
    paths.add("SELECT body []", [0], whose=[0])
    paths.begun([1])
    paths.add("note []", [0, 1], whose=[0])
    assert paths.may_send("note []", [0, 1]) == []
    assert paths.served_along("note []", [0, 1])
    paths.add("note []", [0, 1], whose=paths.may_send("note []", [0, 1]))
    assert paths.has_served
    assert paths.node.is_leaf
    assert sorted(paths.schedule()) == [0, 0, 1, 1]
    assert paths.schedule()[:2] == (0, 1)
    sent = [(statement(text),) for text in ("SELECT body", "note", "note")]
    each = paths.attributed(sent)
    assert [(actor, one.sql) for actor, (one,) in each[:2]] == [(0, "SELECT body"), (1, "SELECT body")]
    assert [one.sql for _, (one,) in each[2:]] == ["note", "note"]
    assert each[0][1][0] is not each[1][1][0]


def test_nobody_is_served_along_who_was_not_under_way_or_who_writes() -> None:
    for first, begins in (("SELECT body", False), ("UPDATE body", True)):
        paths = Paths(fetch_then_note(first))
        paths.add(f"{first} []", [0], whose=[0])
        if begins:
            paths.begun([1])
        paths.add("note []", [0], whose=[0])
        assert paths.served_along("note []", [1]) == []
        assert not paths.has_served


def test_nobody_is_served_along_who_would_have_been_told_something_else() -> None:
    """What the first was told is not what the second is told right behind it."""
    paths = Paths(straight_through(("SELECT body", "note"), ("SELECT body", "note"), told=("one", "two")))
    paths.add("SELECT body []", [0], whose=[0])
    paths.begun([1])
    paths.add("note []", [0], whose=[0])
    assert paths.served_along("note []", [1]) == []
