"""Takes a version; gives its Mailpit, installed in the cache: from the release's archive, else built by Go.

Beside `mailpit-VERSION` lies `mailpit-VERSION.json`: where it came from, its digests, whether a published one
was checked, and how its version is known.
"""

import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mailrace.model.errors import TargetError
from mailrace.targets import belongings
from mailrace.targets.mailpit.binary import examine
from mailrace.targets.mailpit.build import build
from mailrace.targets.mailpit.lookup import cache_folder
from mailrace.targets.mailpit.release import Unavailable, download

LOCK_S_MAX = 900.0
LOCK_LOOK_S = 0.2

Progress = Callable[[str], None]


def install(version: str, *, progress: Progress | None = None) -> Path:
    """The program of that version, `1.30.5`, in the cache; installed if it is not there yet.

    Two installations at once wait for each other. Raises TargetError with both reasons where neither the
    release nor Go gives it, and for an archive that is not what it should be.
    """
    say = progress or (lambda sentence: None)
    target = cache_folder() / f"mailpit-{version}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.with_name(target.name + ".lock"), version, say):
            if target.is_file():
                return target
            folder = belongings.private_folder()
            try:
                _put(target, version, *_obtain(version, folder, say))
            finally:
                belongings.remove_folder(folder)
    except OSError as error:
        raise TargetError(
            f"mailpit@{version}: cannot be kept in {target.parent} ({error.strerror or error}); "
            "set MAILRACE_CACHE_DIR to a folder that can be written"
        ) from error
    say(f"mailpit@{version} is in {target}")
    return target


def _obtain(version: str, folder: Path, say: Progress) -> tuple[Path, dict[str, object]]:
    """The program in `folder`, and where it is from."""
    try:
        return download(version, folder, say)
    except Unavailable as reason:
        say(f"no release archive ({reason}); building it with Go, which takes about a minute")
        try:
            return build(version, folder, say), {"from": "go build of github.com/axllent/mailpit"}
        except Unavailable as other:
            raise TargetError(
                f"mailpit@{version}: neither downloaded ({reason}) nor built ({other}); "
                f"put a program of it at $MAILRACE_MAILPIT_DIR/mailpit-{version}"
            ) from other


def _put(target: Path, version: str, program: Path, origin: dict[str, object]) -> None:
    """Check that it is what was asked for, then put it in place in one step."""
    binary = examine(program)
    if binary.source.is_known and binary.version != version:
        raise TargetError(
            f"mailpit@{version}: what came is {binary.version} ({binary.source}); it is not kept"
        )
    record = {
        "version": binary.version,
        "version_source": binary.source.value,
        "installed": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": _sha256(program),
        **origin,
    }
    for stale in target.parent.glob(f".{target.name}.*"):
        stale.unlink()  # Of an installation that was killed; the lock says that none runs.
    new = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy2(program, new)
    new.chmod(0o755)
    note = target.with_name(f".{target.name}.{os.getpid()}.json")
    note.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    note.replace(target.with_name(target.name + ".json"))
    new.replace(target)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def _alone(lock_file: Path, version: str, say: Progress) -> Iterator[None]:
    """Hold the lock of this version between all processes of this machine; it ends with its holder."""
    pause = threading.Event()
    ends = time.monotonic() + LOCK_S_MAX
    with lock_file.open("a", encoding="utf-8") as lock:
        is_first = True
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if is_first:
                    say(f"another process installs mailpit@{version}; waiting for it")
                is_first = False
            if time.monotonic() > ends:
                raise TargetError(
                    f"mailpit@{version}: {lock_file} is held for {LOCK_S_MAX:g} s by another process"
                )
            pause.wait(LOCK_LOOK_S)
        yield
