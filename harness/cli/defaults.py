"""What a user has set once: `[tool.mailrace]` of the nearest pyproject.toml, and MAILRACE_TARGET."""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from harness.model.errors import UsageError

KEYS = {
    "target": str,
    "rounds": int,
    "profile": str,
    "confidence": float,
    "gomaxprocs": int,
    "reports": str,
}


@cache
def settings() -> dict[str, Any]:
    """The table's values, checked; {} where there is none. Raises UsageError with file and key."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            return _read(file)
    return {}


def default_target() -> str:
    """MAILRACE_TARGET, else the table's, else the embedded fixed reference."""
    return os.environ.get("MAILRACE_TARGET") or str(settings().get("target", "embedded"))


def _read(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("mailrace", {})
    except (OSError, ValueError) as wrong:
        raise UsageError(f"{file}: cannot be read: {wrong}") from wrong
    for key, value in table.items():
        if key not in KEYS:
            known = ", ".join(sorted(KEYS))
            raise UsageError(f"{file}: tool.mailrace.{key}: no such setting; there are {known}")
        wanted = KEYS[key]
        if not isinstance(value, wanted) and not (wanted is float and isinstance(value, int)):
            raise UsageError(f"{file}: tool.mailrace.{key}: {value!r} is no {wanted.__name__}")
    return dict(table)
