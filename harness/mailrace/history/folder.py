"""The folder of a run: where its files stand, `reports/latest`, and how many old ones are kept."""

import json
import os
import re
import shutil
import time
from pathlib import Path

from mailrace.history.plan import PLAN
from mailrace.model.errors import UsageError

KEPT = 50
LATEST = "latest"
HISTORY, RUN = "history.jsonl", "run.json"
_STAMP = re.compile(r"\d{8}-\d{6}(-\d+)?-")


def new_folder(reports: Path, what: str, *, out: Path | None = None) -> Path:
    """A new folder `reports/<time>-<what>`, or `out` itself.

    `out` must be empty or not there: nothing of an earlier run is overwritten. `reports/latest` is not moved
    yet (`make_latest` does), unless what it leads to looked at nothing.
    """
    if out is not None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"--out {out}: it holds something already; name a new or an empty folder")
        _make(out)
        return out
    _make(reports)
    stamp, name = time.strftime("%Y%m%d-%H%M%S"), re.sub(r"[^A-Za-z0-9.@_-]+", "-", what).strip("-")[:80]
    for number in range(1000):
        folder = reports / (f"{stamp}-{number}-{name}" if number else f"{stamp}-{name}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        if not _looked_at_something(reports / LATEST):
            make_latest(folder)
        _prune(reports)
        return folder
    raise UsageError(f"{reports}: no free folder name; remove some")


def make_latest(folder: Path) -> None:
    """From now on `reports/latest` is this folder of `new_folder`; nothing happens for one given by `out`.

    Called once a server has started and is to be looked at, so that a run whose target could not be had
    does not take the name from the one before, and a run that is killed later still has it.
    """
    if _STAMP.match(folder.name):
        _point(folder.parent / LATEST, folder)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made ({error.strerror}); name another with --out") from error


def _looked_at_something(folder: Path) -> bool:
    """Whether a run's folder is there, and not one of a run all of whose scenarios failed at once."""
    if not folder.is_dir():
        return False
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
        seen = [(one["verdict"] != "FAILED", one["rounds"], one["schedules"]) for one in run["scenarios"]]
    except (OSError, ValueError, LookupError, TypeError):
        return True  # A study, or a run that goes on or was killed.
    return any(any(one) for one in seen)


def _point(link: Path, folder: Path) -> None:
    """Point `latest` at the folder, in one step; where links cannot be had it is left out."""
    fresh = link.with_name(f".latest-{os.getpid()}")
    try:
        fresh.symlink_to(folder.name, target_is_directory=True)
        fresh.replace(link)
    except OSError:
        fresh.unlink(missing_ok=True)


def _prune(reports: Path) -> None:
    """Keep the newest runs; only folders that hold a plan of ours are ever removed."""
    runs = sorted(
        (f for f in reports.iterdir() if f.is_dir() and not f.is_symlink() and _STAMP.match(f.name)),
        key=lambda f: f.name,
    )
    for old in runs[:-KEPT]:
        if (old / PLAN).is_file():
            shutil.rmtree(old, ignore_errors=True)
