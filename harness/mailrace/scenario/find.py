"""Takes paths, patterns and names; gives the scenario files that they mean."""

import fnmatch
from collections.abc import Sequence
from pathlib import Path

from mailrace.model.errors import UsageError
from mailrace.model.hints import did_you_mean
from mailrace.scenario.load import SUFFIX

SHIPPED = "shipped"
"""The name that means all scenarios that come with mailrace."""


def shipped() -> Path:
    """The folder of the scenarios that come with mailrace: the checkout's, else the installed copy."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent.parent / "scenarios"
    return checkout if any(checkout.glob(f"*{SUFFIX}")) else package / "shipped"


def find(paths: Sequence[str], pattern: str | None = None) -> tuple[Path, ...]:
    """The scenario files that are meant, each once: files as given, folders by their *.race.yaml, sorted.

    `shipped`, or no path at all, means all that come with mailrace. `pattern` keeps the one of that name,
    else those whose name contains it (`*` and `?` match as in a shell). Raises UsageError with the next step
    where nothing is left.
    """
    found: dict[Path, None] = {}
    for given in paths or [str(shipped())]:
        found.update(dict.fromkeys(_files(given)))
    if pattern is None:
        return tuple(found)
    exact = tuple(path for path in found if name_of(path) == pattern)
    if exact:
        return exact
    wild = pattern if any(c in pattern for c in "*?[") else f"*{pattern}*"
    kept = tuple(path for path in found if fnmatch.fnmatchcase(name_of(path), wild))
    if not kept:
        raise UsageError(
            f"-k {pattern}: no scenario's name holds it{_hint(pattern, [name_of(p) for p in found])}"
        )
    return kept


def _files(given: str) -> list[Path]:
    path = Path(given)
    if given == SHIPPED and not path.exists():
        path = shipped()
    if path.is_dir():
        files = sorted(file for file in path.glob(f"*{SUFFIX}") if file.is_file())
        if not files:
            raise UsageError(
                f"{given}: no *{SUFFIX} in this folder; `mailrace init` writes one to start from"
            )
        return files
    if path.is_file():
        return [path]
    if path.exists():
        raise UsageError(f"{given}: is no regular file; give a scenario file (*{SUFFIX}) or a folder")
    named = resolve(given, Path.cwd())
    if named is not None:
        return [named]
    known = [name_of(p) for p in shipped().glob(f"*{SUFFIX}")]
    raise UsageError(f"{given}: no such file, folder or shipped scenario{_hint(given, known)}")


def _hint(given: str, known: Sequence[str]) -> str:
    there = f"there are: {', '.join(sorted(known))}"
    return did_you_mean(Path(given).name.removesuffix(SUFFIX), known, there)


def name_of(path: Path) -> str:
    """A scenario's name as its file has it."""
    return path.name.removesuffix(SUFFIX)


def resolve(name: str, beside: Path) -> Path | None:
    """The file of a scenario by its name: in the folder of `beside` (a file or a folder), then the shipped.

    None where there is none: a control that is not available is no mistake, and the run tells of it.
    """
    if not name or "/" in name or "\\" in name:
        return None
    folder = beside if beside.is_dir() else beside.parent
    for candidate in (folder / f"{name}{SUFFIX}", shipped() / f"{name}{SUFFIX}"):
        if candidate.is_file():
            return candidate
    return None
