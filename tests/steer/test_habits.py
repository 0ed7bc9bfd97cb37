"""Whose a statement is that the server sends of its own accord and an operation may send as well."""

from types import SimpleNamespace

import pytest
from mailrace.model.errors import ScheduleMissed
from mailrace.model.operation import Message, Send
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.statement_text import COUNT_ALL
from mailrace.steer.explore.habits import Habits

SEAT = SimpleNamespace(
    index=0,
    conversation=SimpleNamespace(let_go_ns=1),
    is_over=False,
    operation=Send(
        key="send.1", message=Message(key="r1s01", domain="x.test", message_id="1", to=("a@x.test",))
    ),
)


def learn(habits: Habits, runs: list[str], *, calm: bool = False) -> bool:
    """Runs in which the count came: "own": no broadcast was due; "due": one was; "": it did not come."""
    now = ""
    habits.learn(SimpleNamespace(may_come=lambda _: now == "due"), calm=calm)  # type: ignore[arg-type]
    for now in runs:
        habits.begin()
        if now:
            habits.holds(Statement(1, 0, ((COUNT_ALL, ()),), 0, None), SEAT, 1, is_waiting=False)  # type: ignore[arg-type]
        habits.end()
    return habits.learned()


@pytest.mark.parametrize(
    ("runs", "is_sure", "is_own"),
    [
        (["own", "own", "own", "own"], True, True),
        (["due", "own", "due", "due"], True, True),
        (["due", "due", "due", "due"], False, False),
        (["due", "due", "due", ""], True, False),
        (["own", "own", "own", ""], True, False),
        ([""] * 4, True, False),
    ],
)
def test_a_count_is_an_operations_own_where_it_comes_in_each_run_and_once_without_a_broadcast(
    runs: list[str], is_sure: bool, is_own: bool
) -> None:
    habits = Habits()
    assert (learn(habits, runs), bool(habits.own)) == (is_sure, is_own)


@pytest.mark.parametrize(("again", "is_own"), [(["due", "due"], True), (["due", ""], False)])
def test_what_was_not_sure_is_learnt_again_with_calm(again: list[str], is_own: bool) -> None:
    habits = Habits()
    assert not learn(habits, ["due", "due"])
    assert learn(habits, again, calm=True)
    assert bool(habits.own) is is_own


def test_a_habit_that_comes_later_than_it_was_waited_for_is_no_stray_and_its_run_is_missed() -> None:
    habits, over = Habits(late_s={0: 0.001}), SimpleNamespace(**{**vars(SEAT), "is_over": True})
    over.conversation = SimpleNamespace(let_go_ns=1, completed_ns=1_000_000)
    late = Statement(1, 0, (("DELETE FROM settings", ()),), 501_000_000, None)  # type: ignore[arg-type]
    habits.begin()
    habits.done.add(0)
    assert not habits.holds(late, over, 3, is_waiting=False)  # type: ignore[arg-type]
    assert not habits.strays
    with pytest.raises(ScheduleMissed, match="DELETE FROM settings` came later"):
        habits.end()
    # In the next run it is waited for so long, and a run in which it comes in time ends as any other.
    habits.begin()
    assert habits.patience_s(0) > 0.5
    assert habits.holds(late, over, 3, is_waiting=False)  # type: ignore[arg-type]
    habits.end()


def test_what_comes_between_two_runs_is_a_stray_unless_habits_are_learnt() -> None:
    habits, other = Habits(), Statement(1, 0, (("DELETE FROM settings", ()),), 0, None)  # type: ignore[arg-type]
    habits.learn(SimpleNamespace())  # type: ignore[arg-type]
    assert not habits.holds(other, None, 0, is_waiting=False)
    assert habits.strays_in_words == ""
    habits.learned()
    assert not habits.holds(other, None, 0, is_waiting=False)
    assert habits.strays_in_words.startswith("1 statements came when nobody chose it")
