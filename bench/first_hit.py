"""Tries and seconds to the first hit: `free`, ours natively without and with decoys, and steer."""

import statistics
import time
from pathlib import Path

from mailrace.history import Journal
from mailrace.model.request import Steering
from mailrace.race.judge import Judge
from mailrace.race.lane import Lane
from mailrace.race.tuner import DECOYS, Draw, Tuner, is_one_party
from mailrace.scenario import Plan, Scenario, load, server_options, shipped
from mailrace.scenario.scenario import Retry
from mailrace.steer import SteerRequest, steer
from mailrace.targets import open_target, parse_target, why_not

ROUNDS_MAX = 300
SECONDS_MAX = 10.0
"""Of one try natively, whichever comes first; of realising, where it is steered."""
REPEATS = 3
BLOCK_ROUNDS = 5
RACES = (
    ("S1", "shared-new-tag", "rejected_but_stored", ("mailpit@1.17.0", "embedded@1.17.0")),
    ("S2", "send-delete-last-holder", "rejected_but_stored", ("mailpit@1.30.5",)),
    ("S2, unrelated", "send-delete-unrelated", "rejected_but_stored", ("mailpit@1.30.5",)),
    ("S3", "send-delete-unrelated", "tag_lost", ("mailpit@1.27.11", "mailpit@1.30.5")),
    ("S6", "same-message-id-small", "duplicated", ("mailpit@1.27.11", "mailpit@1.30.5")),
    ("S7", "two-tag-sets", "tag_duplicated", ("mailpit@1.27.11", "mailpit@1.30.5")),
)

Tried = tuple[int, float] | None
"""Rounds and seconds to the first hit; None: none within the limit."""


def measure(folder: Path) -> None:
    """Print the table for every race whose target is at hand; a server of its own for each try."""
    print(
        f"\ntries / seconds to the first hit, medians of {REPEATS}; natively a try is a round, and "
        f"{ROUNDS_MAX} of them or {SECONDS_MAX:.0f} s end it; (k of {REPEATS}): so many hit at all"
    )
    print(f"  {'':16}{'':18}{'free':>16}{'ours, no decoys':>18}{'ours, decoys':>16}{'steer':>16}")
    for label, name, anomaly, targets in RACES:
        for target in targets:
            if why_not(parse_target(target).text):
                continue
            scenario = load(shipped() / f"{name}.race.yaml").model_copy(update={"retry": Retry()})
            tried: list[list[Tried]] = [[], [], [], []]
            for number in range(REPEATS):
                tried[0].append(_natively(scenario, target, anomaly, number, folder, at="free"))
                tried[1].append(_natively(scenario, target, anomaly, number, folder, decoys=0))
                tried[2].append(_natively(scenario, target, anomaly, number, folder, decoys=DECOYS))
                tried[3].append(_steered(scenario, target, anomaly, number))
            shown = [_median(one) for one in tried]
            print(
                f"  {label:16}{target:18}{shown[0]:>16}{shown[1]:>18}{shown[2]:>16}{shown[3]:>16}", flush=True
            )


def _natively(
    scenario: Scenario, target: str, anomaly: str, number: int, folder: Path, *, at: str = "", decoys: int = 0
) -> Tried:
    server = open_target(target, server_options(scenario), folder=folder)
    journal = Journal(folder / "first.jsonl")
    try:
        server.start()
        lane = Lane(
            "target", Plan(scenario, number, f"mrfirst{number:03d}"), server, journal, profile="rate", at=at
        )
        judge = Judge(lane, server_options(scenario), journal)
        tuner = Tuner(number, is_one_party=is_one_party(lane.plan.round(0).operations))
        started = time.monotonic()
        for first in range(0, ROUNDS_MAX, BLOCK_ROUNDS):
            if time.monotonic() - started > SECONDS_MAX:
                break
            draws = [_with_decoys(tuner.draw(), decoys) for _ in range(BLOCK_ROUNDS)]
            judged = judge.judge([lane.run(first + i, draw) for i, draw in enumerate(draws)])
            for place, (draw, one) in enumerate(zip(draws, judged, strict=True)):
                tuner.learn(draw, hit=one.is_hit)
                if any(a.name == anomaly for a in one.anomalies):
                    lane.close()
                    return first + place + 1, time.monotonic() - started
        lane.close()
        return None
    finally:
        server.stop()
        journal.close()


def _with_decoys(draw: Draw, decoys: int) -> Draw:
    return Draw(shift_us=draw.shift_us, jitter=draw.jitter, decoys=decoys, arm=draw.arm)


def _steered(scenario: Scenario, target: str, anomaly: str, number: int) -> Tried:
    """Tries of the realisation, and seconds of it all: start, exploring, locks, one class of each anomaly."""
    started = time.monotonic()
    result = steer(
        scenario,
        target,
        SteerRequest(seed=number, realise_s_max=SECONDS_MAX, steering=Steering(one_of_each="anomaly")),
    )
    tries = [w.schedule.tries for w in result.witnesses if w.schedule and w.anomaly.name == anomaly]
    return (min(tries), time.monotonic() - started) if tries else None


def _median(tried: list[Tried]) -> str:
    hits = [one for one in tried if one is not None]
    if not hits:
        return "none"
    rounds = statistics.median(one[0] for one in hits)
    seconds = statistics.median(one[1] for one in hits)
    missed = f" ({len(hits)} of {len(tried)})" if len(hits) < len(tried) else ""
    return f"{rounds:.0f} / {seconds:.1f} s{missed}"
