"""`mailrace bisect`: between which two versions a race came or went, with the proof."""

import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.options import look_option, output_option, race_option
from mailrace.cli.request import asked, file_of, racing, server_use

if TYPE_CHECKING:
    from mailrace.model.request import RunRequest
    from mailrace.scenario import Scenario
    from mailrace.studies.bisect import Search
    from mailrace.targets import TargetName

NAME_LENGTH_MAX = 100
"""Characters of a state file's name before its hash; file systems take some 255 bytes."""
ROUNDS = 1_000
GIT_BAD, GIT_SKIP, GIT_ABORT = 1, 125, 128
"""What `git bisect run` understands; above 127 it stops."""

Good = Annotated[
    str, look_option("--good", metavar="VERSION", help="A version without the race, e.g. 1.27.11.")
]
Bad = Annotated[
    str, look_option("--bad", metavar="VERSION", help="One with it; older or newer than the good one.")
]
Versions = Annotated[
    str | None, look_option(metavar="VERSION,…", help="Search these, by comma; default: those at hand.")
]
Folder = Annotated[
    Path | None,
    look_option("--folder", metavar="FOLDER", help="Search the programs mailpit-VERSION of this folder."),
]
AnomalyOption = Annotated[
    str | None, look_option(metavar="NAME", help="Look for this one, e.g. tag_lost; default: for any.")
]
Trials = Annotated[
    int,
    race_option(
        metavar="N",
        min=1,
        max=100,
        help="Raced natively: try a version that gives no clear answer this many times.",
    ),
]
State = Annotated[
    Path | None,
    output_option(
        "--state", metavar="FILE", help="Keep the answers here; an interrupted search goes on from them."
    ),
]
ExitCodes = Annotated[
    bool,
    output_option(
        "--bisect-exit-codes",
        help="Look at --target alone, and exit as `git bisect run` wants: 0 good, 1 bad, 125 unknown.",
    ),
]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each of the targets."""

    targets: "tuple[TargetName, ...]"
    scenario: "Scenario"
    request: "RunRequest"
    anomaly: str | None
    trials: int


@command
def bisect(
    scenario: options.OneScenario,
    good: Good = "",
    bad: Bad = "",
    versions: Versions = None,
    folder: Folder = None,
    anomaly: AnomalyOption = None,
    target: options.TargetOption = None,
    mode: options.ModeOption = "auto",
    seed: options.SeedOption = 1,
    rounds: options.RoundsOption = ROUNDS,
    trials: Trials = 3,
    time_limit: options.TimeLimitOption = None,
    state: State = None,
    exit_codes: ExitCodes = False,
) -> None:
    """Find the two neighbouring versions between which a race came or went; ends with the proof.

    Exit status: 0 found and proved, 3 not known, 4 a server or mailrace failed.
    """
    from mailrace.cli.screen import shown
    from mailrace.model.anomaly import AnomalyName
    from mailrace.model.errors import MailraceError, UsageError
    from mailrace.preflight import chosen_mode
    from mailrace.scenario import load
    from mailrace.targets import parse_target

    if anomaly is not None and anomaly not in {name.value for name in AnomalyName}:
        raise UsageError(f"--anomaly {anomaly}: there are {', '.join(AnomalyName)}")

    def question(of: str, *names: str) -> Question:
        targets = tuple(parse_target(name) for name in names)
        how, looked = racing(rounds=rounds, until="decided"), chosen_mode(*targets, mode=mode)
        request = asked(of, how, server_use(), seed=seed, mode=looked, time_limit_s=time_limit)
        return Question(targets, load(file_of(scenario)), request, anomaly, trials)

    # For `git bisect run` there is one build to judge, and no search. Git takes statuses of its own, so an
    # error of any kind must end with one of those and never with ours.
    if exit_codes:
        try:
            if target is None:
                raise UsageError("--bisect-exit-codes: give --target, the build that is looked at")
            single = question(target, target)
        except MailraceError as wrong:
            print(f"mailrace: {shown(str(wrong))}", file=sys.stderr)
            raise typer.Exit(GIT_ABORT) from wrong
        raise typer.Exit(_git_status(single))
    # The scenario and its mode are the same for all versions, so one request, for the bad end, holds for all.
    search = _versions(good, bad, versions, folder)
    what = question(search.bad, *search.versions)
    file = state or what.request.output.reports / state_name(f"{what.scenario.name}-{good}-{bad}")
    _show(_searched(what, search, file), what.scenario)


def state_name(what: str) -> str:
    """The name of the state file of one question.

    It is short enough for any file system, and no other has it.
    """
    name = f"bisect-{what}".replace("/", "-")
    if len(name) > NAME_LENGTH_MAX:
        # A program may have a long path. Two questions must not share a file, so a hash stands for what was
        # cut off.
        name = f"{name[:NAME_LENGTH_MAX]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"{name}.json"


def _git_status(what: Question) -> int:
    from mailrace.cli.screen import Screen
    from mailrace.model.errors import MailraceError
    from mailrace.studies.bisect import Answer
    from mailrace.studies.probing import probe

    said, (target,) = Screen(sys.stderr), what.targets
    try:
        probed = probe(what.scenario, target, what.request, anomaly=what.anomaly, trials=what.trials)
    except MailraceError as wrong:
        said.text(f"{target}: {wrong}")
        return GIT_SKIP
    said.text(f"{target}: {probed.answer}: {probed.reason}")
    return {Answer.GOOD: 0, Answer.BAD: GIT_BAD, Answer.UNKNOWN: GIT_SKIP}[probed.answer]


def _versions(good: str, bad: str, versions: str | None, folder: Path | None) -> "Search":
    """Both ends, and between them the versions that are named, or in the folder, or else at hand."""
    from mailrace.model.errors import UsageError
    from mailrace.studies.bisect import Search
    from mailrace.studies.versions import between, in_folder, installed, target_of, targets_of

    for option, word in (("--good", good), ("--bad", bad)):
        if not word:
            raise UsageError(f"{option}: is missing; name a version, as in {option} 1.30.5")
    ends = target_of(good).text, target_of(bad).text
    if versions is not None:
        candidates = tuple(target.text for target in targets_of(versions))
    elif folder is not None:
        candidates = in_folder(folder)
    else:
        candidates = installed("embedded" if ends[0].startswith("embedded") else "mailpit")
    return Search(versions=between(*ends, candidates), good=ends[0], bad=ends[1])


def _searched(what: Question, search: "Search", file: Path) -> "Search":
    """The search, continued from the state file, in which each answer is kept."""
    from mailrace.cli.progress import Teller
    from mailrace.preflight import preflight
    from mailrace.session import session
    from mailrace.studies.bisect_state import run_bisect

    with Teller(scenarios=search.steps_max + 2) as teller:
        teller.note(
            f"{len(search.versions)} versions, at most {search.steps_max} steps between the ends, then the "
            f"pair itself; state in {file}"
        )
        # Each trial of each version may give a clean word, so all of them share the confidence.
        racing_ = replace(what.request.racing, verdicts=what.trials * len(what.targets))
        request = replace(what.request, racing=racing_)
        # A version between the ends may be missing. Without one of the ends nothing could be proved.
        ends = [target for target in what.targets if target.text in (search.good, search.bad)]
        for sentence in preflight([what.scenario], request, ends):
            teller.note(sentence)
        with session(
            [what.scenario], request, teller, study="bisect", targets=what.targets, what=file.stem
        ) as whole:
            return run_bisect(
                what.scenario,
                search,
                whole,
                file,
                anomaly=what.anomaly,
                trials=what.trials,
                tell=teller.note,
            )


def _show(search: "Search", scenario: "Scenario") -> None:
    """The pair with its proof, and the conclusion; raises typer.Exit with the status."""
    from mailrace.cli.screen import Screen
    from mailrace.cli.show import end_with
    from mailrace.studies.bisect import is_proved, told
    from mailrace.studies.pages import bisect_told
    from mailrace.verdict import ExitStatus

    screen = Screen()
    for line in told(search):
        screen.line(line) if line.startswith("again: ") else screen.text(line)
    end_with(screen, None, bisect_told(search, scenario), told(search))
    raise typer.Exit(int(ExitStatus.PASS if is_proved(search) else ExitStatus.INCONCLUSIVE))
