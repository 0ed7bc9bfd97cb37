"""Causes on graphs written down by hand, and beside brute force: every schedule looked at by itself."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given
from mailrace.model.consequences import Harm
from mailrace.steer.causes.naming import by_harm, origin_of
from mailrace.steer.causes.no_return import decisive, outlook
from mailrace.steer.causes.repair import Stretch, find_repairs, gaps_of, rule_of
from mailrace.steer.causes.sql import shape_of, told
from mailrace.steer.causes.view import Label, View, anyone, completions

from tests.steer.toy_view import Toy, end_of, idle, look_then_add, orders, view_of_toys

LOOK, ADD = Label("LOOK x", 1), Label("ADD x", 1)


def twice(store: Mapping[str, int]) -> Sequence[str]:
    return ["duplicated"] if store["x"] > 1 else []


def two_adders() -> View:
    return view_of_toys([look_then_add("a"), look_then_add("b")], twice)


def test_the_point_of_no_return_of_two_who_look_before_either_adds() -> None:
    view = two_adders()
    found = outlook(view, (0, 1, 0, 1))
    assert found is not None
    # 4 of 6 schedules are bad; after the first look 2 of 3 are; after the second look all are.
    assert found.shares == (4 / 6, 2 / 3, 1.0, 1.0, 1.0)
    assert found.step == 1
    good = outlook(view, (0, 0, 1, 1))
    assert good is not None
    assert good.shares == (4 / 6, 2 / 3, 0.0, 0.0, 0.0)
    assert good.step == -1


def test_the_pool_hands_the_connection_to_the_one_who_waits() -> None:
    found = outlook(two_adders(), (0, 1, 0, 1))
    assert found is not None
    # After a's look b has not begun: a goes on, or b comes in, half and half.
    assert found.drawn[1:] == (0.5, 1.0, 1.0, 1.0)


def test_what_had_to_come_first_is_the_other_ones_writing() -> None:
    view = two_adders()
    (end,) = view.bad
    found = decisive(view, end)
    assert found is not None
    assert (found.early, found.late) == (("adder", LOOK), ("adder", ADD))


def test_where_every_schedule_is_bad_no_pair_decides() -> None:
    view = view_of_toys([look_then_add("a"), look_then_add("b")], lambda _: ["hang"])
    assert all(decisive(view, end) is None for end in view.bad)


def test_a_schedule_of_two_servers_has_no_outlook() -> None:
    view = two_adders()
    narrowed = View(
        ({0: view.moves[0][0]}, *view.moves[1:]), view.nexts, view.lasts, view.ends, view.bad, view.kinds
    )
    assert outlook(narrowed, (1, 0, 0, 1)) is None


def test_looking_and_adding_kept_together_is_the_repair() -> None:
    found = find_repairs(two_adders())
    assert [r.stretches for r in found.smallest] == [(Stretch(2, "adder", LOOK, ADD),)]
    assert (found.smallest[0].schedules, found.smallest[0].bad) == (2, 0)
    assert found.today == (6, 4)
    assert found.no_help == ()
    assert found.is_whole


def test_only_the_run_that_matters_is_kept_together() -> None:
    padded = [
        Toy(toy.kind, (*idle("", 2).steps, *toy.steps, *idle("", 1).steps))
        for toy in (look_then_add("a"), look_then_add("b"))
    ]
    (repair,) = find_repairs(view_of_toys(padded, twice)).smallest
    assert repair.stretches == (Stretch(2, "adder", LOOK, ADD),)


def test_where_neither_alone_is_enough_both_are_named_and_each_alone_is_said_not_to_help() -> None:
    """A write between two reads of the other, in both directions: each has to be kept together."""

    def reads(name: str, of: str) -> Toy:
        def first(store: dict[str, int]) -> None:
            store[of] = store.get(of, 0)
            store[f"{name} first"] = store[of]

        def second(store: dict[str, int]) -> None:
            store[f"{name} torn"] = int(store.get(of, 0) not in (store[f"{name} first"],))
            store["x"] += store[f"{name} torn"]

        def write(store: dict[str, int]) -> None:
            store[name] = 1

        return Toy(name, (("FIRST", first), ("SECOND", second), ("WRITE", write)))

    view = view_of_toys([reads("p", "q"), reads("q", "p")], lambda s: ["tag_lost"] if s["x"] else [])
    found = find_repairs(view)
    assert found.smallest
    assert all(r.bad == 0 and r.schedules for r in found.smallest)
    for repair in found.no_help:
        assert repair.bad


def test_nothing_is_repaired_where_nothing_is_bad() -> None:
    found = find_repairs(view_of_toys([look_then_add("a"), idle("reader", 2)], twice))
    assert (found.smallest, found.no_help) == ((), ())
    assert found.today[1] == 0


def test_no_repair_is_named_where_serial_schedules_are_bad() -> None:
    view = view_of_toys([look_then_add("a"), idle("reader", 2)], lambda _: ["crash"])
    found = find_repairs(view)
    assert found.smallest == ()
    assert {r.stretches[0].kind for r in found.no_help} == {"adder", "reader"}


def test_a_search_that_ran_out_of_time_says_so() -> None:
    assert not find_repairs(two_adders(), seconds_max=-1.0).is_whole


@st.composite
def toys(draw: st.DrawFn) -> list[Toy]:
    """Two operations that read and write x and y, in any order, with texts that may be the same."""

    def step(name: str, verb: str, what: str) -> tuple[str, object]:
        def do(store: dict[str, int]) -> None:
            if verb == "READ":
                store[f"{name} {what}"] = store.get(what, 0)
            elif verb == "COPY":
                store[what] = store.get(f"{name} {what}", 0) + 1
            else:
                store[what] = 0

        return f"{verb} {what}", do

    verbs, things = st.sampled_from(["READ", "COPY", "ZERO"]), st.sampled_from("xy")
    return [
        Toy(
            name,
            tuple(
                step(name, v, w) for v, w in draw(st.lists(st.tuples(verbs, things), min_size=1, max_size=4))
            ),
        )
        for name in ("p", "q")
    ]


@given(toys(), st.integers(0, 2), st.integers(0, 2))
def test_counts_points_and_repairs_equal_those_of_brute_force(these: list[Toy], x: int, y: int) -> None:
    view = view_of_toys(these, lambda s: ["tag_lost"] if (s["x"], s.get("y", 0)) == (x, y) else [])
    every = list(orders(view))
    bad = [order for order in every if end_of(view, order) in view.bad]
    total, wrong = completions(view)
    assert (total[0], wrong[0]) == (len(every), len(bad))
    for order in bad[:5]:
        found = outlook(view, order)
        assert found is not None
        for length, share in enumerate(found.shares):
            ends = [end_of(view, rest) in view.bad for rest in every if rest[:length] == order[:length]]
            assert share == pytest.approx(sum(ends) / len(ends))
    today = find_repairs(view)
    for repair in (*today.smallest, *today.no_help):
        kept = [order for order in every if keeps(view, order, repair.stretches)]
        assert len(kept) == repair.schedules
        assert sum(end_of(view, order) in view.bad for order in kept) == repair.bad
    assert all(repair.bad == 0 for repair in today.smallest)
    if bad and not today.smallest:  # then not even one operation after the other is good
        assert any(end_of(view, order) in view.bad for order in every if switches(order) == 1)


def keeps(view: View, order: tuple[int, ...], stretches: tuple[Stretch, ...]) -> bool:
    """Whether no step of another one comes between two neighbouring steps of a stretch."""
    closed = gaps_of(view, stretches)
    allows, state = rule_of(view, closed), 0
    for actor in order:
        if not allows(state, actor):
            return False
        state = view.moves[state][actor]
    return True


def switches(order: tuple[int, ...]) -> int:
    return sum(a != b for a, b in pairwise(order))


def test_causes_are_named_by_kind_statement_and_what_breaks_and_come_worst_first() -> None:
    view = two_adders()
    (end,) = view.bad
    kinds = ("adder", "adder")
    data = origin_of(view, end, ["spurious_rejection", "duplicated"], kinds, is_reply_only=False)
    assert data.name == "duplicated/adder.look/adder.add"
    assert data.harm is Harm.DATA
    hang = origin_of(None, None, ["hang"], ("set_tags", "delete"), is_reply_only=False)
    assert hang.name == "hang/delete/set_tags"
    reply = origin_of(view, end, ["not_serializable"], kinds, is_reply_only=True)
    promise = origin_of(view, end, ["rejected_but_stored"], kinds, is_reply_only=False)
    ordered = by_harm(dict.fromkeys([reply, promise, data, hang]))
    assert [o.harm for o in ordered] == [Harm.STOP, Harm.DATA, Harm.PROMISE, Harm.REPLY]


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ("SELECT ID, Name FROM tags WHERE Name = ?", "select-tags"),
        ("SELECT tags.ID FROM tags LEFT JOIN message_tags ON (1=1)", "select-tags"),
        ("INSERT OR IGNORE INTO tags (Name) VALUES (?)", "insert-or-ignore-tags"),
        ("DELETE FROM mailbox_data WHERE ID IN (?)", "delete-mailbox_data"),
        ("UPDATE tags SET Name=? WHERE ID = ?", "update-tags"),
        ("BEGIN IMMEDIATE", "transaction"),
        ("", "nothing"),
    ],
)
def test_a_statement_is_called_by_what_it_does_to_what(sql: str, shape: str) -> None:
    assert shape_of(sql) == shape


@pytest.mark.parametrize(
    ("sql", "result", "words"),
    [
        ("SELECT COUNT(*) FROM tags", "0", "read tags: 0"),
        ("INSERT OR IGNORE INTO tags (Name) VALUES (?)", "0 rows", "left tags as it was: its row was there"),
        ("DELETE FROM tags WHERE ID = ?", "1 row", "removed 1 row of tags"),
        ("INSERT INTO tags (Name) VALUES (?)", "error: UNIQUE", "was refused on tags (error: UNIQUE)"),
        ("COMMIT", "0 rows", "ran COMMIT: 0 rows"),
    ],
)
def test_what_a_statement_did_is_said_as_its_sender_was_told(sql: str, result: str, words: str) -> None:
    assert told(sql, result) == words


def test_the_rule_that_keeps_nothing_together_changes_no_count() -> None:
    view = two_adders()
    assert completions(view, anyone) == completions(view, rule_of(view, frozenset()))
