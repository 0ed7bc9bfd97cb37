"""Takes words that name versions; gives their targets, and puts targets in order, the oldest first."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mailrace.model.errors import UsageError
from mailrace.targets import EMBEDDED_VERSIONS, TargetName, parse_target, targets_at_hand

_NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def target_of(word: str) -> TargetName:
    """The target that a version's word means: `1.30.5` is mailpit@1.30.5, a target's name is itself."""
    word = word.strip()
    if _NUMBERS.fullmatch(word.removeprefix("v")):
        word = f"mailpit@{word.removeprefix('v')}"
    return parse_target(word)


def targets_of(words: str) -> tuple[TargetName, ...]:
    """The targets of a list with commas, in its order, each once. Raises UsageError where it is empty."""
    found = tuple(dict.fromkeys(target_of(word) for word in words.split(",") if word.strip()))
    if not found:
        raise UsageError("--versions: names none; give some, as in 1.27.11,1.30.5")
    return found


def version_key(target: str) -> tuple[int, int, int]:
    """The key that sorts targets by version; `fixed` is newer than any.

    Raises UsageError without a version.
    """
    if target.endswith("@fixed"):
        return (1 << 30, 0, 0)
    found = _NUMBERS.search(Path(target.removeprefix("mailpit:")).name if ":" in target else target)
    if found is None:
        raise UsageError(f"{target}: its name holds no version; name a file mailpit-VERSION")
    return int(found[1]), int(found[2]), int(found[3])


def in_order(targets: Iterable[str]) -> tuple[str, ...]:
    """The targets by version, oldest first, each version once."""
    known = {version_key(target): target for target in reversed(list(targets))}
    return tuple(known[key] for key in sorted(known))


def between(good: str, bad: str, candidates: Sequence[str]) -> tuple[str, ...]:
    """Both ends and the candidates between them, the oldest first.

    Raises UsageError where both are one version.
    """
    low, high = sorted((good, bad), key=version_key)
    if version_key(low) == version_key(high):
        raise UsageError(f"--good {good} and --bad {bad} are one version; name two")
    inside = [c for c in candidates if version_key(low) < version_key(c) < version_key(high)]
    return in_order([low, *inside, high])


def in_folder(folder: Path) -> tuple[str, ...]:
    """The binaries `mailpit-VERSION` of a folder, as targets. Raises UsageError where there are none."""
    found = [
        f"mailpit:{path}"
        for path in sorted(folder.glob("mailpit-*"))
        if re.fullmatch(r"mailpit-v?\d+\.\d+\.\d+", path.name)
    ]
    if not found:
        raise UsageError(f"--folder {folder}: holds no file mailpit-VERSION, such as mailpit-1.30.5")
    return in_order(found)


def installed(kind: str) -> tuple[str, ...]:
    """The versions that are available without installing: of the embedded reference, or real ones."""
    if kind == "embedded":
        return in_order(f"embedded@{version}" for version in EMBEDDED_VERSIONS)
    return in_order(t.name for t in targets_at_hand() if t.name.startswith("mailpit@"))
