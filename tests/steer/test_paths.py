"""Two actors that come to the same statement: the replies tell whose it was, or the schedule is none."""

import pytest
from mailrace.model.errors import ScheduleMissed
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
