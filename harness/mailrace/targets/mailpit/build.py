"""Takes a version; gives the program that Go builds in a throw-away module, or says why it cannot."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from mailrace.targets import belongings
from mailrace.targets.mailpit.release import Unavailable

MODULE = "github.com/axllent/mailpit"
BUILD_S_MAX = 900.0


SAY_S = 2.0
"""The time between two lines on what Go does."""


def build(version: str, folder: Path, say: Callable[[str], None]) -> Path:
    """The built program in `folder`; `say` is told what Go does meanwhile.

    It is built in a module that requires the version, because `go install MODULE@VERSION` also asks for the
    newest release. Checksum verification stays as the user has it.
    """
    go = shutil.which("go")
    if go is None:
        raise Unavailable("there is no `go` in PATH; install Go, or put it in PATH")
    module = folder / "module"
    module.mkdir()
    (module / "go.mod").write_text(f"module throwaway\n\nrequire {MODULE} v{version}\n", encoding="utf-8")
    program = folder / "mailpit"
    # Cleared, because a user's `-mod=vendor`, workspace or target machine would change what is built.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOFLAGS", "GOOS", "GOARCH")
    } | {"GOWORK": "off", "CGO_ENABLED": "0"}
    process = subprocess.Popen(
        [go, "build", "-v", "-mod=mod", "-o", str(program), MODULE],
        cwd=module,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    belongings.own(process.pid)
    # Its compilers are in its group; a build that hangs is ended, and then its output ends too.
    limit = threading.Timer(BUILD_S_MAX, _end, [process])
    began = time.monotonic()
    limit.start()
    try:
        complaints = _followed(process, say)
        process.wait()
        is_late = time.monotonic() - began >= BUILD_S_MAX
    finally:
        limit.cancel()
        belongings.disown(process.pid)
        _end(process)
        if process.stderr is not None:
            process.stderr.close()
    if is_late:
        raise Unavailable(f"Go did not end within {BUILD_S_MAX:g} s")
    if process.returncode or not program.is_file():
        raise Unavailable("Go says: " + " ".join(" ".join(complaints).split())[:500])
    return program


def _followed(process: subprocess.Popen[str], say: Callable[[str], None]) -> list[str]:
    """Go's last lines that are no progress; what it does is told at once, and then every few seconds."""
    complaints: deque[str] = deque(maxlen=3)
    count, told_at = 0, 0.0
    for line in process.stderr or ():
        text = line.strip()
        is_package = bool(re.fullmatch(r"[\w./~+-]+", text))
        count += is_package
        if not is_package and not text.startswith("go: downloading"):
            complaints.append(text)
        elif time.monotonic() - told_at > SAY_S:
            told_at = time.monotonic()
            say(f"go: {count} packages compiled, now {text}" if is_package else text)
    return list(complaints)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
