"""Broken promises in a record, one planted for each branch, and what is not judged since somebody deleted."""

import pytest
from mailrace.record.happened import happened
from mailrace.record.recorded import Held
from mailrace.record.suite import Suite

from tests.record.traffic import op, send, suite


def names(whole: Suite) -> list[str]:
    """The names of what happened."""
    return [one.name for one in happened(whole).found]


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        (suite([send(1, "a")], held=["a"]), []),
        (suite([send(1, "a")]), ["accepted_but_missing"]),
        (suite([send(1, "a", code=451)], held=["a"]), ["rejected_but_stored"]),
        (suite([send(1, "a", code=451), send(5, "a")], held=["a"]), []),
        (suite([send(1, "a", code=451), send(5, "a")], held=["a", "a"]), ["rejected_but_stored"]),
        (suite([send(1, "a")], held=["a", "a"]), ["duplicated"]),
        (suite([send(1, "a"), send(5, "a")], held=["a", "a"]), ["retried_after_yes"]),
        (suite([send(1, "a", tags=("t",))], held=["a"]), ["tag_lost"]),
        (suite([send(1, "a", tags=("t",))], held=["a"], tags=["T"]), []),
        (suite([send(1, "a", tags=("t",)), op("set_tags", 5, ids=("ID-a",), code=200)], held=["a"]), []),
        (suite([send(1, "a", tags=("t",)), op("delete_tag", 5, tags=("t",), code=200)], held=["a"]), []),
    ],
)
def test_each_promise_that_is_broken_is_named_once(whole: Suite, expected: list[str]) -> None:
    assert names(whole) == expected


@pytest.mark.parametrize(
    "deletion",
    [
        op("delete", 5, ids=("ID-a",), code=200),
        op("delete_all", 5, code=200),
        op("delete_search", 5, query="to:a@a.test", code=200),
        op("delete_search", 5, query="subject:unknown", code=200),
    ],
    ids=lambda one: one.kind + one.query,
)
def test_what_somebody_may_have_deleted_is_not_judged_and_that_is_counted(deletion: object) -> None:
    whole = happened(suite([send(1, "a"), deletion]))  # type: ignore[list-item]
    assert (whole.found, whole.judged, whole.not_judged) == ((), 0, 1)


def test_a_deletion_that_was_refused_or_came_before_excuses_nothing() -> None:
    assert names(suite([send(1, "a"), op("delete_all", 5, code=500)])) == ["accepted_but_missing"]
    assert names(suite([op("delete_all", 1, code=200), send(5, "a")])) == ["accepted_but_missing"]


def test_the_operation_that_overlapped_is_named() -> None:
    beside = op("delete", 1.5, connection=2, ids=("ID-other",), code=200)
    (one,) = happened(suite([send(1, "a", code=451), beside], held=["a"])).found
    assert one.beside == (beside,)
    assert "delete of ID-other" in one.sentence


def test_a_held_message_is_known_by_its_id() -> None:
    assert Held(id="A", message_id="", recipients=(), tags=()) != Held(
        id="B", message_id="", recipients=(), tags=()
    )
