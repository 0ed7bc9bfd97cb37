"""The folder of a run: where its files stand, `reports/latest`, who uses it, which old ones are removed."""

import fcntl
import os
import re
import shutil
import time
from pathlib import Path
from typing import IO

from mailrace.history.plan import PLAN
from mailrace.history.regular import read_lines, read_regular
from mailrace.history.writing import make_folder, write_whole, writing
from mailrace.model.errors import UsageError

LATEST = "latest"
HISTORY, RUN = "history.jsonl", "run.json"
RECORD = "record.jsonl"
"""The file of `mailrace record`: a folder that has it holds a suite's traffic, and no run."""
RECORD_DOCUMENT = "record.json"
"""What was seen in such traffic; it is written at the end, and by `mailrace report`."""
_STAMP = re.compile(r"(\d{8}-\d{6})(?:-(\d+))?-")
_RACES = (
    re.compile(rb'"verdict": ?"RACE"'),
    re.compile(rb'"kind":"witness"'),
    re.compile(rb'"kind":"judged","lane":"target","is_race":true'),
)
"""How a document or a history shows that a race was found, whether the run came to its end or not."""
_HAPPENED = re.compile(rb'"happened": ?\[\s*[^\]\s]')
_BARE = (b'{"kind":"result","lane":"","is_failed":true', b'{"kind":"run"')
"""How lines begin in a history in which nothing was looked at: what was planned, and that it failed."""


def new_folder(reports: Path, what: str, *, out: Path | None = None) -> Path:
    """A new folder `reports/<time>-<what>`, or `out` itself.

    `out` must be empty or not there, so that nothing of an earlier run is overwritten. `reports/latest` is
    moved only later (`make_latest`). Where `reports` has to be made, git is told to ignore it.
    Raises UsageError where the folder cannot be made.
    """
    if out is not None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"--out {out}: it holds something already; name a new or an empty folder")
        make_folder("--out", out)
        return out
    if not reports.is_dir():
        # Somebody who adds all files of a project to git does not want our reports among them.
        make_folder("--out", reports)
        write_whole(reports / ".gitignore", b"*\n")
    stamp, name = time.strftime("%Y%m%d-%H%M%S"), re.sub(r"[^A-Za-z0-9.@_-]+", "-", what).strip("-")[:80]
    with writing(reports):
        for number in range(1000):
            folder = reports / (f"{stamp}-{number}-{name}" if number else f"{stamp}-{name}")
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    raise UsageError(f"{reports}: no free folder name; remove some")


def make_latest(folder: Path) -> None:
    """Make `reports/latest` point at this folder of `new_folder`; does nothing for one given by `out`.

    It is called when a server has started and is to be looked at. So a run whose target was not available
    does not take the name from the one before, and a run that is killed later still has it.
    """
    if _STAMP.match(folder.name):
        _point(folder.parent / LATEST, folder)


class InUse:
    """Marks a folder with a plan or a record as in use, until it is let go or this process ends.

    The mark is a lock of the operating system on that file. It needs no cleaning up after a kill, and no
    process ID, which another process may have meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] | None = _marked(folder).open("rb")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.let_go()  # A file system without locks: there `is_in_use` takes every folder for used.

    def let_go(self) -> None:
        """Free it; may be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None


def is_in_use(folder: Path) -> bool:
    """Whether a living process writes into that folder; true also where that cannot be known."""
    try:
        with _marked(folder).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def _marked(folder: Path) -> Path:
    """The file whose lock marks a folder; each folder of ours has one of the two from its beginning."""
    return folder / RECORD if (folder / RECORD).is_file() else folder / PLAN


def has_race(folder: Path) -> bool:
    """Whether a run in that folder, or in a folder below it, found a race; true also if unreadable.

    In a suite's record, what happened and what was steered counts. What is only known about its overlaps from
    elsewhere does not, because that is not lost with the folder.
    """
    if (folder / RECORD).is_file() and not (folder / RECORD_DOCUMENT).is_file():
        return True  # it was cut off, and nobody has read it yet
    for path in (*folder.rglob("*.json"), *folder.rglob(HISTORY)):
        try:
            if path.name == RECORD_DOCUMENT:
                if _HAPPENED.search(read_regular(path)):
                    return True
                continue
            if any(shape.search(line) for line in read_lines(path) for shape in _RACES):
                return True
        except OSError:
            return True
    return False


def remove_bare(folder: Path) -> None:
    """Remove a folder if nothing was looked at in it or below it: no server of the run has ever started."""
    for path in folder.rglob(HISTORY):
        if any(not line.startswith(_BARE) for line in read_lines(path)):
            return
    shutil.rmtree(folder, ignore_errors=True)


def prune(reports: Path, keep: int) -> str:
    """Remove what is older than the newest `keep` runs and records, unless it is in use or holds a RACE.

    What was removed is given back as a sentence; "" where nothing was.

    Only folders that hold a plan or a record of ours are touched. A folder that is dated in the future,
    because some clock was wrong, is neither counted nor removed: each new run would count as older than it.
    Nothing is removed through a link: one that came with a folder may lead to the user's own runs.
    """
    if reports.is_symlink():
        return ""
    now = time.strftime("%Y%m%d-%H%M%S")
    runs = []
    for folder in reports.iterdir():
        stamp = _STAMP.match(folder.name)
        if stamp and stamp[1] <= now and not folder.is_symlink() and _marked(folder).is_file():
            runs.append((stamp[1], int(stamp[2] or 0), folder))
    # The oldest come first, those of one second in the order in which they were made.
    removed = []
    for *_, folder in sorted(runs)[: max(0, len(runs) - keep)]:
        if not is_in_use(folder) and not has_race(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    if not removed:
        return ""
    more = f" and {len(removed) - 3} more" if len(removed) > 3 else ""
    return f"removed {', '.join(removed[:3])}{more}: older than the newest {keep} runs, and without a RACE"


def _point(link: Path, folder: Path) -> None:
    """Point `latest` at the folder, in one step; where the file system has no links it is left out."""
    fresh = link.with_name(f".latest-{os.getpid()}")
    try:
        fresh.symlink_to(folder.name, target_is_directory=True)
        fresh.replace(link)
    except OSError:
        fresh.unlink(missing_ok=True)
