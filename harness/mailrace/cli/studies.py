"""`mailrace merge`, `matrix`, `retries`: questions that take many runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.campaign import (
    Asked,
    ShareOption,
    StateOption,
    WorkersOption,
    columns_by,
    with_workers,
)
from mailrace.cli.defaults import settings
from mailrace.cli.request import Manner, asked, chosen, file_of, racing, server_use

if TYPE_CHECKING:
    from mailrace.cli.request import Chosen
    from mailrace.report import Study
    from mailrace.report.matrix import Matrix
    from mailrace.session import Session

VersionsOption = Annotated[
    str,
    options.look_option(
        metavar="VERSION,…",
        show_default="the embedded ones",
        help="By comma: 1.27.11,1.30.5 are real ones; embedded@1.17.0 and mailpit:PATH as well.",
    ),
]
ScenariosOption = Annotated[
    list[str] | None,
    options.look_option(
        metavar="SCENARIO",
        help="A scenario's file, folder or name; may be given several times; default: the shipped ones and "
        "those of scenarios/.",
    ),
]
InstallOption = Annotated[
    bool, options.look_option("--install", help="Install real versions that are not at hand.")
]
EMBEDDED = "embedded@1.17.0,embedded@1.17.1,embedded@1.27.11,embedded@1.30.5,embedded@1.33.1,embedded@fixed"


@command
def merge(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER", help="Folders of runs of one server, as of CI jobs.")
    ],
    theta: options.ThetaOption = 1 / 3,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Join runs that were split over CI jobs into one, by scenarios or by rounds, and judge the sums."""
    from mailrace.cli.show import outcome, write_json
    from mailrace.history import make_latest, new_folder, read_plan
    from mailrace.model.errors import UsageError
    from mailrace.model.result import Rule
    from mailrace.recorded import write_merged
    from mailrace.recover import result_of, run_of
    from mailrace.report import to_json
    from mailrace.studies.merge import merge as merged
    from mailrace.verdict import exit_status

    seen = [os.path.realpath(one) for one in folders]
    if len(set(seen)) < len(seen):
        raise UsageError("merge: a folder is named twice; its rounds would count twice")
    runs = [run_of(folder) for folder in folders]
    # Where none is asked for, the strictest theta of the runs holds.
    result = merged([result_of(run) for run in runs], theta=None if theta == Rule().theta else theta)
    for run in runs:
        read_plan(run)  # each plan is needed, and a missing one is told before a folder is made
    folder = new_folder(Path(settings().reports), f"merged-{result.target.name}", out=out)
    write_merged(folder, [run.resolve() for run in runs], result)
    make_latest(folder)
    if as_json:
        write_json(to_json(result))
    else:
        outcome(result, folder)
    raise typer.Exit(exit_status(one.verdict for one in result.scenarios))


@command
def matrix(
    versions: VersionsOption = EMBEDDED,
    scenarios: ScenariosOption = None,
    name: options.NameOption = None,
    mode: options.ModeOption = "auto",
    seed: options.SeedOption = None,
    install: InstallOption = False,
    rounds: options.RoundsOption = None,
    time_limit: options.TimeLimitOption = None,
    allow_outside: options.OutsideOption = False,
    workers: WorkersOption = None,
    share_machine: ShareOption = False,
    state: StateOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Look at each scenario on each of several versions; a version that is not at hand is named."""
    from mailrace.cli.progress import Teller
    from mailrace.preflight import chosen_mode, preflight
    from mailrace.session import session
    from mailrace.studies.matrix import run_matrix
    from mailrace.studies.versions import targets_of
    from mailrace.targets import why_not

    targets = targets_of(versions)
    what = chosen(scenarios, name, with_shipped=True, allow_outside=allow_outside)
    how = chosen_mode(*targets, mode=mode)
    racing_ = racing(rounds=rounds, until="decided")
    by = Asked(workers, state, share=share_machine).of(*targets)
    seed = by.seed(seed)
    request = asked(targets[0], racing_, server_use(), seed=seed, out=out, mode=how, time_limit_s=time_limit)
    with Teller(scenarios=len(what.scenarios) * len(targets), quiet=as_json) as teller:
        teller.note(f"{what.said} on {len(targets)} targets, seed {request.seed}")
        folder_name = f"matrix-{len(what.scenarios)}x{len(targets)}"
        # A version that is not at hand is an empty column, so only the others are asked for here.
        at_hand = [target for target in targets if not by.are_elsewhere and not why_not(target)]
        for sentence in preflight(what.scenarios, request, at_hand) if at_hand else ():
            teller.note(sentence)
        session_ = session(what.scenarios, request, teller, study="matrix", targets=targets, what=folder_name)
        with session_ as whole, by.open(teller) as campaign:
            look, lacks = columns_by(campaign, what.scenarios), by.lacks(why_not)
            done = run_matrix(
                what.scenarios, targets, whole, may_install=install, tell=teller.note, lacks=lacks, look=look
            )
    _finish_matrix(done, whole, what, Manner(as_json))


def _finish_matrix(done: "Matrix", whole: "Session", what: "Chosen", manner: Manner) -> None:
    """Write a matrix and its pages, and print it as asked; raises typer.Exit with the status."""
    from mailrace.history import make_latest
    from mailrace.history.writing import write_whole
    from mailrace.studies.matrix import about, matrix_json, matrix_markdown
    from mailrace.studies.pages import matrix_study

    request = whole.request
    document = matrix_json(done, {**about(request, whole.started), **whole.extra})
    if whole.folder.is_dir():
        write_whole(whole.folder / "matrix.md", matrix_markdown(done).encode())
    if any(cell.verdict not in (None, "FAILED") for cell in done.cells.values()):
        make_latest(whole.folder)
    study = matrix_study(done, request.command, whole.started, what.scenarios)
    study = with_workers(study, whole.extra.get("workers", ""))
    finish_study(study, whole.folder, document, manner)


@command
def retries(
    scenario: options.OneScenario,
    target: options.TargetOption = None,
    seed: options.SeedOption = None,
    rounds: options.RoundsOption = None,
    time_limit: options.TimeLimitOption = None,
    allow_outside: options.OutsideOption = False,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Race one scenario under each retry policy, and say which of them loses and doubles nothing."""
    from mailrace.cli.progress import Teller
    from mailrace.history import make_latest
    from mailrace.preflight import preflight
    from mailrace.scenario import load
    from mailrace.session import session
    from mailrace.studies.pages import retries_study
    from mailrace.studies.retries import POLICIES, about, require_laboratory, retries_json, run_retries

    loaded = load(file_of(scenario), "anywhere" if allow_outside else "folder")
    how = racing(rounds=rounds, until="decided")
    request = asked(target, how, server_use(), seed=seed, out=out, time_limit_s=time_limit)
    require_laboratory(loaded, request.target)
    with Teller(scenarios=2 * len(POLICIES), quiet=as_json) as teller:
        what = f"retries-{loaded.name}-{request.target}"
        for sentence in preflight([loaded], request.without_control()):
            teller.note(sentence)
        with session([loaded], request, teller, study="retries", what=what) as whole:
            trials = run_retries(loaded, whole, tell=teller.note)
    # The servers are stopped, and the terminal is free again. Now the result is written and printed.
    if any(trial.ledger.mails for trial in trials):
        make_latest(whole.folder)
    document = retries_json(trials, about(loaded.name, request))
    study = retries_study(trials, request.target, scenario, request.command, whole.started, loaded)
    finish_study(study, whole.folder, document, Manner(as_json))


def finish_study(study: "Study", folder: Path, document: str, manner: Manner) -> None:
    """Write a study's document and page, print it as asked, and raise typer.Exit with its status."""
    from mailrace.cli.show import renew_index, show_study, write_json
    from mailrace.model.result import Verdict
    from mailrace.report import write_study
    from mailrace.verdict import EXIT_STATUS

    if folder.is_dir():  # it was removed if no server was available
        write_study(study, folder, document)
    renew_index(folder.parent)
    if manner.as_json:
        write_json(document)
    else:
        show_study(study, folder, manner)
    raise typer.Exit(int(EXIT_STATUS[study.verdict or Verdict.PASS]))
