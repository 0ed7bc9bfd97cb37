"""The native engine: races a scenario on a started target, in turn with its control, to a ScenarioResult.

    calibrate → blocks of pairs → verify both → judge → learn → stop?

A coin, drawn with the seed, decides in each pair which of the two goes first; both get the same offsets and
decoys, chosen from what earlier pairs gave (docs/verdicts.md).
"""

import random
import time
from math import inf

from mailrace.model.errors import MachineTrouble, TargetError, TargetGone
from mailrace.model.result import ScenarioResult
from mailrace.model.time_limit import CUT_OFF
from mailrace.race.options import RaceOptions
from mailrace.race.side import Side
from mailrace.race.summary import Ended, control_result, scenario_result
from mailrace.race.tally import Judged
from mailrace.race.tuner import Draw, Tuner, is_one_party
from mailrace.race.views import is_kept_in_memory
from mailrace.verdict import is_settled

BLOCK_ROUNDS_UNTIL_HIT = 5
"""Until the first hit the store is read often, so that a hit is seen soon."""


def race(side: Side, control: Side | None, kind: int, options: RaceOptions) -> ScenarioResult:
    """Race `side`, alternating with `control` (of that kind), to a result with its verdict."""
    started = time.monotonic()
    race = _Race(side, control, kind, options)
    # What breaks without any race must be known first, so that no race is blamed for it.
    race.calibrate()
    while not race.is_over():
        drawn = race.run_block()
        if not race.judge_block(drawn):
            break
        race.tell()
    shown = None
    if control is not None:
        shown = control_result(control, kind, race.pairs, race.pairs_fired, options)
    return scenario_result(side, shown, options, race.ended, time.monotonic() - started)


class _Race:
    """A race under way: how many pairs were run, in how many the control fired, and why it ended."""

    def __init__(self, side: Side, control: Side | None, kind: int, options: RaceOptions) -> None:
        self.side, self.control, self.kind, self.options = side, control, kind, options
        self.sides = [side] if control is None else [side, control]
        self.pairs = self.index = 0
        self._fired: list[int] = []
        """Rounds of the control in counted pairs in which it showed its race."""
        self.ended = Ended()
        self._coin = random.Random(f"coin-{options.seed}")
        # Where the next round may remove what this one stored, each round is looked at by itself.
        self._is_looked_at_alone = any(one.is_cold or one.is_gone_with_the_next for one in self.sides)
        scenario, planned = side.lane.plan.scenario, side.lane.plan.round(0)
        self._is_in_memory = is_kept_in_memory(planned)
        self._tuner = Tuner(
            options.seed,
            None if scenario.release.offsets_us == "auto" else scenario.release.offsets_us,
            options.recorded,
            is_one_party=is_one_party(planned.operations),
            weighs_time=options.profile == "throughput",
        )
        self._block_rounds = 1 if self._is_looked_at_alone else options.limits.block_rounds_first
        if options.until == "hit":
            self._block_rounds = min(self._block_rounds, BLOCK_ROUNDS_UNTIL_HIT)

    def calibrate(self) -> None:
        """Run the operations one after the other on both; a server that fails even then is not raced."""
        for one in self.sides:
            try:
                one.calibrate()
            except TargetError as wrong:
                self._end(one, str(wrong), wrong)

    def is_over(self) -> bool:
        """Whether no further block is run: all were, the race was ended, or more can change nothing."""
        options, hits = self.options, self.side.tally.hits
        if self.ended.why or self.index >= options.rounds:
            return True
        if self.index == 0:
            return False
        if options.until == "hit" and hits:
            return True
        if options.enough is not None and options.enough():
            return True
        return options.until == "decided" and is_settled(
            hits=hits,
            pairs_fired=self.pairs_fired,
            control_kind=self.kind if self.control else None,
            rule=options.rule,
        )

    def run_block(self) -> list[tuple[Draw, float]]:
        """Run the pairs of one block; what was drawn for each, and the seconds that it took."""
        options, drawn = self.options, list[tuple[Draw, float]]()
        until = min(options.rounds, self.index + self._block_rounds)
        # What a server keeps in memory for some seconds is looked at before that is over.
        ends = time.monotonic() + options.limits.memory_s if self._is_in_memory else inf
        while self.index < until and not self.ended.why and (time.monotonic() < ends or not drawn):
            draw, began = self._tuner.draw(), time.monotonic()
            for one in self.sides if self._coin.random() < 0.5 else self.sides[::-1]:
                try:
                    one.run(self.index, draw)
                except TargetError as wrong:
                    self._end(one, str(wrong), wrong)
                    break
            else:
                self.index += 1
            drawn.append((draw, time.monotonic() - began))
            if options.time_limit is not None and time.monotonic() > options.time_limit:
                what = f"{CUT_OFF} after {self.index} of {options.rounds} rounds"
                self.ended = self.ended if self.ended.why else Ended(what)
        # Blocks grow, so that the store is read a few times only; but more often where a decision is awaited.
        if not self._is_looked_at_alone and options.until != "hit":
            longest = options.limits.block_rounds_last // (1 if options.until == "rounds" else 5)
            self._block_rounds = min(longest, self._block_rounds * 2)
        return drawn

    def judge_block(self, drawn: list[tuple[Draw, float]]) -> bool:
        """Verify and judge what was run, and learn from it; false where that failed."""
        results: list[tuple[Judged, ...]] = []
        for one in self.sides:
            try:
                results.append(one.judged())
            except TargetError as wrong:
                self._end(one, str(wrong), wrong)
                return False
            if one.gone:
                self._end(one, one.gone)
        for (draw, seconds), *pair in zip(drawn, *results, strict=False):
            self._tuner.learn(draw, hit=any(judged.is_hit for judged in pair), seconds=seconds)
            if self.control is not None and all(judged.is_counted for judged in pair):
                self.pairs += 1
                self._fired += [pair[1].record.index] * pair[1].is_hit
        self.side.tally.end_block(self.control.tally if self.control else None)
        return True

    @property
    def pairs_fired(self) -> int:
        """In how many counted pairs the control showed what needs a race."""
        return sum(self.control is not None and self.control.tally.is_hit(index) for index in self._fired)

    def tell(self) -> None:
        """Say how far it is."""
        if self.options.progress is not None:
            hits = self.control.tally.hits if self.control else 0
            self.options.progress(self.index, self.options.rounds, self.side.tally.hits, hits)

    def _end(self, one: Side, why: str, wrong: TargetError | None = None) -> None:
        """Remember the first reason to end, and whether the server under test gave it."""
        if not self.ended.why:
            is_targets = one is self.side and not isinstance(wrong, MachineTrouble)
            is_gone = is_targets and isinstance(wrong, TargetGone)
            self.ended = Ended(why, is_targets_doing=is_targets, is_gone=is_gone)
