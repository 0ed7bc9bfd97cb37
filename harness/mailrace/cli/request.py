"""Takes what a person has typed; gives one frozen request, and the scenarios that it is about."""

import random
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailrace.cli.defaults import default_target, settings
from mailrace.model.phrases import plural

if TYPE_CHECKING:
    from mailrace.model.choices import Mode
    from mailrace.model.request import Part, Racing, RunRequest, ServerUse
    from mailrace.scenario import Scenario
    from mailrace.scenario.load import Reach
    from mailrace.targets import TargetName

OWN = "scenarios"
"""The folder in which scenarios are looked for where none is named."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How much a command says: its document only, its verdict only, or all; `verbose`: every proof too."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """The scenarios that are meant, and the set in words: `22 shipped scenarios`."""

    scenarios: "tuple[Scenario, ...]"
    said: str


def files_of(
    paths: Sequence[str] | None, name: str | None = None, *, with_shipped: bool = False
) -> list[Path]:
    """The files of the scenarios that are named; else those of `scenarios/`; else the shipped ones.

    with_shipped   for a question about versions: the shipped ones are always looked at, beside the user's
                   own. So the answer does not become easier once a user writes a first scenario
    """
    from mailrace.scenario import SHIPPED, find

    if paths:
        return list(find(paths, name))
    own = any(Path(OWN).glob("*.race.yaml"))
    named = [OWN, SHIPPED] if own and with_shipped else [OWN] if own else [SHIPPED]
    by_name: dict[str, Path] = {}
    for path in find(named, name):
        by_name.setdefault(path.name, path)  # a user's own one replaces the shipped one of the same name
    return list(by_name.values())


def file_of(given: str) -> Path:
    """The one scenario file that is meant.

    Raises UsageError for several, because only one would be looked at.
    """
    from mailrace.model.errors import UsageError
    from mailrace.report.words import names_words
    from mailrace.scenario import find, name_of

    first, *more = find([given])
    if more:
        names = names_words(name_of(path) for path in (first, *more))
        raise UsageError(f"{given}: holds {len(more) + 1} scenarios, and one is looked at; name it: {names}")
    return first


def chosen(
    paths: Sequence[str] | None,
    name: str | None = None,
    *,
    with_shipped: bool = False,
    allow_outside: bool = False,
) -> Chosen:
    """The scenarios of `files_of`, read and checked, and the set in words.

    allow_outside   they may send files from outside of their folder, and name any target as a control
    """
    from mailrace.scenario import load, shipped

    files = files_of(paths, name, with_shipped=with_shipped)
    ours = sum(path.resolve().parent == shipped() for path in files)
    theirs = len(files) - ours
    where = "" if paths else f" of {OWN}/"
    parts = [plural(ours, "shipped scenario")] if ours else []
    parts += [f"{plural(theirs, 'own scenario' if ours else 'scenario')}{where}"] if theirs else []
    reach: Reach = "anywhere" if allow_outside else "folder"
    return Chosen(tuple(load(path, reach) for path in files), " and ".join(parts))


def asked(
    target: "str | TargetName | None",
    *parts: "Part",
    seed: int | None = None,
    out: Path | None = None,
    time_limit_s: float | None,
    mode: "Mode" = "race",
) -> "RunRequest":
    """The request: the target that is named or set, the parts, and a seed, which is drawn if none is given.

    The time limit of the command begins now.
    """
    from mailrace.model.request import KEPT, Output, RunRequest

    reports = Path(settings().reports)
    return RunRequest.of(
        default_target() if target is None else target,
        *parts,
        Output(reports=reports, out=out, keep=settings().keep or KEPT),
        seed=random.SystemRandom().randrange(1, 1 << 31) if seed is None else seed,
        command=shlex.join(["mailrace", *sys.argv[1:]]).encode("utf-8", "backslashreplace").decode(),
        time_limit_s=time_limit_s,
        ends=None if time_limit_s is None else time.monotonic() + time_limit_s,
        mode=mode,
    )


def racing(*, rounds: int | None, confidence: float | None = None, **own: Any) -> "Racing":
    """How to race, with the user's own settings where an option is not given."""
    from mailrace.model.request import Racing

    set_ = settings()
    return Racing(
        rounds=set_.rounds if rounds is None else rounds,
        confidence=confidence or set_.confidence or 0.99,
        **own,
    )


def server_use(gomaxprocs: int | None = None, **own: bool) -> "ServerUse":
    """How a server is used, with the user's own settings where an option is not given."""
    from mailrace.model.request import ServerUse

    return ServerUse(gomaxprocs=settings().gomaxprocs if gomaxprocs is None else gomaxprocs, **own)
