"""Runs `mailrace` as a person does: a process of its own, in a folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 200


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str


def mailrace(*words: str, folder: Path, **environment: str) -> Ended:
    """Run `mailrace` with those words in `folder`; without the CI's own variables."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    done = subprocess.run(
        [sys.executable, "-c", "from mailrace.cli import main; main()", *words],
        cwd=folder,
        env={**kept, "NO_COLOR": "1", "CI": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
