"""Three actors on one instance: what its pairs show, and what they only seem to keep together."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.result import Verdict
from mailrace.scenario import scenario_from
from mailrace.steer.explore.graph import Node
from mailrace.steer.one_instance.pairs import Kept
from mailrace.steer.one_instance.sections import Section
from mailrace.steer.one_instance.several import left_of
from mailrace.steer.steering import SteerRequest, steer

from tests.faulty.faulty_program import faulty_program

LOST, REFUSED = AnomalyName.TAG_LOST, AnomalyName.REJECTED_BUT_STORED
THREE_SENDERS = {"name": "three", "title": "three senders", "actors": [{"send": {"count": 3}}]}
BESIDE_TWO_DELETIONS = {
    "name": "beside-two",
    "title": "a mail beside two deletions",
    "given": [{"name": "one"}, {"name": "two"}],
    "actors": [{"send": {}}, {"delete": {"messages": ["one"]}}, {"delete": {"messages": ["two"]}}],
}


def test_a_smaller_round_stands_for_a_class_only_where_it_showed_all_that_this_breaks() -> None:
    leaf, run = Node(()), object()
    space = SimpleNamespace(
        reached=lambda _: {leaf},
        violating=((run, leaf),),
        bad_leaves={leaf: frozenset({LOST, REFUSED})},
        graph=SimpleNamespace(is_whole=True),
    )
    every = SimpleNamespace(allow=None)
    for shown, is_told in ((frozenset({LOST}), False), (frozenset({LOST, REFUSED}), True)):
        left, also = left_of(space, every, shown)  # type: ignore[arg-type]
        assert [one.said.fate for _, one in left] == ([] if is_told else ["unrealised"])
        assert (also == (run,)) is is_told


def test_what_any_pair_was_let_into_is_no_lock() -> None:
    one, other = Section("a", "b", "c"), Section("a", "b", "d")
    kept = Kept(frozenset({one, other})) | Kept(frozenset(), frozenset({other}))
    assert kept.locks == {one}


@pytest.mark.slow
def test_what_only_one_instances_memory_shows_of_a_pair_it_shows_of_three(tmp_path: Path) -> None:
    """Explored with a server for each, every schedule is good; two senders were RACE and three PASS."""
    program = faulty_program(tmp_path, "sequence_in_memory", "1.33.1")
    found = steer(scenario_from(THREE_SENDERS, tmp_path), program)
    assert found.verdict is Verdict.RACE, found.reason
    assert found.anomalies == {"rejected_but_stored": 1}


@pytest.mark.slow
def test_a_waiter_that_pairs_saw_come_late_is_not_kept_out_of_three(tmp_path: Path) -> None:
    """In no pair that mattered, so there it was not looked at with patience, and three were PASS."""
    program = faulty_program(
        tmp_path, "two_deletions_come_between", "1.33.1", settings={"MAILRACE_BEGINS_AFTER": "0.05"}
    )
    found = steer(scenario_from(BESIDE_TWO_DELETIONS, tmp_path), program, SteerRequest(realise_s_max=2.0))
    assert found.verdict in (Verdict.RACE, Verdict.INCONCLUSIVE), found.reason
    assert found.schedules is not None
    assert found.schedules.split_only == 0
