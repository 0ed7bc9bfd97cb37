"""Merging runs of several CI jobs: in any order and grouping the same, and what the sums then say."""

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailrace.model.errors import UsageError
from mailrace.model.result import Block, Rule, RunResult, ScenarioResult, Verdict
from mailrace.report import to_json
from mailrace.studies.merge import merge

from tests.built import control
from tests.studies.study_results import raced, run_of, steered

pytestmark = pytest.mark.slow

NATIVE = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAILED, Verdict.NOT_APPLICABLE)


@st.composite
def scenarios(draw: st.DrawFn) -> ScenarioResult:
    """One scenario's result, raced or steered, of one of two names."""
    name = draw(st.sampled_from(["one", "two"]))
    if draw(st.booleans()):
        verdict = draw(st.sampled_from([Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE]))
        return steered(verdict, draw(st.integers(1, 9)), name=name, is_exhaustive=draw(st.booleans()))
    rounds = draw(st.integers(0, 40))
    hits = draw(st.integers(0, rounds)) if draw(st.booleans()) else 0
    verdict = Verdict.RACE if hits else draw(st.sampled_from(NATIVE))
    fired = draw(st.integers(0, min(30, rounds)))
    beside = None
    if draw(st.booleans()):
        kind = draw(st.integers(1, 3))
        beside = control(fired, kind=kind, pairs=rounds, target=draw(st.sampled_from("cd")))
    anomalies = {"tag_lost": hits} if hits else {}
    blocks = (Block(first_round=0, rounds=rounds, hits=hits, control_hits=fired),)
    one = raced(verdict, rounds, name=name, control=beside, blocks=blocks, **anomalies)
    return replace(
        one,
        rounds_lost=draw(st.integers(1, 3)),
        rounds_refused=draw(st.sampled_from([0, 0, 0, 1])),
        accepted={"send.1": rounds, "send.2": draw(st.integers(0, 2))},
        broken_serially=draw(st.sampled_from([{}, {}, {"hang": 1}])),
        expected=(5, 7),
        found=draw(st.integers(4, 7)),
        machine=draw(st.sampled_from(["", "a, worker 0", "b, worker 0"])),
    )


@st.composite
def runs(draw: st.DrawFn) -> RunResult:
    """A run of one or two scenarios with names of their own."""
    found = {(s.name, s.mode): s for s in draw(st.lists(scenarios(), min_size=1, max_size=3))}
    return run_of(
        *found.values(),
        seed=draw(st.integers(1, 5)),
        token=f"mr{draw(st.integers(0, 10**8)):08d}",
        cut_off=draw(st.booleans()),
        rule=Rule(confidence=draw(st.sampled_from([0.9, 0.99])), verdicts=draw(st.integers(1, 4))),
    )


def jobs(least: int) -> st.SearchStrategy[list[RunResult]]:
    """Several runs, each with a token of its own."""
    return st.lists(runs(), min_size=least, max_size=4, unique_by=lambda run: run.run)


@settings(max_examples=60)
@given(jobs(2), st.randoms(use_true_random=False))
def test_order_and_grouping_change_nothing(parts: list[RunResult], chance: object) -> None:
    whole = to_json(merge(parts))
    shuffled = list(parts)
    chance.shuffle(shuffled)
    assert to_json(merge(shuffled)) == whole
    assert to_json(reduce(lambda a, b: merge([a, b]), parts)) == whole
    assert to_json(reduce(lambda a, b: merge([b, a]), reversed(parts))) == whole


@settings(max_examples=60)
@given(runs())
def test_one_alone_is_judged_as_it_is_in_a_merge(job: RunResult) -> None:
    empty = run_of(seed=9, token="mr0000000x", rule=job.rule)
    alone, beside = merge([job]), merge([job, empty])
    assert alone.scenarios == beside.scenarios
    assert merge([alone]).scenarios == alone.scenarios


@settings(max_examples=60)
@given(jobs(1))
def test_a_race_is_never_merged_away(parts: list[RunResult]) -> None:
    hit = {s.name for job in parts for s in job.scenarios if s.verdict is Verdict.RACE}
    assert hit == {s.name for s in merge(parts).scenarios if s.verdict is Verdict.RACE}


RACED = raced(Verdict.INCONCLUSIVE, 60, control=control(8, pairs=60))
"""8 pairs in which the control fired: 17 are what the rule asks at 0.99 and θ = 1/3."""


def test_pairs_of_two_jobs_add_up_to_a_pass() -> None:
    joined = merge(
        [
            run_of(RACED, seed=1),
            run_of(raced(Verdict.INCONCLUSIVE, 60, control=control(9, pairs=60)), seed=2),
        ]
    )
    (scenario,) = joined.scenarios
    assert (joined.verdict, scenario.rounds, scenario.control.pairs_fired) == (Verdict.PASS, 120, 17)


def test_a_run_counts_once_however_it_is_given() -> None:
    one, two, three = (run_of(RACED, seed=seed) for seed in (1, 2, 3))
    assert merge([one, two]).verdict is Verdict.INCONCLUSIVE
    merged = merge([one, two])
    nested = merge([merged, three])
    assert nested.parts == ("mr00000001", "mr00000002", "mr00000003")
    # 8 + 8 + 8 pairs are enough, and only three runs have them.
    assert nested.verdict is Verdict.PASS
    for twice in ([one, one], [merged, one], [nested, two], [merged, merged], [nested, merged]):
        with pytest.raises(UsageError, match=r"run mr0000000\d is there 2 times"):
            merge(twice)


def test_a_copy_with_another_seed_or_command_is_the_same_run() -> None:
    copy = replace(run_of(RACED, seed=1), seed=2, command="mailrace run --seed 2")
    with pytest.raises(UsageError, match="is there 2 times"):
        merge([run_of(RACED, seed=1), copy])
    with pytest.raises(UsageError, match="has no token"):
        merge([run_of(RACED, seed=1), replace(copy, run="")])


def test_runs_of_equal_seeds_are_two_runs() -> None:
    joined = merge([run_of(RACED, token="mr00000001"), run_of(RACED, token="mr00000002")])
    assert joined.scenarios[0].rounds == 120


FIRED = raced(Verdict.PASS, 60, control=control(40, pairs=60))


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        pytest.param(replace(FIRED, accepted={"send.1": 60, "send.2": 0}), "no send.2 was", id="refused"),
        pytest.param(replace(FIRED, accepted={}), "not recorded what the server", id="older document"),
        pytest.param(
            replace(FIRED, rounds_lost=1, rounds_refused=1), "the server refused", id="refused rounds"
        ),
        pytest.param(replace(FIRED, broken_serially={"hang": 1}), "a broken promise, not", id="serially"),
        pytest.param(replace(FIRED, expected=(60, 60), found=0), "promised at least", id="lost mail"),
    ],
)
def test_what_spoils_a_run_spoils_its_merge(spoiled: ScenarioResult, said: str) -> None:
    for parts in ([spoiled], [spoiled, spoiled]):
        joined = merge([run_of(part, seed=seed) for seed, part in enumerate(parts)])
        assert joined.verdict is Verdict.INCONCLUSIVE
        assert said in joined.scenarios[0].reason


def test_what_one_job_accepted_counts_for_all() -> None:
    never = replace(FIRED, accepted={"send.1": 0, "send.2": 0})
    assert merge([run_of(never, seed=1), run_of(never, seed=2)]).verdict is Verdict.INCONCLUSIVE
    assert merge([run_of(never, seed=1), run_of(FIRED, seed=2)]).verdict is Verdict.PASS


@pytest.mark.parametrize("accepted", [{"send.1": 60, "send.2": 0}, {}], ids=["never", "not recorded"])
def test_pairs_beside_what_was_never_accepted_tell_nothing_in_a_merge_either(
    accepted: dict[str, int],
) -> None:
    never = replace(FIRED, accepted=accepted)
    for other, verdict in ((RACED, Verdict.INCONCLUSIVE), (FIRED, Verdict.PASS)):
        assert merge([run_of(never, seed=1), run_of(other, seed=2)]).verdict is verdict


def test_a_mail_too_many_in_one_job_is_none_that_is_missing_in_another() -> None:
    lacking = replace(FIRED, expected=(60, 60), found=59)
    more = replace(FIRED, expected=(60, 65), found=65)
    assert merge([run_of(more, seed=1), run_of(more, seed=2)]).verdict is Verdict.PASS
    joined = merge([run_of(lacking, seed=1), run_of(more, seed=2)])
    assert joined.verdict is Verdict.INCONCLUSIVE
    assert "promised at least 120 stored copies, and 119 were found" in joined.scenarios[0].reason


def test_a_run_that_was_cut_off_is_not_passed() -> None:
    assert merge([run_of(FIRED, seed=1), run_of(FIRED, seed=2, cut_off=True)]).verdict is Verdict.INCONCLUSIVE


def test_verdicts_of_all_jobs_share_the_confidence() -> None:
    names = [raced(Verdict.PASS, 60, name=f"s{n}", control=control(20, pairs=60)) for n in range(22)]
    joined = merge([run_of(one, seed=seed) for seed, one in enumerate(names)])
    assert joined.rule.verdicts == 22
    assert joined.verdict is Verdict.INCONCLUSIVE
    assert {s.control.confidence for s in joined.scenarios} == {1 - (1 - 0.99) / 22}
    # One job that reached one of 22 verdicts already shares its confidence with the others.
    assert merge([run_of(names[0], rule=Rule(verdicts=22))]).verdict is Verdict.INCONCLUSIVE


def test_the_strictest_rule_of_the_jobs_holds() -> None:
    loose = [run_of(RACED, seed=seed, rule=Rule(theta=1, confidence=0.9)) for seed in (1, 2)]
    assert merge(loose).verdict is Verdict.PASS
    assert merge([*loose[:1], run_of(RACED, seed=3, rule=Rule())]).verdict is Verdict.INCONCLUSIVE
    assert merge([*loose[:1], run_of(RACED, seed=3, rule=Rule())], theta=1).verdict is Verdict.PASS


def test_what_steer_has_found_is_not_passed_by_races_beside_it() -> None:
    joined = merge([run_of(steered(Verdict.RACE, tag_lost=2), seed=1), run_of(FIRED, seed=2)])
    found = {s.mode: s for s in joined.scenarios}
    assert (found["steer"].verdict, found["race"].verdict) == (Verdict.RACE, Verdict.INCONCLUSIVE)
    assert "steer has found tag_lost" in found["race"].reason


def test_what_steer_has_found_and_not_realised_is_not_passed_either() -> None:
    walk = steered(Verdict.INCONCLUSIVE, unrealised=("tag_lost",))
    found = {s.mode: s for s in merge([run_of(walk, seed=1), run_of(FIRED, seed=2)]).scenarios}
    assert found["race"].verdict is Verdict.INCONCLUSIVE
    assert "steer has found tag_lost" in found["race"].reason


@pytest.mark.parametrize(
    "walked",
    [
        steered(Verdict.PASS, is_exhaustive=False),
        steered(Verdict.PASS, missed=1),
        steered(Verdict.PASS, unrealised=("tag_lost",)),
        replace(steered(Verdict.PASS), schedules=None),
    ],
)
def test_a_walk_that_was_not_finished_is_not_passed(walked: ScenarioResult) -> None:
    assert merge([run_of(walked)]).verdict is Verdict.INCONCLUSIVE
    assert merge([run_of(walked), run_of(steered(Verdict.PASS), seed=2)]).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "edited",
    [
        replace(FIRED, hits=61),
        replace(FIRED, rounds=-1),
        replace(FIRED, control=control(61, pairs=60)),
        replace(FIRED, control=control(90, pairs=90)),
        replace(FIRED, control=control(40, pairs=60, kind=0)),
        replace(FIRED, control=replace(control(40, pairs=60), hits=2)),
        replace(FIRED, anomalies={"tag_lost": 1}),
    ],
)
def test_counts_that_no_run_has_are_refused(edited: ScenarioResult) -> None:
    with pytest.raises(UsageError, match="cannot be those of a run"):
        merge([run_of(edited)])


def test_two_scenarios_of_one_name_are_refused() -> None:
    other = replace(FIRED, digest="another")
    with pytest.raises(UsageError, match="s: the runs raced different scenarios of that name"):
        merge([run_of(FIRED), run_of(other, seed=2)])
    walked = replace(steered(Verdict.RACE, tag_lost=1), digest="another")
    with pytest.raises(UsageError, match="different scenarios"):
        merge([run_of(FIRED), run_of(walked, seed=2)])


def test_a_failed_job_is_no_pass() -> None:
    failed = run_of(raced(Verdict.FAILED, 0), version="unknown", seed=2)
    assert merge([run_of(FIRED), failed]).verdict is Verdict.FAILED


def test_a_control_of_the_third_kind_adds_up_to_nothing() -> None:
    third = raced(Verdict.INCONCLUSIVE, 60, control=control(50, pairs=60, kind=3))
    assert merge([run_of(third, seed=n) for n in (1, 2)]).verdict is Verdict.INCONCLUSIVE


def test_two_versions_are_not_merged() -> None:
    with pytest.raises(UsageError, match=r"1\.27\.11 and 1\.30\.5 are not one server"):
        merge([run_of(FIRED), run_of(FIRED, version="1.27.11", seed=2)])


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(UsageError, match="nothing to merge"):
        merge([])


@pytest.mark.parametrize(("other", "is_one"), [("a, worker 0", True), ("a, worker 1", False), ("b", False)])
def test_rates_of_different_workers_are_never_told_as_one(other: str, is_one: bool) -> None:
    one = replace(raced(Verdict.RACE, 10, tag_lost=5), machine="a, worker 0")
    two = run_of(replace(one, machine=other), token="mr00000002")
    (joined,) = merge([run_of(one, token="mr00000001"), two]).scenarios
    assert (joined.interval is not None, joined.rounds, joined.hits) == (is_one, 20, 10)
