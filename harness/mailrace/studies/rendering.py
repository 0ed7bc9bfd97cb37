"""Takes the folder of any command; renders its reports again, and gives what it found in lines.

Where a command was killed, this is what it had found until then. A race stays a race, and the lines tell what
was no longer looked at.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mailrace.history import Contents
from mailrace.model.phrases import plural
from mailrace.model.result import RunResult
from mailrace.recover import NOT_BEGUN, looked_up
from mailrace.report import render, write_study
from mailrace.studies import matrix, pages, retries
from mailrace.studies.bisect import told
from mailrace.studies.bisect_state import search_of
from mailrace.studies.matrix import matrix_json, matrix_of
from mailrace.studies.retries import retries_json, trials_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What was in a folder: the runs in it by folder, the files written, and the study's own lines."""

    found: Contents
    runs: dict[Path, RunResult]
    files: tuple[Path, ...]
    lines: tuple[str, ...]


def rendered(source: Path, formats: Collection[str]) -> Rendered:
    """Render the reports of every run in that folder, and the study's own document where it was cut off.

    Raises UsageError where there is nothing of ours in the folder.
    """
    found, runs = looked_up(source)
    files = [file for run, result in runs.items() for file in render(result, run, formats)]
    lines = list(_state(found))
    study = None
    if found.plan is not None and found.study == "matrix":
        table, plan = matrix_of(found, runs), found.plan
        study = pages.matrix_study(table, plan.request.command, plan.started)
        document = matrix_json(table, matrix.about(plan.request, plan.started))
    elif found.plan is not None and found.plan.scenarios and found.study == "retries":
        trials, plan = trials_of(runs), found.plan
        name, asked = plan.scenarios[0].name, plan.request
        study = pages.retries_study(trials, asked.target, name, asked.command, plan.started)
        document = retries_json(trials, retries.about(name, asked))
    elif found.study == "bisect" and (search := search_of(found.folder)) is not None:
        lines += told(search)
    # A study that ended has written its own document and page; one that was cut off gets them here.
    if study is not None:
        lines += [study.headline, *study.told.counted]
        files += [] if found.is_whole else write_study(study, found.folder, document)
    if found.study not in ("run", "merge"):
        lines += [line for run, result in runs.items() for line in told_of(found.folder, run, result)]
    return Rendered(found=found, runs=runs, files=tuple(files), lines=tuple(lines))


def told_of(folder: Path, run: Path, result: RunResult) -> list[str]:
    """A line for each scenario of a run that was begun: where its files stand, its verdict and the reason.

    One more line says how many others there are: they were not begun, or a worker has them, who reports a
    scenario only when it is done.
    """
    where = f"{run.relative_to(folder)}: " if run != folder else ""
    begun = [one for one in result.scenarios if not one.reason.startswith(NOT_BEGUN)]
    lines = [f"{where}{one.name}: {one.verdict}: {one.reason}" for one in begun]
    if left := len(result.scenarios) - len(begun):
        lines.append(f"{where}{plural(left, 'scenario')} of which nothing is known yet")
    return lines


def _state(found: Contents) -> tuple[str, ...]:
    if found.is_whole:
        return ()
    if found.is_running:
        return ("it still runs; this is what it has found until now",)
    return ("it was cut off; this is what it had found until then",)
