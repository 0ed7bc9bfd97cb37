"""What a run's reports and its refusals print, for tests to run or to compare."""

import json
import shlex
import subprocess
from pathlib import Path

from mailrace.history import contents


def commands_in(folder: Path) -> list[list[str]]:
    """The commands that the reports in this folder print for their witnesses, the first of each run."""
    found = []
    for run in contents(folder).runs:
        document = json.loads((run / "run.json").read_text())
        replays = [w["replay"] for one in document["scenarios"] for w in one["witnesses"]]
        found += [shlex.split(replays[0])[1:]] if replays else []
    return found


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a refusal says: a single sentence on stderr, and exit status 2."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr
