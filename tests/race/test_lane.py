"""A lane on a real server: what a round's record says of skew, holds, retries, leads and given messages."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mailrace.history import Journal, JournalHeader, read_histories
from mailrace.model.attempt import Outcome, RoundRecord, Stage, StoredMessage, Word
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Target
from mailrace.race import lane as lane_module
from mailrace.race.lane import Lane
from mailrace.race.limits import LIMITS
from mailrace.race.tuner import Draw
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import Plan, scenario_from, shipped
from mailrace.targets import open_target

CALM = Draw(shift_us=0.0, jitter=(0.0,) * 64, decoys=0, arm=0)
RUN = iter(range(10_000_000, 99_999_999))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    server = open_target("embedded@fixed", ServerOptions())
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def make(target: Target, tmp_path: Path) -> Iterator[Callable[..., Lane]]:
    """A lane for a scenario given as keys that differ from two plain senders."""
    with ExitStack() as made:
        journal = Journal(tmp_path / "history.jsonl")
        made.callback(journal.close)
        journal.header(JournalHeader.of("s", target.info, seed=1, run="mr", mode="race"))

        def lane(profile: str = "rate", **changed: Any) -> Lane:
            data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2}}], **changed}
            scenario = scenario_from(data, Path(shipped()))
            one = Lane("target", Plan(scenario, 1, f"mr{next(RUN)}"), target, journal, profile=profile)
            made.callback(one.close)
            return one

        yield lane


def own(target: Target, lane: Lane) -> list[StoredMessage]:
    """What the target, which the tests of this file share, holds of the lane's own mail."""
    rows = target.stored(lane.plan.domain).messages
    return [row for row in rows if row.sender.endswith(f"@{lane.plan.domain}")]


def stages(record: RoundRecord, actor: int) -> list[Stage]:
    (raced,) = [a for a in record.attempts if a.actor == actor and a.number == 1]
    return [stage for stage, _ in raced.marks]


def test_a_round_races_every_actor_and_is_in_the_journal(
    make: Callable[..., Lane], target: Target, tmp_path: Path
) -> None:
    lane = make()
    record = next(r for r in (lane.run(i, CALM) for i in range(20)) if not r.lost)
    assert [a.outcome for a in record.attempts] == [Outcome.OK] * 2
    assert all(a.released_ns and a.released_ns >= record.released_ns for a in record.attempts)
    assert [a.completed_ns for a in record.attempts] == sorted(a.completed_ns for a in record.attempts)
    # A busy machine may delay a release; a round of twenty that it leaves alone is enough.
    assert 0 <= record.skew_us < LIMITS.skew_us
    assert record.offsets_us == (0.0, 0.0)
    assert len(own(target, lane)) == 2 * (record.index + 1)
    lane_name, written, _ = read_histories(tmp_path / "history.jsonl")[0].rounds[-1]
    assert (lane_name, written) == ("target", record)


@pytest.mark.parametrize(
    ("at", "before"),
    [
        ("mail", []),
        ("rcpt", [Stage.MAIL]),
        ("data", [Stage.MAIL, Stage.RCPT]),
        ("last-byte", [Stage.MAIL, Stage.RCPT, Stage.DATA]),
    ],
)
def test_actors_are_held_where_the_scenario_says(
    make: Callable[..., Lane], at: str, before: list[Stage]
) -> None:
    record = make(release={"at": at}).run(0, CALM)
    for actor in (0, 1):
        seen = stages(record, actor)
        place = seen.index(Stage.HELD)
        assert seen[:place] == before
        assert seen[place : place + 2] == [Stage.HELD, Stage.RELEASED]
        assert seen[-1] is Stage.REPLY


def test_a_connection_itself_can_be_held(make: Callable[..., Lane]) -> None:
    lane = make(release={"at": "connect"})
    for index in range(2):
        record = lane.run(index, CALM)
        assert record.lost == "" or "spread" in record.lost
        assert [a.outcome for a in record.attempts] == [Outcome.OK] * 2
        assert all(a.invoked_ns >= record.released_ns for a in record.attempts)


def test_the_baseline_holds_nobody(make: Callable[..., Lane], target: Target) -> None:
    lane = make(release={"at": "free"})
    record = lane.run(0, CALM)
    assert [a.outcome for a in record.attempts] == [Outcome.OK] * 2
    assert len(own(target, lane)) == 2


def test_a_round_whose_skew_was_far_off_says_so(
    make: Callable[..., Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = lane_module.release_together

    def late(links: list[Any], offsets_us: list[float]) -> tuple[int, float]:
        return real(links, offsets_us)[0], LIMITS.skew_us + 1

    monkeypatch.setattr(lane_module, "release_together", late)
    record = make().run(0, CALM)
    assert record.skew_us == LIMITS.skew_us + 1
    assert record.lost == "the releases spread over 1001 µs around their plan"
    assert [a.outcome for a in record.attempts] == [Outcome.OK] * 2, "what happened is in the history"


@pytest.mark.parametrize("profile", ["rate", "throughput"])
def test_rounds_follow_each_other_on_kept_connections(
    make: Callable[..., Lane], target: Target, profile: str
) -> None:
    lane = make(profile)
    records = [lane.run(index, CALM) for index in range(5)]
    assert [record.index for record in records] == list(range(5))
    assert len(own(target, lane)) == 10
    for earlier, later in itertools.pairwise(records):
        answered = max(a.completed_ns for a in earlier.attempts)
        assert answered < min(a.invoked_ns for a in later.attempts), "no round disturbs another one's window"


def test_decoys_read_beside_the_round_and_are_no_actors(make: Callable[..., Lane]) -> None:
    lane = make()
    beside = Draw(shift_us=0.0, jitter=(0.0,) * 64, decoys=2, arm=0)
    for index in range(3):
        record = lane.run(index, beside)
        assert record.decoys == 2
        assert record.hung == ()
        assert len(record.attempts) == 2


def test_given_messages_are_stored_first_and_known_by_their_server_ids(make: Callable[..., Lane]) -> None:
    lane = make(
        given=[{"name": "old", "tags": ["{run}-{round}"]}],
        actors=[{"send": {"count": 1}}, {"delete": {"messages": ["old"]}}],
    )
    record = lane.run(0, CALM)
    given, *raced = sorted(record.attempts, key=lambda a: a.actor)
    assert (given.actor, given.outcome) == (-1, Outcome.OK)
    assert given.completed_ns < record.released_ns
    assert list(record.ids) == [record.plan.given[0].key]
    assert {a.outcome for a in raced} == {Outcome.OK}


def test_a_lead_is_refused_on_the_same_connection_while_the_round_is_prepared(
    make: Callable[..., Lane],
) -> None:
    lane = make(
        actors=[{"send": {"count": 2, "lead": "malformed", "ignore_mail_reply": True}}],
        after_failure="nothing",
    )
    record = lane.run(0, CALM)
    leads = [a for a in record.attempts if a.message and a.message != record.plan.operations[a.actor].key]
    refused = [a for a in leads if a.word is Word.REFUSED]
    assert len(refused) == 2
    assert all(a.completed_ns < record.released_ns for a in refused)


def test_operations_one_after_the_other_are_each_answered_before_the_next(make: Callable[..., Lane]) -> None:
    lane = make(actors=[{"send": {"count": 3}}])
    planned = lane.plan.round(90_000)
    record = lane.serially(planned, (2, 0))
    assert [a.actor for a in record.attempts] == [2, 0], "one that is not named is left out"
    assert record.attempts[0].completed_ns < record.attempts[1].invoked_ns


@pytest.mark.parametrize(("image_bytes", "rounds"), [(2_000, [1, 1, 1]), (0, [3])])
def test_what_is_kept_in_memory_is_looked_at_before_it_is_forgotten(
    image_bytes: int, rounds: list[int], tmp_path: Path
) -> None:
    data = {
        "name": "s",
        "title": "t",
        "given": [{"name": "old", "image_bytes": image_bytes}],
        "actors": [{"read_message": {"message": "old"}}, {"delete": {"messages": ["old"]}}],
    }
    output = Output(out=tmp_path / "out", formats=())
    request = RunRequest.of("embedded@fixed", Racing(rounds=3, control=False, until="rounds"), output)
    done = run([scenario_from(data, tmp_path)], request, limits=replace(LIMITS, memory_s=0.0))
    assert [block.rounds for block in done.result.scenarios[0].blocks] == rounds
