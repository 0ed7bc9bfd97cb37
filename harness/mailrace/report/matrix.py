"""Takes cells of scenario and version; gives them as a table that page, Markdown and terminal share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrace.model.target_name import TargetName
from mailrace.report.study import StudyCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(StudyCell):
    """One scenario on one version; `text` is what was seen (`3 of 85 classes`), or why there is nothing."""

    anomalies: tuple[str, ...] = ()
    """Of weight RACE that were seen there."""
    machine: str = ""
    """Of a campaign: the machine and the worker that looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Rows are scenarios, columns are targets; a cell that was not run is absent."""

    scenarios: tuple[str, ...]
    targets: tuple[TargetName, ...]
    cells: Mapping[tuple[str, TargetName], Cell] = field(default_factory=dict)

    def cell(self, scenario: str, target: TargetName) -> Cell:
        """The cell, or a named empty one."""
        return self.cells.get((scenario, target), Cell(text="not run"))
