"""What a user has set once and for all: `[tool.mailrace]` of the nearest pyproject.toml, and MAILRACE_TARGET.

The file may have come with a stranger's folder. So it may start no program, reach no address, and name no
folder elsewhere, because old runs are removed there. A command line and the environment are the user's own.
"""

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from mailrace.model.choices import CONFIDENCE_MAX, CONFIDENCE_MIN, GOMAXPROCS_MAX, ROUNDS_MAX, Profile
from mailrace.model.errors import UsageError
from mailrace.model.target_name import is_by_version

FILE_BYTES_MAX = 4 * 1024 * 1024


def _is_below(folder: str) -> bool:
    """Whether it is below the folder in which the command is called, wherever links on the way lead."""
    path = Path(folder)
    if not folder or not folder.isprintable() or path.is_absolute() or ".." in path.parts:
        return False
    return path.resolve().is_relative_to(Path.cwd())


WillDo = Callable[[Any], bool]


def _from(least: float, most: float) -> tuple[WillDo, str]:
    """Whether a number lies in that range, and the range in words."""
    return lambda value: least <= value <= most, f"{least} to {most}"


KEYS: dict[str, tuple[type, WillDo, str]] = {
    "target": (str, bool, "a target's name"),
    "rounds": (int, *_from(1, ROUNDS_MAX)),
    "profile": (str, lambda value: value in get_args(Profile), " or ".join(get_args(Profile))),
    "confidence": (float, *_from(CONFIDENCE_MIN, CONFIDENCE_MAX)),
    "gomaxprocs": (int, *_from(1, GOMAXPROCS_MAX)),
    "reports": (str, _is_below, "a folder below this one; another is named for each run with --out"),
    "keep": (int, *_from(1, 100_000)),
}
"""By setting: its type, whether a value is right, and what is wanted, as in the options of `run`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of the table; None for what it does not set. `file`: where it stands."""

    file: Path | None = None

    target: str | None = None
    rounds: int | None = None
    profile: Profile | None = None
    confidence: float | None = None
    gomaxprocs: int | None = None
    reports: str = "reports"
    keep: int | None = None


@cache
def settings() -> Settings:
    """The table's values, checked. Raises UsageError with file and key."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            return _read(file)
    return Settings()


def default_target() -> str:
    """MAILRACE_TARGET; without it the target of the table; without that the fixed embedded reference.

    Raises UsageError where the table names a program or an address. That hinders nobody who names a target.
    """
    if named := os.environ.get("MAILRACE_TARGET"):
        return named
    target = settings().target or "embedded"
    if target.strip() != "mailpit" and not is_by_version(target):
        raise UsageError(
            f"{settings().file}: tool.mailrace.target: {target!r:.200}: a file that may have come with a "
            "folder starts no program, reaches no address; wanted embedded[@VERSION] or mailpit[@VERSION]; "
            "if you mean it, name it yourself: --target, or MAILRACE_TARGET in the environment"
        )
    return target


def _read(file: Path) -> Settings:
    from mailrace.history import read_regular

    try:
        tools = tomllib.loads(read_regular(file.resolve(), FILE_BYTES_MAX).decode("utf-8")).get("tool", {})
    except (OSError, ValueError, RecursionError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else wrong
        raise UsageError(f"{file}: cannot be read: {why}") from wrong
    table = tools.get("mailrace", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{file}: tool.mailrace: {table!r:.60}; wanted a table, [tool.mailrace]")
    for key, value in table.items():
        if key not in KEYS:
            known = ", ".join(sorted(KEYS))
            raise UsageError(f"{file}: tool.mailrace.{key}: no such setting; there are {known}")
        kind, will_do, wanted = KEYS[key]
        is_kind = type(value) in ((float, int) if kind is float else (kind,))
        if not is_kind or not will_do(value):
            raise UsageError(f"{file}: tool.mailrace.{key}: {value!r:.200}; wanted {wanted}")
    return Settings(file=file, **table)
