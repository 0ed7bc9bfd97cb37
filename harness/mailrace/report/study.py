"""The answer to a question of many runs (gate, matrix, retries) and its page: table, conclusion, proofs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailrace.history.writing import write_whole
from mailrace.model.result import Verdict
from mailrace.report.conclusion import Conclusion
from mailrace.report.page import whole_page


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCell:
    """What one field of the table says. `report`: a link to a run, relative to the page."""

    text: str
    verdict: Verdict | None = None
    report: str = ""

    @property
    def plain(self) -> str:
        """The cell in words, its verdict first."""
        return f"{self.verdict} {self.text}".rstrip() if self.verdict else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What a page and a terminal show of a question of many runs.

    verdict   None where the question has none, such as: which retry policy is best?
    kind      `gate`, `matrix` or `retries`: the name of its files
    rows      the rows of the table, each with as many cells as `header` has names
    details   proofs and notes that stand below the conclusion, a paragraph each
    """

    kind: str
    title: str
    verdict: Verdict | None
    headline: str
    header: tuple[str, ...]
    rows: tuple[tuple[StudyCell, ...], ...]
    told: Conclusion
    command: str
    started: str
    details: Sequence[str] = ()

    @property
    def lines(self) -> list[tuple[str, ...]]:
        """The rows in words."""
        return [tuple(cell.plain for cell in row) for row in self.rows]


def study_page(study: Study) -> str:
    """The page, which links to the runs of its cells beside it."""
    return whole_page("study.html.j2", study=study)


def write_study(study: Study, folder: Path, document: str) -> list[Path]:
    """Write the study's document, and its page beside the runs of its cells; the files."""
    texts = {f"{study.kind}.json": document, f"{study.kind}.html": study_page(study)}
    for name, text in texts.items():
        write_whole(folder / name, text.encode())
    return [folder / name for name in texts]
