"""Takes a version; gives the program that Go builds of it in a throw-away module, or says why it cannot."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from mailrace.targets import belongings
from mailrace.targets.mailpit.release import NotToBeHad

MODULE = "github.com/axllent/mailpit"
BUILD_S_MAX = 900.0


def build(version: str, folder: Path) -> Path:
    """The built program in `folder`.

    In a module that requires the version: `go install MODULE@VERSION` also asks for the newest release.
    Checksum verification stays as the user has it.
    """
    go = shutil.which("go")
    if go is None:
        raise NotToBeHad("there is no `go` in PATH; install Go, or put it in PATH")
    module = folder / "module"
    module.mkdir()
    (module / "go.mod").write_text(f"module throwaway\n\nrequire {MODULE} v{version}\n", encoding="utf-8")
    program = folder / "mailpit"
    # Cleared, because a user's `-mod=vendor`, workspace or target machine would change what is built.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GOFLAGS", "GOOS", "GOARCH")
    } | {"GOWORK": "off", "CGO_ENABLED": "0"}
    process = subprocess.Popen(
        [go, "build", "-mod=mod", "-o", str(program), MODULE],
        cwd=module,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    belongings.own(process.pid)
    try:
        _, complaints = process.communicate(timeout=BUILD_S_MAX)
    except subprocess.TimeoutExpired as error:
        raise NotToBeHad(f"Go did not end within {BUILD_S_MAX:g} s") from error
    finally:
        belongings.disown(process.pid)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # Its compilers are in its group.
            process.wait()
    if process.returncode or not program.is_file():
        said = [line for line in complaints.splitlines() if not line.startswith("go: downloading")]
        raise NotToBeHad("Go says: " + " ".join(" ".join(said[-3:]).split())[:500])
    return program
