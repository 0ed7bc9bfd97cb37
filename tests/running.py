"""The command `mailrace` as a process of its own: run to its end, or started and then ended from outside."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil

LIMIT_S = 60.0
COMMAND = [str(Path(sys.executable).with_name("mailrace"))]
TICK = threading.Event()
"""Never set: waiting for it yields the processor between two looks."""


def environment(folder: Path, **changed: str) -> dict[str, str]:
    """The tests' own environment without what would change the command, and temporary files in `folder`."""
    kept = {k: v for k, v in os.environ.items() if k not in ("MAILRACE_TARGET", "CI", "COLUMNS", "NO_COLOR")}
    return {**kept, "TMPDIR": str(folder), **changed}


def mailrace(
    *words: object, cwd: Path, limit_s: float = LIMIT_S, **changed: str
) -> subprocess.CompletedProcess[str]:
    """The command with these words in the folder `cwd`, where its temporary files go too (`cwd/tmp`)."""
    (cwd / "tmp").mkdir(exist_ok=True)
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        cwd=cwd,
        env=environment(cwd / "tmp", **changed),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )


class Running:
    """The command under way in the folder `cwd`; killed at the end of its `with` block, if it still runs."""

    def __init__(self, *words: object, cwd: Path) -> None:
        self.temporary = cwd / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.out, self.err = cwd / "stdout.txt", cwd / "stderr.txt"
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [*COMMAND, *map(str, words)],
                cwd=cwd,
                env=environment(self.temporary),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT_S)

    def family(self) -> list[psutil.Process]:
        """Its children, and theirs, that run now."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def left(self, family: list[psutil.Process]) -> list[psutil.Process]:
        """Those of its family that outlive it by more than the limit."""
        psutil.wait_procs(family, 10.0)
        return [one for one in family if is_alive(one)]


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs: a zombie that waits for a foreign parent does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(happened: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Return once it happened; AssertionError past the limit."""
    ends = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < ends, f"it did not happen within {limit_s:g} s"
        TICK.wait(0.02)
