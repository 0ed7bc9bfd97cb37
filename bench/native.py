"""Hit rate and hits a second of `free`, a barrier, and ours in each profile, in interleaved blocks."""

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from mailrace.history import Journal
from mailrace.model.operation import ServerOptions
from mailrace.race import RaceOptions, Side
from mailrace.race.judge import Judge
from mailrace.race.lane import Lane
from mailrace.race.tuner import Tuner
from mailrace.scenario import Plan, load, server_options, shipped
from mailrace.scenario.scenario import Retry
from mailrace.targets import open_target

BLOCK_ROUNDS = 40
COLD_ROUNDS = 10


@dataclass(slots=True)
class Contender:
    """One way to race, with what each of its blocks gave."""

    name: str
    lane: Lane
    judge: Judge
    tuner: Tuner
    rates: list[float] = field(default_factory=list)
    hits_per_s: list[float] = field(default_factory=list)
    rounds_per_s: list[float] = field(default_factory=list)
    index: int = 0

    def block(self, rounds: int) -> None:
        """Run, verify and count one block."""
        started = time.monotonic()
        records, draws, took_s = [], [], []
        for _ in range(rounds):
            draws.append(self.tuner.draw())
            began = time.monotonic()
            records.append(self.lane.run(self.index, draws[-1]))
            took_s.append(time.monotonic() - began)
            self.index += 1
        judged = self.judge.judge(records)
        seconds = time.monotonic() - started
        for draw, one, spent_s in zip(draws, judged, took_s, strict=True):
            self.tuner.learn(draw, hit=one.is_hit, seconds=spent_s)
        hits = sum(one.is_hit for one in judged)
        self.rates.append(hits / rounds)
        self.hits_per_s.append(hits / seconds)
        self.rounds_per_s.append(rounds / seconds)

    def forget(self) -> None:
        """Count from here on."""
        self.rates, self.hits_per_s, self.rounds_per_s = [], [], []


def measure(target: str, blocks: int, folder: Path) -> None:
    """Print the table for `shared-new-tag` on one target: 2 senders, a server for each contender, so that
    none reads what another stored.
    """
    scenario = load(shipped() / "shared-new-tag.race.yaml").model_copy(update={"retry": Retry()})
    with ExitStack() as stack:
        made = []
        for number, (name, at, profile) in enumerate(
            (
                ("free: thread pool, smtplib", "free", "rate"),
                ("barrier, smtplib", "barrier", "rate"),
                ("mailrace, rate", "", "rate"),
                ("mailrace, throughput", "", "throughput"),
            )
        ):
            own = folder / str(number)
            own.mkdir()
            server = open_target(target, ServerOptions(), folder=own)
            stack.callback(server.stop)
            server.start()
            journal = Journal(own / "history.jsonl")
            stack.callback(journal.close)
            plan = Plan(scenario, 1, f"mrbench{number:03d}")
            lane = Lane("target", plan, server, journal, profile=profile, at=at)
            stack.callback(lane.close)
            judge = Judge(lane, server_options(scenario), journal)
            tuner = Tuner(1, is_one_party=True, weighs_time=profile == "throughput")
            made.append(Contender(name, lane, judge, tuner))
        for contender in made:
            contender.block(BLOCK_ROUNDS)  # not counted: connections, caches and offsets settle
            contender.forget()
        for _ in range(blocks):
            for contender in made:
                contender.block(BLOCK_ROUNDS)
    cold = _cold(target, blocks, folder)
    print(f"\n{target}, shared-new-tag, 2 senders, {blocks} interleaved blocks of {BLOCK_ROUNDS} rounds")
    print(f"  {'':28}{'hit rate':>22}{'of free':>9}{'hits/s':>20}{'of free':>9}{'rounds/s':>10}")
    free = made[0]
    for one in made:
        ratio = _ratio(one.rates, free.rates)
        speed = _ratio(one.hits_per_s, free.hits_per_s)
        rounds = statistics.median(one.rounds_per_s)
        rate, per_s = _spread(one.rates), _spread(one.hits_per_s)
        print(f"  {one.name:28}{rate:>22}{ratio:>9}{per_s:>20}{speed:>9}{rounds:>10.1f}")
    print(f"  {'mailrace, rate, cold trials':28}{_spread(cold):>22}{_ratio(cold, free.rates):>9}")


def _cold(target: str, blocks: int, folder: Path) -> list[float]:
    """Hit rate of each block of rounds with a fresh process for each."""
    scenario = load(shipped() / "shared-new-tag.race.yaml").model_copy(update={"retry": Retry()})
    options = RaceOptions(rounds=COLD_ROUNDS, profile="rate", seed=1, trial="cold")
    rates, tuner = [], Tuner(1, is_one_party=True)
    server = open_target(target, server_options(scenario), folder=folder)
    journal = Journal(folder / "cold.jsonl")
    try:
        side = Side("target", Plan(scenario, 1, "mrbenchcld"), server, journal, options)
        for block in range(blocks):
            hits = 0
            for number in range(COLD_ROUNDS):
                draw = tuner.draw()
                side.run(block * COLD_ROUNDS + number, draw)
                (one,) = side.judged()
                tuner.learn(draw, hit=one.is_hit)
                hits += one.is_hit
            rates.append(hits / COLD_ROUNDS)
        side.lane.close()
    finally:
        server.stop()
        journal.close()
    return rates


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def _ratio(values: Sequence[float], peer: Sequence[float]) -> str:
    base = statistics.median(peer)
    return f"{statistics.median(values) / base:.2f} ×" if base else "-"
