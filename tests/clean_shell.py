"""A program in an environment without what is ours: run to its end."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*words: object, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAILRACE_", "PYTHON", "PYTEST_"))}
    return subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env={**kept, **extra},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
