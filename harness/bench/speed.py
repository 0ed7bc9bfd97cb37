"""Messages a second beside smtp-source, and the share of a run that verifying 2,000 messages takes."""

import shutil
import subprocess
import time
from pathlib import Path

from harness.history import Journal
from harness.model.operation import ServerOptions
from harness.model.target import Target
from harness.race.judge import Judge
from harness.race.lane import Lane
from harness.race.tuner import Tuner
from harness.scenario import Plan, load, server_options, shipped
from harness.targets import open_target

MESSAGES = 2_000


def measure(target: str, folder: Path) -> None:
    """Print both for one target, 2 sessions."""
    scenario = load(shipped() / "distinct-tags.race.yaml")
    server = open_target(target, ServerOptions(), folder=folder)
    journal = Journal(folder / "speed.jsonl")
    try:
        server.start()
        plan = Plan(scenario, 1, "mrbenchspd")
        lane = Lane("target", plan, server, journal, profile="throughput")
        judge = Judge(lane, server_options(scenario), journal)
        rounds = MESSAGES // len(plan.round(0).operations)
        tuner = Tuner(1)
        started = time.monotonic()
        records = [lane.run(i, tuner.draw()) for i in range(rounds)]
        raced = time.monotonic()
        judge.judge(records)
        verified = time.monotonic()
        lane.close()
        print(f"\n{target}, {MESSAGES} messages in {rounds} rounds of distinct-tags, profile throughput")
        share = (verified - raced) / (verified - started)
        print(f"  verifying: {100 * share:.1f} % of the run; {rounds / (raced - started):.0f} rounds/s")
        ours = MESSAGES / (raced - started)
        theirs = _smtp_source(server)
        beside = f"{ours / theirs:.2f} of smtp-source's {theirs:.0f}" if theirs else "smtp-source is missing"
        print(f"  messages a second: {ours:.0f}, {beside} (2 sessions)")
    finally:
        server.stop()
        journal.close()


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
