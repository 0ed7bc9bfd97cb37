"""`mailrace report`, `replay`, `bundle`: render what a run left, run it again, and hand it on."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.options import look_option, race_option, steer_option
from mailrace.cli.request import asked, racing, server_use
from mailrace.model.choices import ROUNDS_MAX

if TYPE_CHECKING:
    from mailrace.studies.replay import Recorded, Replay

FolderArgument = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="The folder of a run; default: reports/latest.")
]
ReplayedRounds = Annotated[
    int,
    race_option(metavar="N", min=1, max=ROUNDS_MAX, help="Run a raced round at most this many times."),
]
ReplayedTimes = Annotated[
    int, steer_option(metavar="N", min=1, max=1_000, help="Run a schedule this many times.")
]
LATEST = Path("reports/latest")


@command
def report(
    folder: FolderArgument = None,
    formats: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT,…", help="html, md, junit, ctrf, json; several by comma."),
    ] = "json,junit,html,md",
    index: Annotated[
        bool,
        typer.Option("--index", help="Instead, make the page over all runs of this folder, with trends."),
    ] = False,
) -> None:
    """Render the reports of a run again; of a run that was killed, from what it had written."""
    from mailrace.cli.screen import Screen
    from mailrace.cli.show import outcome
    from mailrace.history import record_folder
    from mailrace.model.errors import UsageError
    from mailrace.report import FORMATS, render_index
    from mailrace.studies.rendering import rendered

    if index:
        Screen().line(str(render_index(folder or Path("reports"))))
        return
    wanted = tuple(word.strip() for word in formats.split(",") if word.strip())
    unknown = [word for word in wanted if word not in FORMATS]
    if unknown or not wanted:
        raise UsageError(
            f"--format {formats}: {', '.join(unknown) or 'nothing'} is none of {', '.join(FORMATS)}"
        )
    # The formats are checked before anything is read, because it takes a while to render a long run.
    if (recorded := record_folder(folder or LATEST)) is not None:
        from mailrace.cli.recording import show_record
        from mailrace.report.recorded import write_record
        from mailrace.studies.pairs import steered_before
        from mailrace.studies.recording import read_again

        found = steered_before(read_again(recorded), recorded)
        write_record(found, recorded)
        show_record(found, recorded)
        return
    # It is no record, so it is the folder of some other command.
    shown = rendered(folder or LATEST, wanted)
    if shown.found.study in ("run", "merge"):
        outcome(shown.runs[shown.found.folder], shown.found.folder)
    for text in (*shown.lines, *shown.files):
        Screen().line(str(text))


@command
def replay(
    source: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="The folder of a run, its name under reports/, or a bundle."),
    ] = LATEST,
    scenario: Annotated[str | None, look_option(metavar="NAME", help="A witness of this scenario.")] = None,
    round_: Annotated[
        int | None,
        look_option("--round", metavar="N", min=0, help="This round of it."),
    ] = None,
    anomaly: Annotated[
        str | None,
        look_option(metavar="NAME", help="This anomaly, such as tag_lost."),
    ] = None,
    target: options.TargetOption = None,
    rounds: ReplayedRounds = 1_000,
    times: ReplayedTimes = 10,
    time_limit: options.TimeLimitOption = None,
) -> None:
    """Run a recorded round or schedule again: STILL FAILS (1), FIXED (0) or COULD NOT RUN (3).

    It runs on the version that was recorded, unless --target names another server. A bundle cannot choose a
    server by itself, and no file can choose a program or an address: name those with --target.
    """
    import tempfile

    from mailrace.cli.progress import Teller
    from mailrace.studies.replay import replay as run_again

    with Teller(scenarios=1) as teller, tempfile.TemporaryDirectory(prefix="replay-") as unpacked:
        # The record is read first, because it says on which version the witness is run again.
        what = _recorded(source, Path(unpacked), scenario=scenario, round_=round_, anomaly=anomaly)
        how = racing(rounds=rounds, until="decided")
        name = target or _target_of(what, source)
        request = asked(name, how, server_use(), seed=1, time_limit_s=time_limit)
        answer = run_again(what, request, times=times, listener=teller)
    _show(what, answer, source)
    raise typer.Exit(int(answer.status))


def _recorded(
    source: Path, unpacked: Path, *, scenario: str | None, round_: int | None, anomaly: str | None
) -> "Recorded":
    """The witness that is meant.

    A bundle is unpacked into a temporary folder, so errors name the bundle instead.
    """
    from mailrace.model.errors import ScenarioError, UsageError
    from mailrace.report import unpack
    from mailrace.studies.replay import recorded

    if source.suffix != ".zip":
        return recorded(_run_of(source), scenario=scenario, round_=round_, anomaly=anomaly)
    unpack(source, unpacked)
    try:
        return recorded(unpacked, scenario=scenario, round_=round_, anomaly=anomaly)
    except (UsageError, ScenarioError) as wrong:
        raise UsageError(str(wrong).replace(str(unpacked), str(source))) from wrong


def _run_of(source: Path) -> Path:
    """The folder itself; for a suite's record the steered run in it that shows what happened."""
    from mailrace.history import record_folder
    from mailrace.studies.pairs import steered_run

    recorded = record_folder(source)
    return source if recorded is None else steered_run(recorded)


def _target_of(what: "Recorded", source: Path) -> str:
    """The recorded target.

    Raises UsageError where it must not be used: a stranger's file may run or reach nothing.
    """
    from mailrace.model.errors import UsageError
    from mailrace.model.target_name import is_by_version
    from mailrace.report.words import legible

    name = legible(what.result.target.name, 200)
    if not is_by_version(what.result.target.name):
        raise UsageError(
            f"{source}: recorded on {name}; a file may not choose a program or an address: name it with "
            "--target"
        )
    if source.suffix != ".zip":
        return name
    if not sys.stdin.isatty():
        raise UsageError(
            f"{source}: a bundle may not choose a server by itself; to use the recorded one: --target {name}"
        )
    typer.confirm(f"{source} was recorded on {name}. Run it on that version?", abort=True)
    return name


def _show(what: "Recorded", answer: "Replay", source: Path) -> None:
    """The answer, what the recorded anomaly means, and the next command."""
    from mailrace.cli.screen import Screen
    from mailrace.cli.show import end_with
    from mailrace.report.conclusion import Command, Conclusion, Seen, explained
    from mailrace.verdict import ExitStatus

    screen = Screen()
    screen.text(f"{answer.word}: {answer.hits} of {answer.rounds}")
    screen.text(answer.sentence)
    anomaly = what.witness.anomaly.name.value
    seen = Seen(
        anomaly=anomaly,
        scenario=what.found.name,
        version=what.result.target.version,
        operations=what.witness.record.plan.operations,
    )
    next_ = Command(purpose="To see which versions have what", text=f"mailrace matrix -k {what.found.name}")
    if answer.status is ExitStatus.RACE:
        next_ = Command(purpose="To report it", text=f"mailrace bundle {source}")
    end_with(screen, None, Conclusion(counted=(), explained=explained([seen]), commands=(next_,)))


@command
def bundle(
    folder: FolderArgument = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The zip to write.")] = Path(
        "mailrace-bundle.zip"
    ),
    scenario: Annotated[
        str, typer.Option(metavar="NAME", help="The scenario to take; default: the first with a witness.")
    ] = "",
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="Replace none of these: addresses, hosts, paths, users; may be given several times.",
        ),
    ] = None,
) -> None:
    """Make one zip for a bug report: ISSUE.md, repro.py that needs nothing of ours, and the whole record."""
    from mailrace.cli.screen import Screen
    from mailrace.history import RUN, require_file
    from mailrace.recover import run_with
    from mailrace.report import bundle as write_bundle
    from mailrace.report import left_out, own_messages, render, what_is_redacted

    require_file("--out", out)
    said, kept = Screen(sys.stderr), tuple(keep or ())
    run, result, _ = run_with(_run_of(folder or LATEST), scenario=scenario or None)
    if not (run / RUN).is_file():
        # The bundle is made from the document, and a run that was cut off has none yet.
        render(result, run, ("json",))
    for one in what_is_redacted(run):
        word = "kept" if one.kind in kept else "replaced"
        said.line(f"{word}: {one.kind}: {one.found} → {one.shown}")
    for mail in own_messages(run, scenario):
        said.text(
            f"{mail}: your own message; it is included as it is, in repro.py too; nothing in it is replaced"
        )
    for log in left_out(run):
        said.text(f"{log}: left out, because it is too long for a bundle; no replay needs it")
    written = write_bundle(run, out, keep=kept, scenario=scenario)
    said.text("Read ISSUE.md in it before you send it: it is the text of the bug report.")
    Screen().line(str(written))
