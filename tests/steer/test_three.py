"""Three actors, walked without a server: what is predicted is what the servers do, and only they judge."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import ScheduleDiverged
from mailrace.model.result import Verdict
from mailrace.scenario import Plan, scenario_from, server_options, shipped
from mailrace.steer.database_proxy.executions import Execution, Schedule
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.explore.model_walk import Along, Model, ModelWalk
from mailrace.steer.explore.observer import NOBODY
from mailrace.steer.explore.programs import Learner
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.soundness import unexplored
from mailrace.steer.explore.state_space import StateSpace, explore
from mailrace.steer.explore.strategy import Budget, run_schedules
from mailrace.steer.one_instance.realise import Effort
from mailrace.steer.one_instance.several import walk_several
from mailrace.steer.result.scenario_result import judged
from mailrace.steer.servers.marks import plain, with_own_spellings
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round, round_on
from mailrace.steer.steering import opener_of
from mailrace.steer.three import Three, look_at_three, realise_three
from mailrace.studies.survey.triples import Triple, triples

from tests.steer.toy import Toy, interleavings


def tree(lengths: tuple[int, ...], done: Schedule = ()) -> Node:
    """Every schedule of actors with so many steps ends in a leaf of its own."""
    left = [a for a, n in enumerate(lengths) if done.count(a) < n]
    histories = tuple(("x",) * done.count(a) for a in range(len(lengths)))
    edges = {a: tree(lengths, (*done, a)) for a in left}
    return Node(histories, MappingProxyType(edges), store=(("t", str(done)),))


def test_an_outcome_is_shown_by_pairs_where_one_of_three_can_run_alone_first_or_last() -> None:
    lengths = (2, 1, 2)
    root = tree(lengths)
    graph = Graph(root, 1, is_whole=True)
    leaves = graph.leaves()
    ends = {(leaf.store,): (leaf,) for leaf in leaves}
    found = Model(graph=graph, ends=ends, ways={}, asked=0).shown_by_pairs()

    def is_by_pair(order: Schedule) -> bool:
        alone = [(a,) * n for a, n in enumerate(lengths)]
        return any(order[: len(one)] == one or order[-len(one) :] == one for one in alone)

    wanted = {((("t", str(order)),),) for order in interleavings(lengths) if is_by_pair(order)}
    assert found == wanted
    assert 0 < len(wanted) < len(leaves)


def test_a_schedule_is_followed_and_then_whoever_went_last_goes_on() -> None:
    system = Toy(((("add", "x"),) * 2, (("add", "x"),) * 3))
    every: list[Schedule] = []
    run_schedules(system, Along((1, 0)), Budget(schedules_max=9), lambda order, _: every.append(order))
    assert every == [(1, 0, 0, 1, 1)]
    # The last of the beginning may have ended, which is what it was run to learn; another one may not.
    every.clear()
    run_schedules(system, Along((0, 0, 0)), Budget(schedules_max=9), lambda order, _: every.append(order))
    assert every == [(0, 0, 1, 1, 1)]
    system.restart()
    for actor in (0, 0):
        system.step(actor)
    with pytest.raises(ScheduleDiverged, match="actor 1 has ended"):
        Along((0, 0, 0, 1)).choose(system, (0, 0))


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    options = server_options(
        scenario_from(named("rename tag", "rename tag", "rename tag").scenario, shipped())
    )
    rig = Rig(opener_of("embedded@1.33.1", options, None, None), options=options)
    try:
        rig.start(3)
        yield rig
    finally:
        rig.stop()


def named(*operations: str, relation: str = "") -> Triple:
    """The first of these operations; of that relation, if one is named."""
    return next(
        one
        for one in triples()
        if tuple(o.name for o in one.operations) == operations and relation in ("", one.relation)
    )


@contextmanager
def round_of(rig: Rig, triple: Triple) -> Iterator[Round]:
    plan = Plan(scenario_from(triple.scenario, shipped()), 0, "mrthreetst")
    with round_on(rig, plain(with_own_spellings(plan.round(0)))) as round_:
        yield round_


def looked(round_: Round) -> Three:
    found = look_at_three(round_)
    assert found is not None
    return found


@pytest.mark.slow
def test_what_is_predicted_of_every_schedule_is_what_the_servers_do(rig: Rig) -> None:
    """The walk of 1,428 schedules against all classes of them, run: the same ends, and the same ones bad."""
    with round_of(rig, named("rename tag", "rename tag", "delete tag")) as round_:
        found = looked(round_)
        assert (found.doubt, found.run) == ("", found.outcomes)
        assert found.schedules == (1428, 1422)
        assert found.asked < 20
        runs: list[Execution] = []
        separate = SeparateInstances(round_)
        whole = run_schedules(
            separate, DepthFirst(), Budget(schedules_max=2_000), lambda _, run: runs.append(run)
        )
        separate.end()
        assert whole.is_complete
        graph = found.space.graph
        assert unexplored(graph, runs) == ""
        for run in runs:
            leaf = graph.leaf_of(run.schedule)
            assert leaf is not None
            assert found.space.judge.names(run) == found.space.bad_leaves.get(leaf, frozenset())
        # It was all run here; by itself a walk is never called so.
        assert not found.is_exhaustive
        assert not found.space.is_exhaustive


@pytest.mark.slow
def test_a_tag_is_lost_by_three_and_by_no_two_of_them_and_one_server_does_it(rig: Rig) -> None:
    """One renaming makes the tag of the sender's new mail, and another one renames it again."""
    triple = named(
        "send", "rename tag", "rename tag", relation="the same new tag; nothing in common; the same known tag"
    )
    with round_of(rig, triple) as round_:
        found = looked(round_)
        new = [one for one in found.found(()) if one.new]
        assert {one.new for one in new} == {"what it breaks"}
        lost = next(one for one in new if one.cause.anomalies == ("tag_lost",))
        assert lost.end.is_by_three
        assert {"tag_lost"} & {n for end in found.bad if not end.is_by_three for n in end.names} == set()
        shown = realise_three(round_, found, lost.end, 30.0)
        assert (shown.name, shown.fate, shown.realised) == (lost.cause.name, "realised", 1)
        # What would mend it is looked for in the graph of all three; the schedules that it leaves are run.
        assert found.doubt == ""
        assert (shown.schedules, shown.bad) == found.schedules
        (repair,) = shown.repair
        assert [(k.operation, k.steps) for k in repair.kept] == [("rename_tag", 3)]
        assert (repair.bad, repair.verified) == (0, "")
        assert [k.operation for one in shown.no_help for k in one.kept] == ["send"]
        # Known from elsewhere, it is still new by what it breaks.
        assert [one.new for one in found.found({lost.cause.name}) if one.cause == lost.cause] == [lost.new]


def test_a_walk_that_has_no_time_says_so_and_finds_nothing_clean(rig: Rig) -> None:
    with round_of(rig, named("send", "send", "rename tag")) as round_:
        found = look_at_three(round_, 0.0)
        assert found is not None
        assert found.doubt.startswith("not all of its states were walked")
        assert not found.is_exhaustive
        assert found.schedules == (0, 0)


def test_three_of_which_one_shares_nothing_are_left_to_the_pair(rig: Rig) -> None:
    """Who marks a message as read touches no tag."""
    with round_of(rig, named("rename tag", "delete tag", "mark read")) as round_:
        assert look_at_three(round_) is None


def test_an_actor_that_does_not_do_the_same_again_makes_every_prediction_a_doubt(rig: Rig) -> None:
    with round_of(rig, named("rename tag", "rename tag", "delete tag")) as round_:
        separate = SeparateInstances(round_)
        walk = ModelWalk(separate, Learner(conflicts=1), lambda *_: None, float("inf"))
        assert walk.doubt == "1 times an actor that was told the same went on differently"
        # A run that comes to another end than its leaf says is no evidence of that outcome.
        sound = ModelWalk(separate, Learner(), lambda *_: None, float("inf"))
        model = sound.model()
        leaf = model.graph.leaves()[0]
        wrong = Node((*leaf.histories[:-1], ("told otherwise",)))
        other = Model(graph=model.graph, ends={}, ways={wrong: model.ways[leaf]}, asked=0)
        assert sound.run(model, leaf) is not None
        assert sound.doubt == ""
        assert sound.run(other, wrong) is None
        assert sound.doubt.startswith("1 schedules came to another end")
        separate.end()


def test_every_order_of_three_is_of_the_same_three() -> None:
    """Equal operations are not told apart: of two renamings it is all one which has which tag."""
    every = list(triples())
    keys = {tuple(sorted(zip((o.name for o in t.operations), t.sides, strict=True))) for t in every}
    assert len(keys) == len(every) == len({t.name for t in every})


@pytest.fixture
def predicted(rig: Rig) -> Iterator[tuple[Round, StateSpace]]:
    """A round of which 10 of 52 schedules may be run."""
    triple = named(
        "send", "rename tag", "rename tag", relation="the same new tag; nothing in common; the same known tag"
    )
    with round_of(rig, triple) as round_:
        yield round_, explore(round_, Extent(schedules_max=10, sample_s_max=0.5))


@pytest.mark.slow
def test_steer_predicts_what_it_cannot_run_and_says_so(predicted: tuple[Round, StateSpace]) -> None:
    _, space = predicted
    assert space.is_predicted
    assert not space.is_exhaustive
    walked = "a walk of 21,223 schedules in 189 states without a server (8 of 8 predicted outcomes run)"
    assert walked in space.coverage.why_not
    # As many as where every class was run: what one schedule of an outcome breaks, all of it break.
    assert space.count()[:2] == (21_223, 15_794)
    assert AnomalyName.TAG_LOST in space.anomalies


@pytest.mark.slow
def test_one_instance_is_brought_into_what_no_two_of_three_do(predicted: tuple[Round, StateSpace]) -> None:
    round_, space = predicted
    effort = Effort(until=time.monotonic() + 120.0, one_of_each="anomaly")
    summary = walk_several(round_, space.only(AnomalyName.TAG_LOST), effort, NOBODY)
    verdict, reason, _ = judged(summary)
    assert verdict is Verdict.RACE
    assert "realised on one instance" in reason
    assert "predicted schedules bad" in reason
    (witness,) = (w for w in summary.shown.witnesses if w.anomaly.name is AnomalyName.TAG_LOST)
    assert len(witness.record.plan.operations) == 3
    # Each cause that was shown names the witness of its own schedule.
    numbers = {w.record.index: w for w in summary.shown.witnesses}
    for cause in summary.shown.causes:
        linked = numbers.get(cause.witness)
        assert (linked is None) == (cause.witness == -1)
        if linked is not None:
            assert linked.schedule is not None
            assert linked.schedule.text == cause.schedule
    assert any(cause.witness == witness.record.index for cause in summary.shown.causes)
    # The worst is the first: it is what a bundle shows.
    assert summary.shown.witnesses[0].anomaly.name is AnomalyName.TAG_LOST
