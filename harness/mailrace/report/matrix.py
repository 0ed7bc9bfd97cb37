"""The table of scenarios by versions that page, Markdown and terminal show."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrace.model.target_name import TargetName
from mailrace.report.study import StudyCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(StudyCell):
    """One scenario on one version; `text` is what was seen (`3 of 85 classes`), or why there is nothing."""

    anomalies: tuple[str, ...] = ()
    """Those of weight RACE that were seen there."""
    machine: str = ""
    """In a campaign: the machine and the worker that looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Rows are scenarios, columns are targets; a cell that was not run is absent."""

    scenarios: tuple[str, ...]
    targets: tuple[TargetName, ...]
    cells: Mapping[tuple[str, TargetName], Cell] = field(default_factory=dict)

    def cell(self, scenario: str, target: TargetName) -> Cell:
        """The cell; where there is none, an empty one that says so."""
        return self.cells.get((scenario, target), Cell(text="not run"))
