"""The native engine: one scenario on one started target, alternating with its control; a ScenarioResult out.

    blocks of pairs → verify both → judge → learn → stop?

A coin, drawn with the seed, decides in each pair which of the two goes first; both get the same offsets and
decoys, chosen from what earlier pairs gave (DESIGN.md, "Controls", "The rule").
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Literal

from mailrace.history import Journal, JudgedRound
from mailrace.model.attempt import RoundRecord
from mailrace.model.errors import TargetError
from mailrace.model.request import Racing
from mailrace.model.result import ControlResult, ScenarioResult, Verdict
from mailrace.model.target import Liveness, Target
from mailrace.race.controls import WHY
from mailrace.race.judge import Judge
from mailrace.race.lane import Lane
from mailrace.race.limits import LIMITS, Limits
from mailrace.race.tally import Judged, Tally
from mailrace.race.tuner import Draw, Tuner, is_one_party
from mailrace.scenario import Plan, Scenario, server_options
from mailrace.verdict import clopper_pearson, decide, evidence_of, is_overdispersed, settled, theta_bound


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceOptions(Racing):
    """How long and how to race one scenario: what was asked, with nothing left to the scenario.

    time_limit  monotonic seconds at which no further round begins; None: none
    replay      the command that replays a witness, without `--round`
    pruned_from   from this round on a server that is not ours may have deleted what it accepted
    progress    told after each block: (rounds done, rounds in all, hits, control's hits)
    limits      how long it waits, and how often it tries
    enough      asked after each block, once it is judged; true ends the race
    """

    rounds: int
    profile: Literal["rate", "throughput"]
    seed: int
    time_limit: float | None = None
    replay: str = ""
    pruned_from: int | None = None
    limits: Limits = LIMITS
    progress: Callable[[int, int, int, int], None] | None = None
    enough: Callable[[], bool] | None = None

    @classmethod
    def of(cls, scenario: Scenario, asked: Racing, *, seed: int) -> "RaceOptions":
        """What was asked, completed by what the scenario says."""
        values = {one.name: getattr(asked, one.name) for one in fields(Racing)}
        values["rounds"] = asked.rounds or scenario.rounds
        values["profile"] = asked.profile or scenario.release.profile
        return cls(**values, seed=seed)


class Side:
    """A plan on a started target with its lane, judge and tally; one of the two that alternate."""

    def __init__(self, name: str, plan: Plan, target: Target, journal: Journal, options: RaceOptions) -> None:
        self.target = target
        self.journal = journal
        self.lane = Lane(name, plan, target, journal, profile=options.profile, limits=options.limits)
        self._limits = options.limits
        self.judge = Judge(self.lane, server_options(plan.scenario), journal, pruned_from=options.pruned_from)
        self.tally = Tally(server_options(plan.scenario), options.replay)
        self.seconds = {"race": 0.0, "verify": 0.0, "start": 0.0}
        self._pending: list[RoundRecord] = []
        self._unreadable = 0
        self._restarts = 0
        self._unreleased = 0
        self.gone = ""
        """Why it cannot go on, found when its rounds were judged; "" while it can."""
        self.is_cold = options.trial == "cold" or plan.scenario.target.fresh

    def run(self, index: int, draw: Draw) -> None:
        """One round; a server that hung or ended is started anew if it is ours."""
        started = time.monotonic()
        if self.is_cold:
            self._restart()
        before = time.monotonic()
        record = self.lane.run(index, draw)
        self._pending.append(record)
        self.seconds["start"] += before - started
        self.seconds["race"] += time.monotonic() - before
        if (record.hung or record.crashed) and not self.is_cold:
            self.recover()
        self._unreleased = 0 if record.released_ns else self._unreleased + 1
        if self._unreleased >= self._limits.unreleased_rounds:
            raise TargetError(
                f"{self.target.name}: {self._unreleased} rounds in a row could not be exercised, so it was "
                f"given up; the last one: {record.lost}"
            )

    def judged(self) -> tuple[Judged, ...]:
        """Verify and judge the rounds since the last call, and count them."""
        started = time.monotonic()
        found = self.judge.judge(self._pending, self._unreadable)
        self._pending, self._unreadable = [], 0
        for judged in found:
            self.tally.add(judged)
            # What the round came to is on disk at once, so that a kill loses no finding.
            came_to = JudgedRound(
                index=judged.record.index, anomalies=judged.anomalies, not_looked=judged.not_looked
            )
            self.journal.judged(self.lane.name, came_to)
        if any(judged.record.hung for judged in found) and self.target.liveness() is not Liveness.ALIVE:
            try:
                self.recover()
            except TargetError as wrong:  # what was found stands
                self.gone = str(wrong)
        self.seconds["verify"] += time.monotonic() - started
        return found

    def recover(self) -> None:
        """Start a server of ours anew; its rounds that were not verified stay so, and are said."""
        if not self.target.is_ours:
            raise TargetError(f"{self.target.name}: it hangs or is gone, and is not ours to start anew")
        if self._restarts >= self._limits.restarts:
            raise TargetError(f"{self.target.name}: it hung or ended {self._restarts} times; given up")
        self._restarts += 1
        self._unreadable = len(self._pending)
        self._restart()

    def _restart(self) -> None:
        self.lane.drop()
        self.target.stop()
        self.target.start()


def race(side: Side, control: Side | None, kind: int, options: RaceOptions) -> ScenarioResult:
    """Race `side`, alternating with `control` (of that kind), to a result with its verdict."""
    plan = side.lane.plan
    coin = random.Random(f"coin-{options.seed}")
    offsets = plan.scenario.release.offsets_us
    one_party = is_one_party(plan.round(0).operations)
    tuner = Tuner(
        options.seed,
        None if offsets == "auto" else offsets,
        options.recorded,
        is_one_party=one_party,
        weighs_time=options.profile == "throughput",
    )
    sides = [side] if control is None else [side, control]
    started = time.monotonic()
    pairs = pairs_fired = index = 0
    stopped = ""
    is_cold = any(one.is_cold for one in sides)
    block_rounds = 1 if is_cold else options.limits.block_rounds_first
    if options.until == "hit":
        block_rounds = min(block_rounds, 5)
    while index < options.rounds and not stopped:
        draws: list[Draw] = []
        took_s: list[float] = []
        until = min(options.rounds, index + block_rounds)
        try:
            while index < until:
                draws.append(tuner.draw())
                began = time.monotonic()
                first, *rest = sides if coin.random() < 0.5 else sides[::-1]
                for one in (first, *rest):
                    one.run(index, draws[-1])
                took_s.append(time.monotonic() - began)
                index += 1
                if options.time_limit is not None and time.monotonic() > options.time_limit:
                    stopped = f"the time limit ended it after {index} of {options.rounds} rounds"
                    break
        except TargetError as wrong:
            stopped = str(wrong)
        try:
            results = [one.judged() for one in sides]
        except TargetError as wrong:  # what was judged before stands
            stopped = str(wrong)
            break
        stopped = stopped or next((one.gone for one in sides if one.gone), "")
        for place, draw in enumerate(draws[: min(len(r) for r in results)]):
            pair = [result[place] for result in results]
            seconds = took_s[place] if place < len(took_s) else 1.0
            tuner.learn(draw, hit=any(judged.is_hit for judged in pair), seconds=seconds)
            if control is not None and all(judged.is_counted for judged in pair):
                pairs += 1
                pairs_fired += pair[1].is_hit
        side.tally.end_block(control.tally if control else None)
        if options.progress is not None:
            hits = control.tally.hits if control else 0
            options.progress(index, options.rounds, side.tally.hits, hits)
        kind_now = kind if control else None
        if options.until == "hit" and side.tally.hits:
            break
        if options.enough is not None and options.enough():
            break
        if options.until == "decided" and settled(
            hits=side.tally.hits,
            pairs_fired=pairs_fired,
            control_kind=kind_now,
            rule=options.rule,
        ):
            break
        if not is_cold and options.until != "hit":
            longest = options.limits.block_rounds_last // (1 if options.until == "rounds" else 5)
            block_rounds = min(longest, block_rounds * 2)
    shown = _control_result(control, kind, pairs, pairs_fired, options) if control else None
    return _result(side, shown, options, stopped, time.monotonic() - started)


def _control_result(
    control: Side, kind: int, pairs: int, pairs_fired: int, options: RaceOptions
) -> ControlResult:
    return ControlResult(
        target=control.target.name,
        scenario=control.lane.plan.scenario.name,
        kind=kind,
        why=WHY[kind],
        pairs=pairs,
        pairs_fired=pairs_fired,
        hits=control.tally.hits,
        confidence=options.rule.confidence_each,
        bound=theta_bound(pairs_fired, options.rule.confidence_each),
    )


def _result(
    side: Side, control: ControlResult | None, options: RaceOptions, stopped: str, seconds: float
) -> ScenarioResult:
    scenario, tally = side.lane.plan.scenario, side.tally
    one_rate = not is_overdispersed([b for b in tally.blocks if b.rounds])
    not_looked = [*([stopped] if stopped else []), *tally.not_looked, *side.judge.notes]
    result = ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        file=str(scenario.file or ""),
        mode="race",
        verdict=Verdict.INCONCLUSIVE,
        reason="",
        rounds=tally.rounds,
        accepted=tally.accepted(side.lane.plan.round(0)),
        rounds_lost=tally.lost,
        rounds_dropped=tally.lost - tally.refused,
        rounds_refused=tally.refused,
        hits=tally.hits,
        interval=clopper_pearson(tally.hits, tally.rounds) if tally.rounds and one_rate else None,
        anomalies=dict(tally.anomalies),
        witnesses=tuple(tally.witnesses),
        sample=tuple(tally.sample),
        not_looked=tuple(said for said in not_looked if said),
        control=control,
        profile=options.profile if scenario.release.at != "free" else "free",
        release_at=scenario.release.at,
        skew_us=tally.skew(),
        rounds_per_s=tally.rounds / seconds if seconds else 0.0,
        seconds={**side.seconds, "all": seconds},
        replies=dict(tally.replies.most_common()),
        expected=tally.expected,
        found=tally.found,
        blocks=tuple(tally.blocks),
    )
    # The verdict hangs on nothing but what the document holds, so that it can be reached again from there.
    decision = decide(evidence_of(result), options.rule)
    return replace(result, verdict=decision.verdict, reason=decision.reason, advice=decision.advice)
