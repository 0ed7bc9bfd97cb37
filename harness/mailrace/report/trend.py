"""Takes the folder of all reports; writes its index page: the trend of each scenario and target."""

from dataclasses import dataclass
from pathlib import Path

from mailrace.history.writing import write_whole
from mailrace.model.errors import UsageError
from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.report.document import from_json, text_of
from mailrace.report.page import whole_page
from mailrace.report.words import legible, rate_words

RUNS_MAX = 200
"""How many of the newest runs are read; the page tells how many older ones there are."""
STUDIES = ("gate", "matrix", "retries")
"""Questions of many runs, each with a page of that name."""
POINTS_MAX = 30
"""A trend shows so many of the newest runs of its scenario and target."""
STEP = 22
HEIGHT = 44


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a scenario: where it is drawn, px, and what it says."""

    x: float
    y: float
    verdict: Verdict
    started: str
    link: str
    seen: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A scenario on a target, its runs from old to new; the drawing's height stands for a rate of 100 %."""

    scenario: str
    target: str
    points: tuple[Point, ...]

    @property
    def width(self) -> int:
        """The drawing's width, px."""
        return max(1, len(self.points)) * STEP + 8

    @property
    def path(self) -> str:
        """The line through the points as SVG path data."""
        return "M" + "L".join(f"{p.x:g} {p.y:g}" for p in self.points)

    @property
    def last(self) -> Point:
        """The newest run."""
        return self.points[-1]


def render_index(reports_folder: Path) -> Path:
    """Write `index.html` into the folder of reports; its path. A run that cannot be read is named there.

    Raises UsageError where there is no such folder.
    """
    if not reports_folder.is_dir():
        raise UsageError(f"{reports_folder}: is no folder of reports; name one that holds runs")
    folders = sorted(
        (
            f
            for f in reports_folder.iterdir()
            if f.is_dir() and not f.is_symlink() and (f / "run.json").exists()
        ),
        key=lambda f: f.name,
        reverse=True,
    )
    # Only the newest `RUNS_MAX` are read, because the page is made anew after each run.
    runs: list[tuple[Path, RunResult]] = []
    unread: list[tuple[str, str]] = []
    for folder in folders[:RUNS_MAX]:
        try:
            runs.append((folder, from_json(text_of(folder / "run.json"))))
        except UsageError as error:
            unread.append((folder.name, legible(str(error))))
    # A trend goes forward in time. The names of folders do not say when, because a user may have chosen them.
    runs.sort(key=lambda run: (run[1].started, run[0].name))
    text = whole_page(
        "index.html.j2",
        studies=_studies(reports_folder),
        trends=trends(runs),
        unread=unread,
        runs=len(runs),
        older=max(0, len(folders) - RUNS_MAX),
    )
    out = reports_folder / "index.html"
    write_whole(out, text.encode("utf-8"))
    return out


def _studies(reports_folder: Path) -> list[tuple[str, str, str]]:
    """(name of the folder, kind, link) of each gate, matrix and retries that has a page, newest first."""
    pages = [page for kind in STUDIES for page in reports_folder.glob(f"*/{kind}.html")]
    pages = [page for page in pages if not page.parent.is_symlink()]
    newest = sorted(pages, key=lambda page: page.parent.name, reverse=True)[:RUNS_MAX]
    return [(page.parent.name, page.stem, f"{page.parent.name}/{page.name}") for page in newest]


def trends(runs: list[tuple[Path, RunResult]]) -> list[Trend]:
    """The runs, old to new, by scenario and target; sorted by both names."""
    grouped: dict[tuple[str, str], list[tuple[Path, RunResult, ScenarioResult]]] = {}
    for folder, run in runs:
        for scenario in run.scenarios:
            grouped.setdefault((scenario.name, run.target.name), []).append((folder, run, scenario))
    return [
        Trend(
            scenario=name,
            target=target,
            points=tuple(
                Point(
                    x=12 + i * STEP,
                    y=round(6 + (HEIGHT - 12) * (1 - _rate(scenario)), 1),
                    verdict=scenario.verdict,
                    started=run.started,
                    link=f"{folder.name}/report.html",
                    seen=rate_words(scenario),
                )
                for i, (folder, run, scenario) in enumerate(found[-POINTS_MAX:])
            ),
        )
        for (name, target), found in sorted(grouped.items())
    ]


def _rate(scenario: ScenarioResult) -> float:
    if scenario.schedules is not None:
        return (
            scenario.schedules.violating / scenario.schedules.classes if scenario.schedules.classes else 0.0
        )
    return scenario.hits / scenario.rounds if scenario.rounds else 0.0
