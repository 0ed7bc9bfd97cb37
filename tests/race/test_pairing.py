"""Pairs of target and control: the same offsets and decoys, a coin for who goes first, and when to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import comb
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Stored
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.race import RaceOptions, Side, race
from mailrace.race.limits import LIMITS
from mailrace.race.tally import Judged, Tally
from mailrace.race.tuner import Draw
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import Plan, load, scenario_from, shipped
from mailrace.verdict import rule_pairs

from tests import built

SCENARIO = scenario_from(
    {"name": "s", "title": "t", "actors": [{"send": {"count": 2}}], "release": {"at": "last-byte"}},
    Path(shipped()),
)
HIT = (Anomaly(name=AnomalyName.DUPLICATED, round=0, proof="it is"),)
Turn = tuple[str, int, Draw]


@dataclass
class Parts:
    """What `race` reads of a Side beside its calls."""

    name: str
    plan: Plan = field(default_factory=lambda: Plan(SCENARIO, 1, "mr00000000"))
    notes: tuple[str, ...] = ()
    serial: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(refused=""))


class FakeSide:
    """A Side without a server: rounds hit where `hits(index)` says so, and are lost where `lost` does."""

    def __init__(
        self,
        name: str,
        turns: list[Turn],
        hits: Callable[[int], bool] = lambda index: False,
        lost: Callable[[int], bool] = lambda index: False,
        fails_at: int = -1,
    ) -> None:
        self.lane = self.judge = self.target = Parts(name)
        self.tally = Tally(ServerOptions(), "")
        self.seconds = {"race": 0.0}
        self.is_cold = self.is_gone_with_the_next = False
        self.gone = ""
        self.blocks: list[int] = []
        self._turns, self._hits, self._lost, self._fails_at = turns, hits, lost, fails_at
        self._pending: list[int] = []

    def calibrate(self) -> None:
        pass

    def said(self) -> tuple[str, ...]:
        return ()

    def broken_serially(self) -> dict[str, int]:
        return {}

    def run(self, index: int, draw: Draw) -> None:
        self._turns.append((self.target.name, index, draw))
        self._pending.append(index)
        if index == self._fails_at:
            raise TargetError("it is gone")

    def judged(self) -> tuple[Judged, ...]:
        found = tuple(self._judged(index) for index in self._pending)
        self.blocks.append(len(self._pending))
        self._pending = []
        for one in found:
            self.tally.add(one)
        return found

    def _judged(self, index: int) -> Judged:
        plan = Plan(SCENARIO, 1, "mr00000000").round(index)
        accepted = tuple(
            built.attempt(operation.key, round=index, actor=actor, text="Ok")
            for actor, operation in enumerate(plan.operations)
        )
        record = built.record(index=index, plan=plan, attempts=accepted, stored=Stored(messages=(), tags=()))
        return Judged(record, HIT if self._hits(index) else (), "not looked at" if self._lost(index) else "")


OPTIONS = RaceOptions(rounds=100, profile="rate", seed=7)


def raced(target: FakeSide, control: FakeSide | None, kind: int = 1, **changed: Any) -> ScenarioResult:
    return race(cast(Side, target), cast(Side, control), kind, replace(OPTIONS, **changed))


def every(number: int) -> Callable[[int], bool]:
    return lambda index: index % number == 0


def test_both_of_a_pair_get_the_same_draw_and_a_coin_says_who_goes_first() -> None:
    turns: list[Turn] = []
    raced(FakeSide("target", turns), FakeSide("control", turns), rounds=400)
    pairs = list(zip(turns[::2], turns[1::2], strict=True))
    assert len(pairs) == 400
    for (one, index, draw), (other, same_index, same_draw) in pairs:
        assert {one, other} == {"target", "control"}
        assert (index, draw) == (same_index, same_draw)
    first = sum(one == "target" for (one, _, _), _ in pairs)
    # 200 expected, standard deviation 10.
    assert 150 < first < 250
    assert [index for (_, index, _), _ in pairs] == list(range(400))
    assert len({draw.jitter for (_, _, draw), _ in pairs}) == 400


def test_the_seed_is_all_that_the_order_and_the_draws_depend_on() -> None:
    runs: list[list[Turn]] = []
    for seed in (7, 7, 8):
        turns: list[Turn] = []
        raced(FakeSide("target", turns), FakeSide("control", turns, every(3)), rounds=60, seed=seed)
        runs.append(turns)
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_pass_needs_a_control_of_the_same_server_that_fired_often_enough() -> None:
    # (1 + 1/3)^17 is the first power over 100: 17 pairs for 0.99 confidence.
    for fired, verdict in ((16, Verdict.INCONCLUSIVE), (17, Verdict.PASS)):
        result = raced(FakeSide("t", []), FakeSide("c", [], lambda index, n=fired: index < n))  # type: ignore[misc]
        assert result.verdict is verdict
        assert result.control is not None
        assert (result.control.pairs, result.control.pairs_fired) == (100, fired)
        assert result.control.bound == pytest.approx(100 ** (1 / fired) - 1)
    third = raced(FakeSide("t", []), FakeSide("c", [], every(1)), kind=3)
    assert third.verdict is Verdict.INCONCLUSIVE
    assert "steer" in third.advice
    alone = raced(FakeSide("t", []), None)
    assert alone.verdict is Verdict.INCONCLUSIVE


def test_a_pair_with_a_lost_round_counts_for_nothing() -> None:
    lost = raced(FakeSide("t", [], lost=lambda index: index < 90), FakeSide("c", [], every(1)))
    assert lost.control is not None
    assert (lost.control.pairs, lost.control.pairs_fired, lost.rounds_lost) == (10, 10, 90)
    assert lost.verdict is Verdict.INCONCLUSIVE
    deaf = raced(FakeSide("t", []), FakeSide("c", [], lost=every(1)))
    assert deaf.control is not None
    assert deaf.control.pairs == 0


def test_one_hit_is_a_race_whatever_the_control_does() -> None:
    result = raced(FakeSide("t", [], lambda index: index == 99), FakeSide("c", []))
    assert (result.verdict, result.hits, result.rounds) == (Verdict.RACE, 1, 100)
    assert "duplicated" in result.anomalies


def test_until_hit_ends_after_the_block_with_the_first_hit() -> None:
    result = raced(FakeSide("t", [], lambda index: index == 12), None, until="hit")
    assert result.verdict is Verdict.RACE
    assert 13 <= result.rounds <= 15, "its blocks are of five rounds"


def test_an_operation_that_was_never_accepted_is_no_pass() -> None:
    side = FakeSide("t", [])
    side.tally.accepted = lambda plan: {"send.1": 100, "send.2": 0}  # type: ignore[method-assign]
    result = raced(side, FakeSide("c", [], every(1)))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "no send.2 was ever accepted, so no promise was put to the test" in result.reason


def test_until_decided_ends_when_more_rounds_can_change_nothing() -> None:
    result = raced(FakeSide("t", []), FakeSide("c", [], every(1)), until="decided", rounds=10_000)
    assert result.verdict is Verdict.PASS
    assert 17 <= result.rounds <= 30
    never = raced(FakeSide("t", []), FakeSide("c", [], every(1)), kind=3, until="decided", rounds=50)
    assert never.verdict is Verdict.INCONCLUSIVE


def test_until_decided_goes_on_to_its_limit_where_a_few_rounds_would_leave_it_open() -> None:
    """A control that fires in every fiftieth round: open after 100 rounds, decided long before 1,000."""
    few = raced(FakeSide("t", []), FakeSide("c", [], every(50)), until="decided", rounds=100)
    assert (few.verdict, few.rounds) == (Verdict.INCONCLUSIVE, 100)
    most = LIMITS.decided_rounds
    rare = raced(FakeSide("t", []), FakeSide("c", [], every(50)), until="decided", rounds=most)
    assert rare.verdict is Verdict.PASS
    assert rule_pairs(Racing().rule) * 50 - 50 < rare.rounds < most
    # One that fires even more rarely leaves it open, and that is said after the last of the stated number.
    never = raced(FakeSide("t", []), FakeSide("c", [], every(100)), until="decided", rounds=most)
    assert (never.verdict, never.rounds) == (Verdict.INCONCLUSIVE, most)
    assert "fired in 10 of 1000 pairs" in never.reason.replace(",", "")


def test_ci_does_not_flicker_with_the_stated_limit() -> None:
    """The chance to be left open where a control fires in 5 % of pairs, as rarely as was ever seen."""
    needed = rule_pairs(Racing(verdicts=22).rule)

    def left_open(rounds: int, rate: float) -> float:
        return sum(comb(rounds, k) * rate**k * (1 - rate) ** (rounds - k) for k in range(needed))

    assert left_open(LIMITS.decided_rounds, 0.05) < 1e-3
    assert left_open(LIMITS.decided_rounds, 0.10) < 1e-12
    assert left_open(100, 0.05) > 0.999, "which a hundred rounds would be, nearly always"
    assert 0.05 < left_open(100, 0.33) < 0.2, "and one gate in ten at the usual rate"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("control", "asked", "verdict", "rounds"),
    [
        ("embedded@1.17.0", None, Verdict.PASS, range(17, 400)),
        ("embedded@1.17.1", None, Verdict.INCONCLUSIVE, range(40, 41)),
        ("embedded@1.17.1", 6, Verdict.INCONCLUSIVE, range(6, 7)),
    ],
    ids=["decided early", "open to the limit", "no more than were asked for"],
)
def test_a_whole_run_until_decided(
    control: str, asked: int | None, verdict: Verdict, rounds: range, tmp_path: Path
) -> None:
    data = yaml_of("shared-new-tag") | {"rounds": 5, "controls": [{"target": control}]}
    limits = replace(LIMITS, decided_rounds=400 if verdict is Verdict.PASS else 40, skew_us=1e9)
    request = RunRequest.of(
        "embedded@fixed", Racing(rounds=asked, until="decided"), Output(out=tmp_path / "out", formats=())
    )
    (found,) = run([scenario_from(data, Path(shipped()))], request, limits=limits).result.scenarios
    assert found.verdict is verdict, found.reason
    assert found.rounds + found.rounds_lost in rounds


def yaml_of(name: str) -> dict[str, Any]:
    return dict(load(shipped() / f"{name}.race.yaml").as_data())


def test_blocks_grow_so_that_the_store_is_read_a_few_times() -> None:
    target = FakeSide("t", [])
    raced(target, None, rounds=1_000)
    assert target.blocks[0] == LIMITS.block_rounds_first
    assert max(target.blocks) <= LIMITS.block_rounds_last
    assert sum(target.blocks) == 1_000
    assert len(target.blocks) < 12


def test_past_the_time_limit_no_round_begins_and_that_is_said() -> None:
    result = raced(FakeSide("t", []), None, time_limit=time.monotonic())
    assert result.rounds == 1
    assert result.not_looked[0] == "the time limit ended it after 1 of 100 rounds"


@pytest.mark.parametrize("failing", ["t", "c"])
def test_a_target_that_fails_ends_the_race_and_what_there_was_is_judged(failing: str) -> None:
    made = {name: FakeSide(name, [], fails_at=33 if name == failing else -1) for name in ("t", "c")}
    result = raced(made["t"], made["c"])
    assert 33 <= result.rounds <= 34
    assert "it is gone" in result.not_looked
    assert result.verdict is Verdict.INCONCLUSIVE


def test_progress_is_told_after_each_block() -> None:
    told: list[tuple[int, int, int, int]] = []
    raced(
        FakeSide("t", []),
        FakeSide("c", [], every(2)),
        progress=lambda *numbers: told.append(cast(tuple[int, int, int, int], numbers)),
    )
    assert told[0] == (10, 100, 0, 5)
    assert told[-1] == (100, 100, 0, 50)
