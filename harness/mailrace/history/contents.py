"""Takes a folder; gives which command made it, the runs that it holds, and whether it was cut off."""

import os
from dataclasses import dataclass
from pathlib import Path

from mailrace.history.folder import HISTORY, RECORD, RUN, is_in_use
from mailrace.history.plan import PLAN, RecordedPlan, read_plan
from mailrace.history.reading import has_scenarios
from mailrace.model.choices import Study
from mailrace.model.errors import UsageError

DOCUMENTS: dict[Study, str] = {
    "run": RUN,
    "merge": RUN,
    "gate": "gate.json",
    "matrix": "matrix.json",
    "bisect": "bisect.json",
    "retries": "retries.json",
}
"""The document that each command writes last: where it is missing, the command was cut off."""
DEPTH_MAX = 3
"""How deep below a study's folder runs are looked for; a gate's stand two folders deep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is in a folder that mailrace made.

    runs         the folders of single runs: itself, or those below it, in the order of their names
    is_whole     the command came to its end, and so wrote its document
    is_running   a living process still writes into it
    """

    folder: Path
    study: Study
    plan: RecordedPlan | None
    runs: tuple[Path, ...]
    is_whole: bool
    is_running: bool

    def named(self, runs: tuple[Path, ...] = ()) -> str:
        """The runs as a person would name them: the first in full, a few more by what differs."""
        first, *more = runs or self.runs
        others = [str(run.relative_to(self.folder)) for run in more]
        shown = ", ".join(others[:8]) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
        return f"{first}{f' (or {shown})' if shown else ''}"


def contents(source: Path) -> Contents:
    """What is in that folder; `source` may also be its name under reports/, or a file in it.

    Raises UsageError where there is no such folder, or nothing of mailrace's in it.
    """
    folder = _folder(source)
    if (folder / RECORD).is_file():
        raise UsageError(
            f"{folder}: this is the record of a suite's traffic, and no run; `mailrace report {folder}` "
            f"shows it, and `mailrace steer {folder}/scenarios` looks at the overlaps in it"
        )
    if not (folder / PLAN).is_file() and (folder / RUN).is_file():
        return Contents(
            folder=folder, study="run", plan=None, runs=(folder,), is_whole=True, is_running=False
        )
    plan = read_plan(folder)
    is_whole = (folder / DOCUMENTS[plan.study]).is_file()
    runs: list[Path] = []
    if plan.study in ("run", "merge"):
        runs.append(folder)
    else:
        runs += _below(folder)
        # A gate that races both versions side by side writes into its own history until it is done.
        if not is_whole and has_scenarios(folder / HISTORY):
            runs.append(folder)
    return Contents(
        folder=folder,
        study=plan.study,
        plan=plan,
        runs=tuple(runs),
        is_whole=is_whole,
        is_running=not is_whole and is_in_use(folder),
    )


def record_folder(source: Path) -> Path | None:
    """The folder of a suite's record by that name; None where it is anything else.

    Raises UsageError where there is no such folder.
    """
    folder = _folder(source)
    return folder if (folder / RECORD).is_file() else None


def stands_in(folder: Path, path: Path) -> bool:
    """Whether a path below that folder stands in it, and no link on the way leads elsewhere."""
    return path.resolve() == folder.resolve() / path.relative_to(folder)


def _folder(source: Path) -> Path:
    for folder in (source, Path("reports") / source):
        if folder.is_dir():
            # `latest` is a link that another run may move, so from here on the folder's own name is used.
            real = folder.resolve()
            return folder if real == folder.absolute() else Path(os.path.relpath(real))
    if source.is_file():
        return source.parent
    raise UsageError(f"{source}: is no folder of a run, no bundle, and no name under reports/")


def _below(folder: Path) -> list[Path]:
    """The folders of runs below a study's, by name; a link to another's run is none of its own."""
    found = [
        path.parent
        for depth in range(1, DEPTH_MAX + 1)
        for path in folder.glob("/".join(["*"] * depth + [PLAN]))
        if stands_in(folder, path.parent)
    ]
    return sorted(run for run in found if read_plan(run).study in ("run", "merge"))
