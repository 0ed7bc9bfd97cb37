"""How a schedule is written, and which sections count as locks."""

from collections import Counter
from types import SimpleNamespace

import pytest
from mailrace.model.result import ScheduleWitness, Step
from mailrace.steer.explore.graph import always
from mailrace.steer.explore.programs import Programs
from mailrace.steer.one_instance.exclusions import SEEN_MIN, Exclusions, ReleasePoint, release_points
from mailrace.steer.one_instance.recorded_schedule import schedule_of
from mailrace.steer.one_instance.sections import Section, Sections
from mailrace.steer.one_instance.witness import text

from tests.steer.lattice import lattice

NAMES = ("send.1", "delete.1")


@pytest.mark.parametrize(
    ("order", "instances", "written"),
    [
        ((0, 0, 1, 1), 1, "delete.1@send.1:2"),
        ((1, 0, 1, 0), 1, "send.1@delete.1:1"),
        ((0, 1, 1, 0), 1, "delete.1@send.1:1 delete.1:1+2"),
        ((0, 1, 1, 0), 2, "send.1:1-1 delete.1:1-2 send.1:2-2"),
    ],
)
def test_a_schedule_names_actor_statement_and_what_it_waits_for(
    order: tuple[int, ...], instances: int, written: str
) -> None:
    assert text(order, NAMES, lattice(2, 2), always, instances) == written


def test_release_points_are_each_block_of_each_actor() -> None:
    assert list(release_points(lattice(2, 3))) == [
        ReleasePoint(0, 1, 1),
        ReleasePoint(0, 1, 2),
        ReleasePoint(1, 0, 1),
        ReleasePoint(1, 0, 2),
        ReleasePoint(1, 0, 3),
    ]


def test_a_lock_is_seen_often_and_never_let_through() -> None:
    lock, late, passed = Section("a", "b", "x"), Section("b", "c", "x"), Section("c", "d", "x")
    often = Counter({lock: SEEN_MIN, late: SEEN_MIN - 1, passed: SEEN_MIN})
    seen = SimpleNamespace(sections=Sections(together=often, entered={passed}))
    assert Exclusions.seen(seen, Programs({}, {})).together == {lock}  # type: ignore[arg-type]


def witness(*steps: tuple[str, str]) -> ScheduleWitness:
    return ScheduleWitness(
        text="",
        deviations=0,
        steps=tuple(Step(actor=a, number=1, sql=sql, args=(), result="") for a, sql in steps),
        outcome="",
        serial=(),
        realised=0,
        repeats=0,
        tries=0,
    )


def test_a_recorded_order_is_found_by_its_statements() -> None:
    graph = lattice(2, 1)
    recorded = witness(("send.1", "a1"), ("delete.1", "b1"), ("send.1", "a2"))
    assert schedule_of(recorded, graph, list(NAMES)) == (0, 1, 0)


@pytest.mark.parametrize(
    "steps",
    [
        (("send.1", "a1"), ("delete.1", "b1")),
        (("send.1", "a1"), ("delete.1", "other"), ("send.1", "a2")),
        (("send.1", "a1"), ("rename_tag.1", "b1"), ("send.1", "a2")),
    ],
)
def test_an_order_that_this_version_does_not_send_is_none(steps: tuple[tuple[str, str], ...]) -> None:
    assert schedule_of(witness(*steps), lattice(2, 1), list(NAMES)) is None
