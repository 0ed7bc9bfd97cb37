"""The command `mailrace` as a process of its own: run to its end, or started and then ended from outside."""

import atexit
import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import mailrace as package
import psutil

LIMIT_S = 200.0
COMMAND = [str(Path(sys.executable).with_name("mailrace"))]
TICK = threading.Event()
"""Never set: waiting for it yields the processor between two looks."""

_HARNESS = Path(package.__file__).parent
_LOADED = [
    ".".join(file.relative_to(_HARNESS.parent).with_suffix("").parts)
    for file in sorted(_HARNESS.rglob("*.py"))
    if "embedded" not in file.parts and not file.name.startswith(("pytest_", "__"))
]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["rich.console", *_LOADED, "tests.running"])


def environment(folder: Path, **changed: str) -> dict[str, str]:
    """The tests' own environment without what would change the command, and temporary files in `folder`."""
    dropped = ("MAILRACE_TARGET", "CI", "COLUMNS", "NO_COLOR")
    kept = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("GITHUB_")}
    return {**kept, "TMPDIR": str(folder), **changed}


def mailrace(
    *words: object, cwd: Path, limit_s: float = LIMIT_S, **changed: str
) -> subprocess.CompletedProcess[str]:
    """The command with these words in the folder `cwd`, where its temporary files go too (`cwd/tmp`).

    It is forked from a process that has our modules loaded, which spares each of some hundred commands 0.7 s
    of a processor. `Running`, and tests/cli where it matters, start the program itself.
    """
    (cwd / "tmp").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as printed:
        out, err = Path(printed) / "stdout", Path(printed) / "stderr"
        given = ([*COMMAND, *map(str, words)], cwd, environment(cwd / "tmp", **changed), (out, err))
        process = _FORKS.Process(target=_command, args=given)
        process.start()
        process.join(limit_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(given[0], limit_s, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(
            given[0], process.exitcode, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
        )


def _command(words: list[str], cwd: Path, environ: dict[str, str], printed: tuple[Path, Path]) -> None:
    """What a forked process does: it becomes what a shell would have started, and runs the command."""
    from mailrace.cli import main

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None
    for number, file in enumerate(printed, 1):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), encoding="utf-8", write_through=True)
        for number in (1, 2)
    )
    sys.argv = words
    try:
        main()
    finally:
        # A forked process ends without what a program does at its end.
        atexit._run_exitfuncs()


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
