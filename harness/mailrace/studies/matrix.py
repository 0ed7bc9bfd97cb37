"""Scenarios and versions in, what each showed on each out: a table for terminal, Markdown, JSON and page."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailrace import __version__
from mailrace.model.errors import TargetError
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.target_name import TargetName
from mailrace.report.markdown import prose
from mailrace.report.matrix import Cell, Matrix
from mailrace.report.words import rate_words
from mailrace.run import run as run_scenarios
from mailrace.scenario import Scenario
from mailrace.session import Session, part_of
from mailrace.studies.absence import races_of
from mailrace.targets import why_not
from mailrace.verdict import gravest

EMPTY = "cannot be had"


@dataclass(frozen=True, slots=True)
class MatrixRun:
    """A table, with the folder that holds it and the runs of its cells."""

    matrix: Matrix
    folder: Path

    @property
    def verdict(self) -> Verdict:
        """The gravest of all cells; a version that cannot be had, asked for, was not looked at."""
        cells = self.matrix.cells.values()
        return gravest(Verdict.INCONCLUSIVE if c.verdict is None else c.verdict for c in cells)


def cell_of(result: ScenarioResult, report: str) -> Cell:
    """A cell: violating classes of all classes, or hits of rounds with interval, and the anomalies."""
    if result.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILED):
        return Cell(verdict=result.verdict, text=result.reason, report=report)
    seen = races_of(result)
    what = f": {', '.join(seen)}" if seen else ""
    return Cell(verdict=result.verdict, text=f"{rate_words(result)}{what}", report=report, anomalies=seen)


def run_matrix(
    scenarios: Sequence[Scenario],
    targets: Sequence[TargetName],
    whole: Session,
    *,
    may_install: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> MatrixRun:
    """Run every scenario on every target, one target after the other, each into a folder of its own.

    A version that is not at hand is a named empty cell, unless `may_install` and it can be installed.
    """
    names = tuple(scenario.name for scenario in scenarios)
    cells: dict[tuple[str, str], Cell] = {}
    for number, target in enumerate(targets):
        reason = why_not(target)
        if reason and may_install and target.kind == "mailpit":
            reason = _installed(target, tell)
        if reason:
            tell(f"{target}: {EMPTY}: {reason}")
            empty = Cell(verdict=None, text=f"{EMPTY}: {reason}")
            cells.update({(name, target.text): empty for name in names})
            continue
        under = f"{number:02d}"
        asked = part_of(whole.request, whole.folder / under, whole.request.output.formats, target=target)
        done = run_scenarios(scenarios, asked, whole.listener)
        for one in done.result.scenarios:
            cells[one.name, target.text] = cell_of(one, f"{under}/report.html")
    texts = tuple(target.text for target in targets)
    return MatrixRun(Matrix(scenarios=names, targets=texts, cells=cells), whole.folder)


def matrix_json(matrix: Matrix, about: Mapping[str, Any]) -> str:
    """The text of matrix.json: rows and columns in order, and every cell; `about` says how it was made."""
    document = {
        "mailrace": __version__,
        **about,
        "scenarios": list(matrix.scenarios),
        "targets": list(matrix.targets),
        "cells": [
            {
                "scenario": scenario,
                "target": target,
                "verdict": cell.verdict.value if cell.verdict else None,
                "text": cell.text,
                "report": cell.report,
                "anomalies": list(cell.anomalies),
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
        "| scenario | " + " | ".join(prose(target) for target in matrix.targets) + " |",
        "|---|" + "---|" * len(matrix.targets),
    ]
    for scenario in matrix.scenarios:
        cells = [matrix.cell(scenario, target) for target in matrix.targets]
        shown = [f"**{c.verdict}** {prose(c.text)}" if c.verdict else prose(c.text) for c in cells]
        lines.append(f"| {prose(scenario)} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def _installed(target: TargetName, tell: Callable[[str], None]) -> str:
    """Install a version; why it could not be, "" if it could."""
    from mailrace.targets import install

    try:
        install(target.version, progress=tell)
    except TargetError as wrong:
        return str(wrong)
    return ""
