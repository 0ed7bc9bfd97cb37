"""How long whole commands take on a real Mailpit: steer and gate over all scenarios, and a survey.

Wall seconds hang on what else the machine does. So the processor seconds stand beside them: those of
mailrace and those of the servers together.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from mailrace.scenario import shipped
from mailrace.targets import why_not

OLD, NEW = "mailpit@1.30.5", "mailpit@1.33.1"
STEER_S, GATE_S, SURVEY_S, PAIR_S = 60.0, 90.0, 600.0, 0.6
"""Wanted on two processors that do nothing else; `PAIR_S` is the median of pairs without a bad class."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a command took, and its document."""

    wall_s: float
    cpu_s: float
    document: Any

    def row(self, what: str, wanted_s: float) -> str:
        """One line: the ratio is of the wall seconds to those wanted."""
        ratio = self.wall_s / wanted_s
        return (
            f"  {what:34}{self.wall_s:8.1f} s wall{self.cpu_s:8.1f} s processor{ratio:8.2f} of {wanted_s:g} s"
        )


def measure() -> None:
    """Print a line a command; what is not at hand is left out."""
    lacking = [target for target in (OLD, NEW) if why_not(target)]
    print(f"\nwhole commands, {OLD} and {NEW}")
    if lacking:
        print(f"  left out: {', '.join(lacking)} are not available here")
        return
    scenarios = str(shipped())
    steered = _run("steer", scenarios, "-t", NEW)
    words = [one["verdict"] for one in steered.document["scenarios"]]
    print(steered.row(f"steer, {len(words)} scenarios", STEER_S), flush=True)
    gated = _run("gate", scenarios, "--from", OLD, "--to", NEW, "--mode", "steer")
    print(gated.row(f"gate, steered: {gated.document['verdict']}", GATE_S), flush=True)
    shared = _run("gate", scenarios, "--from", OLD, "--to", NEW, "--mode", "steer", "--workers", "2")
    print(shared.row(f"the same by two workers: {shared.document['verdict']}", GATE_S), flush=True)
    surveyed = _run("survey", "-t", NEW)
    pairs = surveyed.document["pairs"]
    print(surveyed.row(f"survey, {len(pairs)} pairs", SURVEY_S), flush=True)
    clean = statistics.median(pair["seconds"] for pair in pairs if pair["verdict"] == "PASS")
    open_ = sum(pair["verdict"] == "INCONCLUSIVE" for pair in pairs)
    coverage = surveyed.document["coverage"]
    reachable = coverage["predicted"] - len(coverage["unreachable"])
    print(f"  a pair without a bad class, median {clean:16.2f} s{clean / PAIR_S:27.2f} of {PAIR_S:g} s")
    print(f"  {open_} pairs not decided; {coverage['exercised']:,} of {reachable:,} conflicts in both orders")


def _run(*words: str) -> Took:
    """The command as a user gives it, in an empty folder."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mailrace-bench-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "mailrace", *words, "--json", "--quiet"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    wall_s, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(wall_s, cpu_s, json.loads(done.stdout))
