"""Gives private folders and a ledger of processes; both end with this process.

There are three defences, each for what the one before misses: the owner's own `stop` and `atexit` (success,
failure, Ctrl-C); the watcher process (SIGTERM, SIGKILL of mailrace); and `sweep` at the next start (both were
killed), which takes only folders whose owner's lock is free.
"""

import atexit
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import IO

from mailrace.model.errors import TargetError

PREFIX = "mailrace-"
OWNER = "owner.lock"
SERVER_PID = "server.pid"

_lock = threading.RLock()
_owner_pid = 0
_watcher: "subprocess.Popen[str] | None" = None
_locks: dict[Path, IO[str]] = {}


def private_folder() -> Path:
    """A new folder of ours in the system's temporary one; it vanishes with this process at the latest."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")).resolve()
    except OSError as error:
        raise TargetError(
            f"{tempfile.gettempdir()}: no temporary folder can be made there ({error.strerror}); set TMPDIR"
        ) from error
    with _lock:
        _tell(f"+folder {folder}")
        # Locked before it gets the name that a sweeper looks for, so no sweeper ever finds it free.
        unnamed = folder / "owner.new"
        lock = unnamed.open("w", encoding="utf-8")
        fcntl.flock(lock, fcntl.LOCK_EX)
        unnamed.rename(folder / OWNER)
        _locks[folder] = lock
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder that `private_folder` made; may be called twice."""
    with _lock:
        shutil.rmtree(folder, ignore_errors=True)
        lock = _locks.pop(folder, None)
        if lock is not None:
            lock.close()
            _tell(f"-folder {folder}")


def own(pid: int, folder: Path | None = None) -> None:
    """Have this child killed when we die; `folder` is where a later `sweep` finds its number."""
    with _lock:
        _tell(f"+pid {pid}")
    if folder is not None:
        (folder / f"{SERVER_PID}.{pid}").touch()


def disown(pid: int) -> None:
    """Forget a child; call it before its end is waited for, as its number is free for others afterwards."""
    with _lock:
        _tell(f"-pid {pid}")


@cache
def sweep_once() -> int:
    """`sweep`, the first time in this process; afterwards 0, so that nothing is told twice."""
    return sweep()


def sweep() -> int:
    """Remove folders whose owner is gone, with servers that still run on them; how many there were."""
    swept = 0
    for folder in sorted(Path(tempfile.gettempdir()).resolve().glob(f"{PREFIX}*-*")):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / OWNER).open("r+", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for note in folder.glob(f"{SERVER_PID}.*"):
                    _kill_if_on(folder, note.suffix[1:])
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
        except OSError:
            continue  # Its owner lives, or another sweeper was faster.
    return swept


def _kill_if_on(folder: Path, pid: str) -> None:
    """Kill a server that outlived its owner: only if its command line names the folder."""
    import psutil

    try:
        process = psutil.Process(int(pid))
        if any(str(folder) in word for word in process.cmdline()):
            process.kill()
    except (psutil.Error, ValueError):
        pass


def _tell(order: str) -> None:
    """Write an order to the watcher, starting it if this process (a fork, perhaps) has none yet."""
    global _watcher, _owner_pid
    if _owner_pid != os.getpid():
        _owner_pid, _watcher = os.getpid(), None
        _locks.clear()
    if _watcher is None or _watcher.poll() is not None:
        _watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("watcher.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,
            cwd="/",
        )
        atexit.register(_end, _watcher, os.getpid())
    assert _watcher.stdin is not None
    try:
        _watcher.stdin.write(order + "\n")
        _watcher.stdin.flush()
    except OSError:
        _watcher = None


def _end(watcher: "subprocess.Popen[str]", owner_pid: int) -> None:
    """At our own exit: the watcher cleans up what is left, and we wait for its end."""
    if owner_pid != os.getpid() or watcher.stdin is None:
        return
    try:
        watcher.stdin.close()
        watcher.wait(5)
    except (OSError, subprocess.TimeoutExpired):
        pass
