"""Merging runs of several CI jobs: in any order and grouping the same, and what the sums then say."""

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailrace.model.errors import UsageError
from mailrace.model.result import Block, RunResult, ScenarioResult, Verdict
from mailrace.report import to_json
from mailrace.studies.merge import merge
from study_results import control, raced, run_of, steered

NATIVE = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAILED, Verdict.NOT_APPLICABLE)


@st.composite
def scenarios(draw: st.DrawFn) -> ScenarioResult:
    """One scenario's result, raced or steered, of one of two names."""
    name = draw(st.sampled_from(["one", "two"]))
    if draw(st.booleans()):
        verdict = draw(st.sampled_from([Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE]))
        return steered(verdict, draw(st.integers(1, 9)), name=name)
    rounds = draw(st.integers(0, 40))
    hits = draw(st.integers(0, rounds)) if draw(st.booleans()) else 0
    verdict = Verdict.RACE if hits else draw(st.sampled_from(NATIVE))
    fired = draw(st.integers(0, 30))
    beside = None
    if draw(st.booleans()):
        beside = control(fired, kind=draw(st.integers(1, 3)), target=draw(st.sampled_from("cd")))
    anomalies = {"tag_lost": hits} if hits else {}
    blocks = (Block(first_round=0, rounds=rounds, hits=hits, control_hits=fired),)
    return raced(verdict, rounds, name=name, control=beside, blocks=blocks, **anomalies)


@st.composite
def runs(draw: st.DrawFn) -> RunResult:
    """A run of one or two scenarios with names of their own."""
    found = {(s.name, s.mode): s for s in draw(st.lists(scenarios(), min_size=1, max_size=3))}
    return run_of(*found.values(), seed=draw(st.integers(1, 5)), cut_off=draw(st.booleans()))


@settings(max_examples=60, deadline=None)
@given(st.lists(runs(), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_order_and_grouping_change_nothing(jobs: list[RunResult], chance: object) -> None:
    whole = to_json(merge(jobs))
    shuffled = list(jobs)
    chance.shuffle(shuffled)
    assert to_json(merge(shuffled)) == whole
    assert to_json(reduce(lambda a, b: merge([a, b]), jobs)) == whole
    assert to_json(reduce(lambda a, b: merge([b, a]), reversed(jobs))) == whole


@settings(max_examples=30, deadline=None)
@given(runs())
def test_one_is_given_back(job: RunResult) -> None:
    assert merge([job]) is job


@settings(max_examples=60, deadline=None)
@given(st.lists(runs(), min_size=1, max_size=4))
def test_a_race_is_never_merged_away(jobs: list[RunResult]) -> None:
    hit = {s.name for job in jobs for s in job.scenarios if s.verdict is Verdict.RACE}
    assert hit == {s.name for s in merge(jobs).scenarios if s.verdict is Verdict.RACE}


def test_pairs_of_two_jobs_add_up_to_a_pass() -> None:
    # 17 pairs in which the control fired are what the rule asks at 0.99 and θ = 1/3; neither job has them.
    jobs = [run_of(raced(Verdict.INCONCLUSIVE, 60, control=control(n, pairs=60)), seed=n) for n in (8, 9)]
    joined = merge(jobs)
    (scenario,) = joined.scenarios
    assert (joined.verdict, scenario.rounds, scenario.control.pairs_fired) == (Verdict.PASS, 120, 17)


def test_a_failed_job_is_no_pass() -> None:
    fine = run_of(raced(Verdict.PASS, 60, control=control(40)))
    assert merge([fine, run_of(raced(Verdict.FAILED, 0), version="unknown")]).verdict is Verdict.FAILED


def test_a_control_of_the_third_kind_adds_up_to_nothing() -> None:
    jobs = [run_of(raced(Verdict.INCONCLUSIVE, 60, control=control(50, kind=3)), seed=n) for n in (1, 2)]
    assert merge(jobs).verdict is Verdict.INCONCLUSIVE


def test_two_versions_are_not_merged() -> None:
    with pytest.raises(UsageError, match=r"1\.27\.11 and 1\.30\.5 are not one server"):
        merge([run_of(raced(Verdict.PASS)), run_of(raced(Verdict.PASS), version="1.27.11")])


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(UsageError, match="nothing to merge"):
        merge([])
