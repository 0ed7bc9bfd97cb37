"""Real, unmodified Mailpits steered: what each version shows and what it does not (issue 6, section 6)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.scenario import Plan, Scenario, load, scenario_from, server_options, shipped
from mailrace.steer import ReplayRequest, SteerRequest, columns, replay_schedule, steer
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.judge import learn_serial
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.state_space import explore
from mailrace.steer.explore.strategy import Budget, run_schedules
from mailrace.steer.one_instance.exclusions import Exclusions, run_release_points
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.servers.marks import plain, with_own_spellings
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round, round_on
from mailrace.steer.steering import opener_of

pytestmark = pytest.mark.mailpit

Have = Callable[[str], str]
S2, S3 = AnomalyName.REJECTED_BUT_STORED, AnomalyName.TAG_LOST


def scenario(name: str) -> Scenario:
    return load(shipped() / f"{name}.race.yaml")


@contextmanager
def round_of(name: str | Scenario, target: str) -> Iterator[Round]:
    it = scenario(name) if isinstance(name, str) else name
    plan = Plan(it, 1, "mrsteertes")
    options = server_options(it)
    planned = plain(with_own_spellings(plan.round(0)))
    opener = opener_of(target, options, None, None)
    rig = Rig(opener, plan.contents, options, is_fresh=it.target.fresh)
    try:
        rig.start(len(planned.operations))
        with round_on(rig, planned) as round_:
            yield round_
    finally:
        rig.stop()


def found(result: ScenarioResult) -> set[str]:
    return {name for name, count in result.anomalies.items() if count and name != "torn_read"}


@pytest.mark.parametrize(("version", "orders", "on_one"), [("1.27.11", 3738, 492), ("1.30.5", 3432, 924)])
def test_two_senders_with_one_new_tag(real_mailpit: Have, version: str, orders: int, on_one: int) -> None:
    """The numbers of orders are those that walking them one by one gave."""
    with round_of("shared-new-tag", real_mailpit(version)) as place:
        space = explore(place, Extent(schedules_max=5000, seconds_max=60))
        assert space.coverage.is_complete
        assert space.graph.is_whole
        assert space.count().schedules == orders
        single = SharedInstance(place, space.graph)
        points = run_release_points(single)
        assert points.missed == 0
        assert len(points.runs) in (14, 16)
        locks = Exclusions.seen(single, space.programs)
        total, bad, _ = space.count(locks.allow)
        assert (total, bad) == (on_one, 0)
        assert bool(space.violating) is (version == "1.27.11")  # two instances would show it: split_only


@pytest.mark.parametrize(
    ("name", "version", "names"),
    [
        ("send-rename-tag", "1.30.5", {S2}),
        ("send-rename-tag", "1.27.11", set()),
        ("send-delete-tag", "1.30.5", {S2}),
        ("send-delete-last-holder", "1.30.5", {S2, S3}),
        ("send-delete-last-holder", "1.27.11", {S3}),
        ("shared-new-tag", "1.30.5", set()),
        ("overlapping-deletions", "1.30.5", {AnomalyName.HANG}),
    ],
)
def test_what_one_instance_shows(real_mailpit: Have, name: str, version: str, names: set[str]) -> None:
    result = steer(scenario(name), real_mailpit(version))
    assert result.schedules is not None
    assert result.schedules.exhaustive, result.reason
    assert result.schedules.missed == 0
    assert found(result) == names, result.reason
    assert result.verdict is (Verdict.RACE if names else Verdict.PASS)
    assert bool(result.witnesses) is bool(names)
    for witness in result.witnesses:
        assert witness.schedule is not None
        assert witness.schedule.realised == witness.schedule.repeats == 10, witness.schedule.text
        assert witness.schedule.serial
        assert "It came to" in columns(witness.schedule)


@pytest.mark.parametrize(("version", "names"), [("1.27.11", {S2}), ("1.30.5", set())])
def test_two_instances_on_one_store(real_mailpit: Have, version: str, names: set[str]) -> None:
    result = steer(scenario("two-instances-shared-new-tag"), real_mailpit(version))
    assert found(result) == names
    assert result.schedules is not None
    assert result.schedules.exhaustive
    assert result.schedules.split_only == 0
    assert all(w.schedule is not None and w.schedule.instances == 2 for w in result.witnesses)


@pytest.mark.parametrize("name", ["send-rename-tag", "send-delete-tag"])
def test_sleep_sets_come_to_what_brute_force_comes_to(real_mailpit: Have, name: str) -> None:
    with round_of(name, real_mailpit("1.30.5")) as place:
        space = explore(place, Extent(schedules_max=5000, seconds_max=60))
        separate = Brute(place)
        judge, _ = learn_serial(separate, place.rig.options)
        every: list[Execution] = []
        whole = run_schedules(
            separate, DepthFirst(), Budget(schedules_max=1000), lambda _, run: every.append(run)
        )
        separate.end()
        assert whole.is_complete
        assert whole.explored == space.count().schedules == 120
        assert {judge.names(run) for run in every} == {space.judge.names(run) for run in space.executions}
        bad = sum(1 for run in every if judge.races(run))
        assert bad == space.count().bad


class Brute(SeparateInstances):
    """SeparateInstances to whose explorer always depends on always."""

    def commute(self, one: int, other: int) -> bool:
        return False


def test_the_store_is_read_as_rest_shows_it(real_mailpit: Have) -> None:
    with round_of("send-retag-unrelated", real_mailpit("1.30.5")) as place:
        separate = SeparateInstances(place)
        _, runs = learn_serial(separate, place.rig.options)
        with place.rig.loop.in_background():
            shown = place.rig.instances[1].target.stored("")
        ours = runs[-1].record.stored
        # Sources and searches cost a request each, so the list of a native round has them for a sample only.
        assert ours is not None
        assert all(message.source is not None for message in ours.messages)
        bare = tuple(replace(message, source=None) for message in ours.messages)
        assert replace(ours, messages=bare, searches=()) == shown
        assert len(shown.messages) == 2


def test_a_replay_on_the_same_and_on_another_version(real_mailpit: Have) -> None:
    it = scenario("send-rename-tag")
    result = steer(it, real_mailpit("1.30.5"))
    witness = result.witnesses[0]
    again = replay_schedule(witness, real_mailpit("1.30.5"), server_options(it), ReplayRequest(times=5))
    assert (again.word, again.hits, again.runs, again.missed) == ("STILL FAILS", 5, 5, 0)
    other = replay_schedule(
        witness,
        real_mailpit("1.27.11"),
        server_options(it),
        ReplayRequest(times=5, recorded_on="mailpit@1.30.5"),
    )
    assert (other.word, other.hits) == ("FIXED", 0)
    assert "recorded on mailpit@1.30.5, running on mailpit@1.27.11 (1.27.11)" in other.sentence


@pytest.mark.parametrize(("version", "classes"), [("1.27.11", 33), ("1.30.5", 18)])
def test_three_senders_by_every_order(real_mailpit: Have, version: str, classes: int) -> None:
    """Some 400 million orders on 1.30.5; on 1.27.11 what the pairs keep together excludes the bad ones."""
    data = scenario("shared-new-tag").as_data()
    data["actors"][0]["send"]["count"] = 3
    result = steer(scenario_from(data, shipped()), real_mailpit(version))
    assert result.schedules is not None
    assert result.verdict is Verdict.PASS, result.reason
    assert (result.schedules.classes, result.schedules.exhaustive) == (classes, True)
    assert bool(result.schedules.split_only) is (version == "1.27.11")


def test_logs_are_kept_in_the_folder_asked_for(real_mailpit: Have, tmp_path: Path) -> None:
    steer(scenario("shared-known-tag"), real_mailpit("1.30.5"), SteerRequest(folder=tmp_path))
    assert list(tmp_path.iterdir())
