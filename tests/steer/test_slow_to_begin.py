"""A server that is slow by itself before a statement: who comes late is not kept out."""

from dataclasses import replace
from pathlib import Path

import pytest
from mailrace.model.result import Verdict
from mailrace.scenario import scenario_from
from mailrace.steer.explore.graph import Node
from mailrace.steer.explore.programs import Learner, PlannedStep
from mailrace.steer.one_instance.pace import S_MAX, SHARE, Pace
from mailrace.steer.steering import steer

from tests.faulty.faulty_program import faulty_program
from tests.steer.test_programs import NAMES, block, told

BESIDE_A_DELETION = {
    "name": "beside-a-deletion",
    "title": "a mail beside a deletion",
    "given": [{"name": "one"}],
    "actors": [{"send": {}}, {"delete": {"messages": ["one"]}}],
}


def after(seconds: float, *, is_late: bool = False) -> Node:
    """A state in which the second actor's next statement never came sooner."""
    step = PlannedStep((("b1", ()),), "b1 []", is_late=is_late, after_s=seconds)
    return Node(((), ()), steps={1: step})


def test_who_is_slow_by_itself_is_waited_for_and_nobody_else() -> None:
    pace = Pace()
    assert pace.left_s(after(2.0), [1]) == 0.0, "it was not released"
    pace.told(1)
    assert 2.0 < pace.left_s(after(2.0), [0, 1]) <= SHARE * 2.0
    assert pace.left_s(after(100.0), [1]) == S_MAX
    assert pace.left_s(after(0.004), [1]) == 0.0, "it is there once all is quiet"
    assert pace.left_s(after(2.0, is_late=True), [1]) == 0.0, "behind a reply there is a wait of its own"


def test_how_soon_a_statement_came_is_learnt_from_every_run() -> None:
    learner = Learner()
    for seconds in (0.5, 0.2, 0.3):
        sent = block("a", told(1))
        learner.learn([replace(sent, after_s=seconds)], NAMES, {0: "2xx"})
    ((step,),) = learner.programs().variants.values()
    assert step.after_s == 0.2


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["deletion_begins_late", "deletion_begins_late_beside_others"])
def test_a_race_with_an_operation_that_begins_late_is_shown(fault: str, tmp_path: Path) -> None:
    """Whoever waits 0.15 s before its first statement seemed to be locked out, and the walk was PASS."""
    program = faulty_program(tmp_path, fault, "1.33.1", settings={"MAILRACE_BEGINS_AFTER": "0.15"})
    found = steer(scenario_from(BESIDE_A_DELETION, tmp_path), program)
    assert found.verdict is Verdict.RACE, found.reason
    assert set(found.anomalies) == {"rejected_but_stored"}
