"""What is taken for a lock: only what kept another out each time it was looked at, and with patience too."""

from collections import Counter

import pytest
from mailrace.steer.database_proxy.quiet import LOOKS
from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.explore.programs import PlannedStep, Programs
from mailrace.steer.one_instance.exclusions import Exclusions, Points, ReleasePoint, look_again
from mailrace.steer.one_instance.sections import Section, Sections

LOCK, TIMER, SELDOM = Section("a1", "a2", "b1"), Section("a2", "a3", "b1"), Section("a1", "a2", "b2")
POINTS = Points((), 0, {LOCK: ReleasePoint(0, 1, 1), TIMER: ReleasePoint(0, 1, 2)})


def step(text: str) -> PlannedStep:
    return PlannedStep(((text, ()),), f"{text} []")


IN_LOCK = Node((("a1",), ("b1",)))
IN_TIMER = Node((("a1", "a2"), ("b1",)))
AFTER_TWO = Node((("a1", "a2"), ()), {1: IN_TIMER}, {0: step("a3"), 1: step("b1")})
AFTER_ONE = Node((("a1",), ()), {0: AFTER_TWO, 1: IN_LOCK}, {0: step("a2"), 1: step("b1")})
FIRST_B = Node(((), ("b1",)))
ROOT = Node(((), ()), {0: AFTER_ONE, 1: FIRST_B}, {0: step("a1"), 1: step("b1")})
GRAPH = Graph(ROOT, 6, True)
PROGRAMS = Programs({(0, ()): (step("a1"),), (0, ("a1",)): (step("a2"),)}, {})
"""Three ends: b1 comes between a1 and a2, between a2 and a3, or first."""


class Slept:
    """Stands for one instance: a timer's section lets others in as soon as it is looked at with patience.

    misses   runs that the server does otherwise than planned, so that they show nothing
    """

    def __init__(self, together: dict[Section, int], misses: int = 0) -> None:
        self.graph = GRAPH
        self.sections = Sections(together=Counter(together))
        self.looked: list[frozenset[Section]] = []
        self.misses = misses

    def run(self, point: ReleasePoint, *, is_calm: bool, looks: int) -> ReleasePoint:
        assert (is_calm, looks) == (True, LOOKS)
        self.looked.append(self.sections.doubtful)
        for section in self.sections.doubtful if len(self.looked) > self.misses else ():
            if section == TIMER:
                self.sections.entered.add(section)
            else:
                self.sections.together[section] += 1
        return point


def after_patience(single: Slept, *leaves: Node) -> frozenset[Section]:
    locks = Exclusions.seen(single, PROGRAMS)  # type: ignore[arg-type]
    assert locks.together == {LOCK, TIMER}
    left = look_again(single, locks, POINTS, leaves)  # type: ignore[arg-type]
    assert single.sections.doubtful == frozenset()
    return left.together


def test_a_gap_seen_once_is_no_lock_and_patience_tells_a_lock_from_a_timer() -> None:
    single = Slept({LOCK: 2, TIMER: 3, SELDOM: 1})
    assert after_patience(single, IN_LOCK, IN_TIMER, IN_LOCK) == {LOCK}
    assert single.looked == [{LOCK}, {TIMER}], "each once, however many ends it keeps from being reached"


def test_what_keeps_no_end_away_is_not_looked_at_again() -> None:
    single = Slept({LOCK: 2, TIMER: 2})
    assert after_patience(single, FIRST_B) == {LOCK, TIMER}
    assert single.looked == []


@pytest.mark.parametrize(("misses", "left"), [(2, {LOCK, TIMER}), (3, {TIMER})])
def test_what_no_patient_run_showed_is_no_lock(misses: int, left: set[Section]) -> None:
    assert after_patience(Slept({LOCK: 2, TIMER: 2}, misses), IN_LOCK) == left
