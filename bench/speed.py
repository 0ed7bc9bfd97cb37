"""Messages a second beside smtp-source, and the share of a run that verifying 2,000 messages takes."""

import shutil
import subprocess
import time
from pathlib import Path

from mailrace.history import Journal
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Target
from mailrace.race.judge import Judge
from mailrace.race.lane import QUIET_S, Lane
from mailrace.race.limits import LIMITS
from mailrace.race.tuner import Tuner
from mailrace.scenario import Plan, load, server_options, shipped
from mailrace.targets import open_target

MESSAGES = 2_000


def measure(target: str, folder: Path) -> None:
    """Print both for one target and each profile, 2 sessions."""
    for profile in QUIET_S:
        server = open_target(target, ServerOptions(), folder=folder)
        journal = Journal(folder / f"speed-{profile}.jsonl")
        try:
            server.start()
            raced_s, verified_s, rounds = _race(server, journal, profile)
            print(f"\n{target}, {MESSAGES} messages in {rounds} rounds of distinct-tags, profile {profile}")
            share = verified_s / (raced_s + verified_s)
            print(f"  verifying: {100 * share:.1f} % of the run; {rounds / raced_s:.0f} rounds/s")
            ours, theirs = MESSAGES / raced_s, _smtp_source(server)
            beside = (
                f"{ours / theirs:.2f} of smtp-source's {theirs:.0f}" if theirs else "smtp-source is missing"
            )
            print(f"  messages a second: {ours:.0f}, {beside} (2 sessions)")
        finally:
            server.stop()
            journal.close()


def _race(server: Target, journal: Journal, profile: str) -> tuple[float, float, int]:
    """Seconds of racing and of verifying, in blocks as a run has them, and the rounds."""
    scenario = load(shipped() / "distinct-tags.race.yaml")
    plan = Plan(scenario, 1, "mrbenchspd")
    lane = Lane("target", plan, server, journal, profile=profile)
    judge = Judge(lane, server_options(scenario), journal)
    rounds = MESSAGES // len(plan.round(0).operations)
    tuner = Tuner(1, is_one_party=True, weighs_time=profile == "throughput")
    raced_s = verified_s = 0.0
    for first in range(0, rounds, LIMITS.block_rounds_last):
        started = time.monotonic()
        until = min(rounds, first + LIMITS.block_rounds_last)
        records = [lane.run(i, tuner.draw()) for i in range(first, until)]
        raced = time.monotonic()
        judge.judge(records)
        raced_s += raced - started
        verified_s += time.monotonic() - raced
    lane.close()
    return raced_s, verified_s, rounds


def _smtp_source(server: Target) -> float:
    """Messages a second of Postfix's smtp-source with 2 sessions; 0 where it is missing."""
    program = shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        return 0.0
    where = f"{server.addresses.smtp_host}:{server.addresses.smtp_port}"
    command = [
        program,
        "-d",
        "-s",
        "2",
        "-m",
        str(MESSAGES),
        "-l",
        "500",
        "-f",
        "a@example.com",
        "-t",
        "b@example.com",
    ]
    started = time.monotonic()
    subprocess.run([*command, where], check=True, timeout=120)
    return MESSAGES / (time.monotonic() - started)
