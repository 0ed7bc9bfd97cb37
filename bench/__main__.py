"""`python -m bench [TARGET…] [--blocks N]`: prints what is measured, table by table."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from mailrace.targets import why_not

from bench import campaign, first_hit, memory, native, orders, recording, speed, surveying

TARGETS = ("embedded@1.17.0", "mailpit@1.17.0", "mailpit@1.27.11", "mailpit@1.30.5")
PARTS = ("native", "speed", "memory", "first-hit", "orders", "record", "survey", "campaign")


def main() -> None:
    """Measure what is asked for on every target at hand."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("targets", nargs="*", default=TARGETS)
    options.add_argument("--blocks", type=int, default=7, help="interleaved blocks of each contender")
    options.add_argument("--only", choices=PARTS, help="one part only")
    given = options.parse_args()
    load = " ".join(f"{x:.2f}" for x in os.getloadavg())
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {load}; medians, least to most")
    for target in given.targets:
        reason = why_not(target)
        if reason:
            print(f"\n{target}: left out: {reason}")
            continue
        with tempfile.TemporaryDirectory(prefix="mailrace-bench-") as folder:
            if given.only in (None, "native"):
                native.measure(target, given.blocks, Path(folder))
            if given.only in (None, "speed"):
                speed.measure(target, Path(folder))
    if given.only in (None, "first-hit"):
        with tempfile.TemporaryDirectory(prefix="mailrace-bench-") as folder:
            first_hit.measure(Path(folder))
    if given.only in (None, "orders"):
        orders.measure()
    if given.only in (None, "record"):
        recording.measure()
    if given.only in (None, "survey"):
        surveying.measure()
    if given.only in (None, "campaign"):
        campaign.measure()
    if given.only in (None, "memory"):
        memory.measure("embedded@1.17.0")


if __name__ == "__main__":
    main()
