"""`mailrace bisect`: between which two versions a race came or went, with the proof."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailrace.cli.app import app
from mailrace.cli.gate import Mode, ModeOption
from mailrace.cli.racing import SeedOption, TargetOption
from mailrace.cli.studies import run_request

if TYPE_CHECKING:
    from mailrace.run import RunRequest
    from mailrace.scenario import Scenario
    from mailrace.studies.bisect import Probed

ROUNDS = 1_000
GIT_BAD, GIT_SKIP, GIT_ABORT = 1, 125, 128
"""What `git bisect run` understands; above 127 it stops."""


@app.command()
def bisect(
    scenario: Annotated[str, typer.Argument(help="A scenario file, or a shipped one's name.")],
    good: Annotated[str, typer.Option("--good", help="A version without the race, e.g. 1.27.11.")] = "",
    bad: Annotated[str, typer.Option("--bad", help="One with it; older or newer than the good one.")] = "",
    versions: Annotated[
        str | None, typer.Option(help="Versions to search, by comma; default: those at hand.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Search the binaries mailpit-VERSION of this folder.")
    ] = None,
    anomaly: Annotated[str | None, typer.Option(help="Only this one, e.g. tag_lost; default: any.")] = None,
    mode: ModeOption = Mode.auto,
    rounds: Annotated[int, typer.Option(min=1, max=50_000, help="Natively, rounds of a trial.")] = ROUNDS,
    trials: Annotated[
        int, typer.Option(min=1, max=100, help="Natively, trials of a version that gives no clear answer.")
    ] = 3,
    seed: SeedOption = 1,
    state: Annotated[
        Path | None, typer.Option("--state", help="File from which an interrupted search goes on.")
    ] = None,
    target: TargetOption = None,
    exit_codes: Annotated[
        bool,
        typer.Option(
            "--bisect-exit-codes",
            help="Look at --target alone, and exit as `git bisect run` wants: 0 good, 1 bad, 125 unknown.",
        ),
    ] = False,
) -> None:
    """Find the two neighbouring versions between which a race came or went; ends with the proof.

    Exit status: 0 found and proved, 3 not known, 4 a server or mailrace failed.
    """
    from mailrace.cli.show import console
    from mailrace.model.anomaly import AnomalyName
    from mailrace.model.errors import MailraceError, UsageError
    from mailrace.scenario import find, load
    from mailrace.verdict import ExitStatus

    if anomaly is not None and anomaly not in {name.value for name in AnomalyName}:
        raise UsageError(f"--anomaly {anomaly}: there are {', '.join(AnomalyName)}")
    if exit_codes:
        try:
            if target is None:
                raise UsageError("--bisect-exit-codes: give --target, the build that is looked at")
            (path, *_) = find([scenario])
            loaded = load(path)
            options = run_request(target, seed=seed, rounds=rounds, mode=_mode(mode, [target]))
        except MailraceError as wrong:
            console().print(f"mailrace: {wrong}", markup=False)
            raise typer.Exit(GIT_ABORT) from wrong
        raise typer.Exit(_git_status(loaded, target, options, anomaly, trials))
    (path, *_) = find([scenario])
    loaded = load(path)
    is_proved, lines = _search(
        loaded, good, bad, versions, folder, anomaly, mode, rounds, trials, seed, state
    )
    for line in lines:
        console().print(line, markup=False)
    raise typer.Exit(int(ExitStatus.PASS if is_proved else ExitStatus.INCONCLUSIVE))


def _git_status(
    scenario: "Scenario", target: str, options: "RunRequest", anomaly: str | None, trials: int
) -> int:
    from mailrace.cli.show import console
    from mailrace.model.errors import MailraceError
    from mailrace.studies.bisect import Answer
    from mailrace.studies.probing import probe

    try:
        probed = probe(scenario, target, options, anomaly=anomaly, trials=trials)
    except MailraceError as wrong:
        console().print(f"{target}: {wrong}", markup=False)
        return GIT_SKIP
    console().print(f"{target}: {probed.answer}: {probed.reason}", markup=False)
    return {Answer.GOOD: 0, Answer.BAD: GIT_BAD, Answer.UNKNOWN: GIT_SKIP}[probed.answer]


def _search(
    scenario: "Scenario",
    good: str,
    bad: str,
    versions: str | None,
    folder: Path | None,
    anomaly: str | None,
    mode: Mode,
    rounds: int,
    trials: int,
    seed: int | None,
    state: Path | None,
) -> tuple[bool, list[str]]:
    """Search, going on from the state file; whether it is proved, and the outcome in sentences."""
    from mailrace.cli.show import Teller, console
    from mailrace.model.errors import UsageError
    from mailrace.studies.bisect import Search, is_proved, told
    from mailrace.studies.bisect import bisect as searched
    from mailrace.studies.bisect_state import resumed, save
    from mailrace.studies.probing import probe
    from mailrace.studies.versions import between, in_folder, installed, target_of, targets_of

    for option, word in (("--good", good), ("--bad", bad)):
        if not word:
            raise UsageError(f"{option}: is missing; name a version, as in {option} 1.30.5")
    ends = target_of(good), target_of(bad)
    if versions is not None:
        candidates = tuple(target.text for target in targets_of(versions))
    elif folder is not None:
        candidates = in_folder(folder)
    else:
        candidates = installed("embedded" if ends[0].startswith("embedded") else "mailpit")
    search = Search(versions=between(*ends, candidates), good=ends[0], bad=ends[1])
    how = _mode(mode, search.versions)
    question: dict[str, Any] = {"scenario": scenario.as_data(), "mode": how, "anomaly": anomaly}
    options = run_request(ends[1], seed=seed, rounds=rounds, mode=how)
    file = state or options.output.reports / f"bisect-{scenario.name}-{good}-{bad}.json".replace("/", "-")
    search = resumed(file, search, question)
    out = console()
    out.print(
        f"{len(search.versions)} versions, at most {search.steps_max} steps between the ends, then the pair "
        f"itself; state in {file}",
        markup=False,
    )
    for version, known in search.answers.items():
        out.print(f"{version}: {known.answer}, known from {file}", markup=False)

    def ask(version: str) -> "Probed":
        teller = Teller()
        try:
            probed = probe(scenario, version, options, anomaly=anomaly, trials=trials, listener=teller)
        finally:
            teller.close()
        out.print(f"{version}: {probed.answer}", markup=False)
        return probed

    search = searched(search, ask, lambda found: save(file, found, question))
    return is_proved(search), list(told(search))


def _mode(mode: Mode, targets: Any) -> Any:
    from mailrace.studies.gating import chosen_mode
    from mailrace.targets import parse_target

    return chosen_mode(*(parse_target(target) for target in targets), mode=mode.value)
