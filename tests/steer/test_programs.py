"""Programs that actors do not keep to, and answers that differ where no report shows it."""

import pytest
from mailrace.steer.database_proxy.executions import TakenStep
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.rqlite import Answer, Done, Rows
from mailrace.steer.database_proxy.statement_text import Names
from mailrace.steer.explore.programs import Learner, heard

NAMES = Names({})


def told(rows: int) -> Done:
    return Done(0, rows)


def block(sql: str, answer: Answer) -> TakenStep:
    statement = Statement(1, 0, ((sql, ()),), 0, None, answers=(answer,))  # type: ignore[arg-type]
    return TakenStep(0, (statement,), sql)


@pytest.mark.parametrize(
    ("second", "ending", "conflicts"),
    [
        ([block("a", told(1)), block("b", told(1))], "2xx", 0),
        ([block("a", told(0)), block("c", told(1))], "2xx", 0),
        ([block("a", told(1)), block("c", told(1))], "2xx", 1),
        ([block("a", told(1)), block("b", told(1))], "4xx", 1),
        ([block("a", told(1))], "2xx", 1),
    ],
)
def test_an_actor_that_was_told_the_same_goes_on_the_same(
    second: list[TakenStep], ending: str, conflicts: int
) -> None:
    programs = Learner()
    programs.learn([block("a", told(1)), block("b", told(1))], NAMES, {0: "2xx"})
    programs.learn(second, NAMES, {0: ending})
    assert programs.programs().conflicts == conflicts


def test_long_answers_that_differ_at_their_ends_are_two() -> None:
    long = "x" * 200
    one, other = (Rows(("a",), ((f"{long}{n}",),)) for n in (1, 2))
    assert NAMES.shown(f"{long}1") == NAMES.shown(f"{long}2")
    assert heard(one, NAMES) != heard(other, NAMES)


def test_rows_are_told_alike_in_whatever_order_drawn_ids_put_them() -> None:
    names = Names({"send.1": "<send.1>"}, {"x1": "<send.1>", "g1": "<old>"})
    mine, older = ("x1", 1), ("g1", 1)
    assert heard(Rows(("ID", "n"), (mine, older)), names) == heard(Rows(("ID", "n"), (older, mine)), names)
    # Given messages keep their IDs for the whole of a walk, so their order does say something.
    assert heard(Rows(("ID", "n"), (older, ("g2", 1))), names) != heard(
        Rows(("ID", "n"), (("g2", 1), older)), names
    )
