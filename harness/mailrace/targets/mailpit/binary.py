"""Takes a Mailpit program's path; gives its version, how that is known, and the flags it has."""

import mmap
import os
import re
import subprocess
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mailrace.model.errors import TargetError
from mailrace.model.target import VersionSource
from mailrace.targets.process import clean_environment

ANSWER_S_MAX = 10.0

_SAYS = re.compile(r"\sv?(\d+\.\d+\.\d+|dev) compiled with ")
_FLAG = re.compile(r"^\s+(?:-\w, )?(--[a-z0-9-]+)", re.MULTILINE)
_MODULE = b"\nmod\tgithub.com/axllent/mailpit\t"
_FILE_NAME = re.compile(r"mailpit-v?(\d+\.\d+\.\d+)(?:\.exe)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A Mailpit program. `version` as in `TargetInfo`; `flags` are those of `--help`."""

    path: Path
    version: str
    source: VersionSource
    flags: frozenset[str]


def examine(path: Path) -> Binary:
    """What the program at `path` is; asked once for each file as it stands. Raises TargetError."""
    try:
        state = path.stat()
    except OSError as error:
        raise TargetError(f"mailpit:{path}: cannot be read ({error.strerror})") from error
    if not path.is_file() or not os.access(path, os.X_OK):
        raise TargetError(f"mailpit:{path}: not a program; give an executable file")
    return _examine(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _examine(path: Path, mtime_ns: int, size_bytes: int) -> Binary:
    usage = _answer(path, "--help", whole=True)
    if "mailpit" not in usage.lower() or "--smtp" not in usage:
        raise TargetError(f"mailpit:{path}: answers --help, but not as Mailpit does; is it another program?")
    version, source = _version(path)
    return Binary(path=path, version=version, source=source, flags=frozenset(_FLAG.findall(usage)))


def _version(path: Path) -> tuple[str, VersionSource]:
    said = _SAYS.search(_said(path))
    if said is not None and said[1] != "dev":
        return said[1], VersionSource.ITSELF
    module = build_version(path)
    if module:
        return module, VersionSource.BUILD_INFO
    named = _FILE_NAME.fullmatch(path.name) or _FILE_NAME.fullmatch(path.resolve().name)
    if named is not None:
        return named[1], VersionSource.FILE_NAME
    if said is not None:
        return said[1], VersionSource.NO_VERSION
    return "unknown", VersionSource.UNKNOWN


def _said(path: Path) -> str:
    """Its first line.

    A program without `--no-release-check` then asks the network, which is not waited for.
    """
    known = "--no-release-check" in _answer(path, "version", "--help", whole=True)
    return _answer(path, "version", *(["--no-release-check"] if known else []), whole=False)


def build_version(path: Path) -> str:
    """The module version in a Go program, "" where it is `(devel)` or absent.

    Go writes `mod TAB PATH TAB VERSION` as plain text into every program (runtime/debug.BuildInfo), so no
    Go toolchain is needed to read what `go version -m FILE` prints.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            place = content.find(_MODULE)
            if place < 0:
                return ""
            text = content[place + len(_MODULE) : place + len(_MODULE) + 80]
    except (OSError, ValueError):
        return ""
    found = re.match(rb"v(\d+\.\d+\.\d+)[\t\n]", text)
    return found[1].decode() if found else ""


def _answer(path: Path, *arguments: str, whole: bool) -> str:
    """What the program prints: all of it, or its first line, after which it is ended."""
    try:
        process = subprocess.Popen(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment({}),
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise TargetError(
            f"mailpit:{path}: cannot be started ({error.strerror}); is it a program for this machine?"
        ) from error
    limit = threading.Timer(ANSWER_S_MAX, process.kill)
    limit.start()
    with process:
        assert process.stdout is not None
        text = process.stdout.read(1 << 20) if whole else process.stdout.readline(1 << 16)
        process.kill()
    limit.cancel()
    return text
