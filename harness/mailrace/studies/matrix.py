"""Takes scenarios and versions; gives what each showed on each, for terminal, Markdown, JSON and page."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mailrace import __version__
from mailrace.history import (
    HISTORY,
    Contents,
    read_plan,
    read_study,
)
from mailrace.model.errors import TargetError, UsageError
from mailrace.model.request import RunRequest
from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.model.target_name import TargetName
from mailrace.model.time_limit import TimeOver, over_by
from mailrace.report.markdown import prose
from mailrace.report.matrix import Cell, Matrix
from mailrace.report.words import rate_words
from mailrace.run import run as run_scenarios
from mailrace.scenario import Scenario
from mailrace.session import Session
from mailrace.studies.absence import races_of

EMPTY = "not available"
Looking = Callable[[Mapping[str, TargetName], Session], Iterator[tuple[str, RunResult]]]
"""How a campaign's workers look at the columns of a matrix: they take targets by the name of each column's
folder, and give each name with its result."""


@dataclass(frozen=True, slots=True)
class Empty:
    """A column that stays empty, as the journal keeps it: its target, and the reason that its cells show."""

    target: str
    text: str


def cell_of(result: ScenarioResult, report: str) -> Cell:
    """The cell of a result: how many classes violate or how many rounds hit, and which anomalies showed."""
    if result.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILED) or not (result.rounds or result.schedules):
        return Cell(verdict=result.verdict, text=result.reason, report=report, machine=result.machine)
    seen = races_of(result)
    what = f": {', '.join(seen)}" if seen else ""
    text = f"{rate_words(result)}{what}"
    return Cell(verdict=result.verdict, text=text, report=report, anomalies=seen, machine=result.machine)


def run_matrix(
    scenarios: Sequence[Scenario],
    targets: Sequence[TargetName],
    whole: Session,
    *,
    may_install: bool,
    tell: Callable[[str], None],
    lacks: Callable[[TargetName], str],
    look: Looking | None,
) -> Matrix:
    """Run every scenario on every target, each target into a folder of its own.

    The column of a version that is not at hand stays empty and says why. With `may_install` it is installed
    first.

    lacks   why a target cannot be looked at; "" where it can
    look    how the workers of a campaign do it; None: this process looks at one column after the other
    """
    cells: dict[tuple[str, TargetName], Cell] = {}

    def columns() -> Iterator[tuple[str, TargetName]]:
        for number, target in enumerate(targets):
            reason = lacks(target)
            if reason and may_install and target.kind == "mailpit":
                reason = _why_not_installed(target, whole.deadline, tell)
            if not reason:
                yield f"{number:02d}", target
                continue
            # A version that is not available leaves its column empty; the others are looked at all the same.
            tell(f"{target}: {EMPTY}: {reason}")
            empty = Empty(target.text, f"{EMPTY}: {reason}")
            cells.update(_empty(empty, target, [scenario.name for scenario in scenarios]))
            whole.journal.study("empty", asdict(empty))

    def one_by_one() -> Iterator[tuple[str, RunResult]]:
        for under, target in columns():
            part = whole.part(under, whole.request.output.formats, target=target)
            yield under, run_scenarios(scenarios, part, whole.listener).result

    for under, result in look(dict(columns()), whole) if look else one_by_one():
        cells.update(_column(result, targets[int(under)], under))
    names = tuple(scenario.name for scenario in scenarios)
    return Matrix(scenarios=names, targets=tuple(targets), cells=cells)


def matrix_of(found: Contents, results: Mapping[Path, RunResult]) -> Matrix:
    """The table of a matrix's folder, even of one that was cut off: what was not run is an empty cell."""
    plan = found.plan
    if plan is None:
        raise UsageError(f"{found.folder}: has no plan, so its rows and columns are not known")
    names = tuple(one.name for one in plan.scenarios)
    cells: dict[tuple[str, TargetName], Cell] = {}
    for empty in read_study(found.folder / HISTORY, "empty", Empty):
        for target in plan.targets:
            cells.update(_empty(empty, target, names) if target.text == empty.target else {})
    for run, result in results.items():
        cells.update(_column(result, read_plan(run).request.target, run.name))
    return Matrix(scenarios=names, targets=plan.targets, cells=cells)


def about(asked: RunRequest, started: str) -> dict[str, object]:
    """The fields of matrix.json that say how the matrix was made."""
    return {"mode": asked.mode, "seed": asked.seed, "command": asked.command, "started": started}


def _empty(empty: Empty, target: TargetName, names: Iterable[str]) -> dict[tuple[str, TargetName], Cell]:
    return {(name, target): Cell(text=empty.text) for name in names}


def _column(result: RunResult, target: TargetName, under: str) -> dict[tuple[str, TargetName], Cell]:
    return {(one.name, target): cell_of(one, f"{under}/report.html") for one in result.scenarios}


def matrix_json(matrix: Matrix, made: Mapping[str, object]) -> str:
    """The text of matrix.json: rows and columns in order, and every cell; `made` says how."""
    document = {
        "mailrace": __version__,
        **made,
        "scenarios": list(matrix.scenarios),
        "targets": [target.text for target in matrix.targets],
        "cells": [
            {
                "scenario": scenario,
                "target": target.text,
                "verdict": cell.verdict.value if cell.verdict else None,
                "text": cell.text,
                "report": cell.report,
                "anomalies": list(cell.anomalies),
                **({"machine": cell.machine} if cell.machine else {}),
            }
            for scenario in matrix.scenarios
            for target in matrix.targets
            for cell in (matrix.cell(scenario, target),)
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def matrix_markdown(matrix: Matrix) -> str:
    """The text of matrix.md."""
    lines = [
        "| scenario | " + " | ".join(prose(target.text) for target in matrix.targets) + " |",
        "|---|" + "---|" * len(matrix.targets),
    ]
    for scenario in matrix.scenarios:
        cells = [matrix.cell(scenario, target) for target in matrix.targets]
        shown = [f"**{c.verdict}** {prose(c.text)}" if c.verdict else prose(c.text) for c in cells]
        lines.append(f"| {prose(scenario)} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def _why_not_installed(target: TargetName, ends: float | None, tell: Callable[[str], None]) -> str:
    """Install a version before the time is over. "" where that succeeded, else why it did not."""
    from mailrace.targets import install

    try:
        with over_by(ends):
            install(target.version, progress=tell)
    except (TargetError, TimeOver) as wrong:
        return str(wrong) or "the time limit ended its installation"
    return ""
