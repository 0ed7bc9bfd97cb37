"""Takes a version; gives its Mailpit program, if one is at hand (docs/targets.md)."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import platformdirs

from mailrace.model.errors import TargetError
from mailrace.model.target_name import TargetName
from mailrace.targets.mailpit.binary import Binary, examine

BIN = "MAILPIT_BIN"
FOLDER = "MAILRACE_MAILPIT_DIR"
CACHE = "MAILRACE_CACHE_DIR"
NOWHERE = Path(os.devnull) / "no-home-folder"
"""The cache of a user without a home folder: nothing is there, and nothing can be put there."""


def cache_folder() -> Path:
    """Where installed programs are kept: `MAILRACE_CACHE_DIR`, else the user's cache folder."""
    try:
        return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("mailrace")) / "mailpit"
    except RuntimeError:
        return NOWHERE / "mailpit"


def find(version: str) -> tuple[Binary | None, str]:
    """The program of that version, or None and why there is none.

    TargetError for a file that is named as the version and tells another one. `MAILPIT_BIN` and PATH promise
    no version, so a program there is passed over where its version is another one. Where its version is
    unknown it is taken from `MAILPIT_BIN`, never from PATH.
    """
    passed: list[str] = []
    for place, path, is_promised in _places(version):
        if not path.is_file():
            passed.append(f"{place} is no file ({path})" if place == BIN else f"not in {place}")
            continue
        binary = examine(path)
        if binary.version == version or (not binary.source.is_known and place != "PATH"):
            return binary, ""
        if is_promised:
            raise TargetError(
                f"mailpit@{version}: {path} is {binary.version} ({binary.source}), not {version}; "
                "rename or remove it"
            )
        passed.append(f"{place} is {binary.version}")
    return None, "; ".join(passed)


def binary_at(path: str) -> Binary:
    """The program at a path, or the one in PATH for a bare name.

    `mailpit` alone means `MAILPIT_BIN`, else the one in PATH, never a file of that name in the folder.
    """
    is_bare = path == "mailpit"
    if is_bare and os.environ.get(BIN):
        path = os.environ[BIN]
    if os.sep not in path and (is_bare or not Path(path).is_file()):
        found = shutil.which(path)
        if found is None:
            raise TargetError(
                f"mailpit:{path}: no such program in PATH; give a path, or mailpit@VERSION to install it"
            )
        path = found
    return examine(Path(os.path.expanduser(path)).absolute())


def programs(targets: Iterable[TargetName]) -> dict[str, str]:
    """SHA-256 of the targets that are programs on this machine's disk; "" for one that cannot be read.

    A path may name another program tomorrow, so results belong to the program and not to its path.
    """
    found = {}
    for target in targets:
        if target.kind == "file":
            found[target.text] = ""
            with suppress(TargetError, OSError):
                found[target.text] = sha256(binary_at(target.path).path.read_bytes()).hexdigest()
    return found


def at_hand() -> Iterator[tuple[str, Binary]]:
    """Every program that needs no installing, with the place it is in; broken ones are left out."""
    paths = [(BIN, Path(os.environ[BIN]))] if os.environ.get(BIN) else []
    folder = os.environ.get(FOLDER)
    if folder:
        paths += [(FOLDER, path) for path in sorted(Path(folder).glob("mailpit-*"))]
    paths += [("the cache", path) for path in sorted(cache_folder().glob("mailpit-*"))]
    in_path = shutil.which("mailpit")
    if in_path:
        paths.append(("PATH", Path(in_path)))
    for place, path in paths:
        if path.suffix in (".json", ".lock"):
            continue
        try:
            yield place, examine(path)
        except TargetError:
            continue


def _places(version: str) -> Iterator[tuple[str, Path, bool]]:
    if os.environ.get(BIN):
        yield BIN, Path(os.path.expanduser(os.environ[BIN])).absolute(), False
    if os.environ.get(FOLDER):
        yield FOLDER, Path(os.path.expanduser(os.environ[FOLDER]), f"mailpit-{version}").absolute(), True
    yield "the cache", cache_folder() / f"mailpit-{version}", True
    in_path = shutil.which("mailpit")
    if in_path:
        yield "PATH", Path(in_path).absolute(), False
