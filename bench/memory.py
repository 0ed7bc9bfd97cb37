"""Peak memory of `mailrace run` at 1,000 and at 10,000 rounds, each in a process of its own."""

import os
import subprocess
import sys
import tempfile


def measure(target: str) -> None:
    """Print both and their ratio; flat is near 1."""
    peaks = {rounds: _peak_mb(target, rounds) for rounds in (1_000, 10_000)}
    print(f"\npeak memory of mailrace on {target}, shared-new-tag, profile throughput")
    for rounds, peak in peaks.items():
        print(f"  {rounds:>6} rounds: {peak:.0f} MB")
    print(f"  ratio: {peaks[10_000] / peaks[1_000]:.2f}")


def _peak_mb(target: str, rounds: int) -> float:
    with tempfile.TemporaryDirectory(prefix="mailrace-bench-") as folder:
        command = [sys.executable, "-c", "from mailrace.cli import main; main()", "run", "shared-new-tag"]
        options = ["-t", target, "--rounds", str(rounds), "--profile", "throughput", "--no-control"]
        process = subprocess.Popen(
            [*command, *options, "-q", "--out", f"{folder}/run"], stderr=subprocess.DEVNULL
        )
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
