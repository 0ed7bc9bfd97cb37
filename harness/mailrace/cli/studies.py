"""`mailrace merge`, `matrix`, `retries`: questions that take many runs."""

import random
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mailrace.cli.app import app
from mailrace.cli.defaults import default_target, settings
from mailrace.cli.gate import Mode, ModeOption
from mailrace.cli.racing import (
    JsonOption,
    NameOption,
    OutOption,
    SeedOption,
    TargetOption,
    default_paths,
)

if TYPE_CHECKING:
    from mailrace.run import RunRequest
    from mailrace.targets import TargetName

ReportsOption = Annotated[bool, typer.Option("--json", help="The table as JSON on stdout, and nothing else.")]


def run_request(
    target: "str | TargetName",
    *,
    seed: int | None,
    rounds: int | None,
    mode: "Literal['race', 'steer']" = "race",
    out: Path | None = None,
) -> "RunRequest":
    """The pattern of a study's runs, with the user's own settings and a seed drawn where none is given.

    A race stops as soon as more rounds can change nothing.
    """
    from mailrace.run import Output, Racing, RunRequest, ServerUse
    from mailrace.targets import parse_target

    set_ = settings()
    return RunRequest(
        target=parse_target(target),
        seed=random.SystemRandom().randrange(1, 1 << 31) if seed is None else seed,
        mode=mode,
        command=shlex.join(["mailrace", *sys.argv[1:]]),
        racing=Racing(
            rounds=rounds or set_.get("rounds"), until="decided", confidence=set_.get("confidence", 0.99)
        ),
        server=ServerUse(gomaxprocs=set_.get("gomaxprocs")),
        output=Output(reports=Path(set_.get("reports", "reports")), out=out),
    )


@app.command()
def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders of runs of one server, e.g. of CI jobs.")],
    theta: Annotated[float, typer.Option(min=0.01, max=100.0, help="Of the rule for PASS.")] = 1 / 3,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Join runs that were split over CI jobs into one, by scenarios or by rounds, and judge the sums."""
    from mailrace.cli.show import outcome
    from mailrace.history import make_latest, new_folder
    from mailrace.model.errors import UsageError
    from mailrace.recorded import write_merged
    from mailrace.recover import result_of
    from mailrace.report import to_json
    from mailrace.studies.merge import merge as merged
    from mailrace.verdict import exit_status

    seen = [one.resolve() for one in folders]
    if len(set(seen)) < len(seen):
        raise UsageError("merge: a folder is named twice; its rounds would count twice")
    result = merged([result_of(folder) for folder in folders], theta=theta)
    reports = Path(settings().get("reports", "reports"))
    folder = new_folder(reports, f"merged-{result.target.name}", out=out)
    write_merged(folder, [one.resolve() for one in folders], result)
    make_latest(folder)
    if as_json:
        print(to_json(result), end="")
    else:
        outcome(result, str(folder), verbose=False)
    raise typer.Exit(exit_status(one.verdict for one in result.scenarios))


@app.command()
def matrix(
    versions: Annotated[
        str, typer.Option(help="By comma: 1.27.11,1.30.5 are real ones; embedded@1.17.0 and paths as well.")
    ] = "embedded@1.17.0,embedded@1.17.1,embedded@1.27.11,embedded@1.30.5,embedded@fixed",
    scenarios: Annotated[
        list[str] | None, typer.Option(help="A scenario file or folder; may be given several times.")
    ] = None,
    name: NameOption = None,
    mode: ModeOption = Mode.auto,
    rounds: Annotated[int | None, typer.Option(min=1, max=50_000, help="Natively, rounds at most.")] = None,
    seed: SeedOption = None,
    install: Annotated[
        bool, typer.Option("--install", help="Install real versions that are not at hand.")
    ] = False,
    out: OutOption = None,
    as_json: ReportsOption = False,
) -> None:
    """Scenarios by versions: violating classes of all, or hits of rounds; a missing version is named."""
    from mailrace.cli.show import Teller, console, styled
    from mailrace.history import make_latest
    from mailrace.history.writing import write_whole
    from mailrace.model.result import Verdict
    from mailrace.report import matrix_page
    from mailrace.scenario import find, load
    from mailrace.session import session
    from mailrace.studies.gating import chosen_mode
    from mailrace.studies.matrix import matrix_json, matrix_markdown, run_matrix
    from mailrace.studies.versions import targets_of
    from mailrace.verdict import EXIT_STATUS

    targets = targets_of(versions)
    loaded = [load(path) for path in find(scenarios or default_paths(), name)]
    how = chosen_mode(*targets, mode=mode.value)
    request = run_request(targets[0], seed=seed, rounds=rounds, mode=how, out=out)
    said, teller = console(), Teller(quiet=as_json)
    what = f"matrix-{len(loaded)}x{len(targets)}"
    try:
        with session(loaded, request, teller, study="matrix", targets=targets, what=what) as whole:
            done = run_matrix(
                loaded,
                targets,
                whole,
                may_install=install,
                tell=(lambda _: None) if as_json else lambda text: said.print(text, markup=False),
            )
    finally:
        teller.close()
    folder = done.folder
    if any(cell.verdict not in (None, Verdict.FAILED) for cell in done.matrix.cells.values()):
        make_latest(folder)
    about = {"mode": how, "seed": request.seed, "command": request.command, "started": whole.started}
    document = matrix_json(done.matrix, about)
    write_whole(folder / "matrix.json", document.encode())
    write_whole(folder / "matrix.md", matrix_markdown(done.matrix).encode())
    page = matrix_page(done.matrix, request.command, whole.started)
    write_whole(folder / "matrix.html", page.encode())
    if as_json:
        print(document, end="")
        raise typer.Exit(int(EXIT_STATUS[done.verdict]))
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("scenario", *done.matrix.targets):
        table.add_column(column, overflow="fold")
    for scenario in done.matrix.scenarios:
        cells = [done.matrix.cell(scenario, target) for target in done.matrix.targets]
        table.add_row(
            scenario,
            *(styled(c.verdict, str(c.verdict), f" {c.text}") if c.verdict else c.text for c in cells),
        )
    said.print()
    said.print(table)
    said.print(f"report: {folder}/matrix.html", markup=False)
    raise typer.Exit(int(EXIT_STATUS[done.verdict]))


@app.command()
def retries(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or a shipped one's name.")],
    target: TargetOption = None,
    rounds: Annotated[int | None, typer.Option(min=1, max=50_000, help="Rounds under each policy.")] = None,
    seed: SeedOption = None,
    out: OutOption = None,
    as_json: ReportsOption = False,
) -> None:
    """Race one scenario under every retry policy, with ignore_duplicate_ids off and on: what is left."""
    from mailrace.cli.show import console
    from mailrace.history import make_latest
    from mailrace.history.writing import write_whole
    from mailrace.scenario import find, load
    from mailrace.session import session
    from mailrace.studies.retries import hidden_duplicates, retries_json, run_retries, sentence
    from mailrace.verdict import ExitStatus

    (path, *_) = find([scenario])
    loaded = load(path)
    request = run_request(default_target() if target is None else target, seed=seed, rounds=rounds, out=out)
    about = {"scenario": loaded.name, "target": request.target.text, "seed": request.seed}
    said = console()
    what = f"retries-{loaded.name}-{request.target}"
    with session([loaded], request, study="retries", what=what) as whole:
        trials = run_retries(
            loaded,
            whole,
            tell=(lambda _: None) if as_json else lambda text: said.print(text, markup=False),
        )
    folder = whole.folder
    if any(t.ledger.mails for t in trials):
        make_latest(folder)
    document = retries_json(trials, about)
    write_whole(folder / "retries.json", document.encode())
    if as_json:
        print(document, end="")
    else:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("policy", "ignore ids", "mails", "refused", "doubled", "lost", "given up", "untagged"):
            table.add_column(column)
        for column in ("extra tries", "seconds"):
            table.add_column(column)
        for t in trials:
            held = t.ledger
            left = (held.doubled, held.lost, held.given_up, held.untagged, held.extra)
            table.add_row(
                t.policy,
                "on" if t.ignore_duplicate_ids else "off",
                *(str(count) for count in (held.mails, held.refused, *left)),
                f"{t.seconds:.1f}",
            )
        said.print(table)
        for text in (sentence(trials), hidden_duplicates(trials), *sorted({t.failed for t in trials})):
            if text:
                said.print(f"\n{text}", markup=False)
        said.print(f"report: {folder}/retries.json", markup=False)
    has_all = all(t.ledger.mails for t in trials)
    raise typer.Exit(int(ExitStatus.PASS if has_all else ExitStatus.INCONCLUSIVE))
