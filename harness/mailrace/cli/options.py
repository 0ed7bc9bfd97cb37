"""The command line's options, each declared once, in the groups in which `--help` shows them."""

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from mailrace.cli.completion import scenario_names, target_names
from mailrace.model import choices

look_option = partial(typer.Option, rich_help_panel="What to look at")
race_option = partial(typer.Option, rich_help_panel="How to race")
steer_option = partial(typer.Option, rich_help_panel="How to steer")
sure_option = partial(typer.Option, rich_help_panel="How sure to be")
foreign_option = partial(typer.Option, rich_help_panel="On a server that is not ours")
output_option = partial(typer.Option, rich_help_panel="What to write and show")


def finite(value: float | None) -> float | None:
    """The number; typer.BadParameter for NaN and infinity, which a comparison with a range lets pass."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no usable number")
    return value


Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SCENARIO",
        autocompletion=scenario_names,
        help="Files, folders or names of scenarios, or `shipped` for all that come with mailrace; "
        "default: those of scenarios/, else the shipped ones.",
    ),
]
OneScenario = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO", autocompletion=scenario_names, help="A scenario's file, or a shipped one's name."
    ),
]
TargetOption = Annotated[
    str | None,
    look_option(
        "--target",
        "-t",
        metavar="TARGET",
        autocompletion=target_names,
        help="The server: embedded[@VERSION], mailpit@VERSION, mailpit:PATH, or "
        "http://HOST:8025?smtp=HOST:1025; default: MAILRACE_TARGET, else embedded.",
    ),
]
NameOption = Annotated[
    str | None,
    look_option(
        "-k",
        metavar="NAME",
        help="Only the scenario of that name, else those whose name holds it (* and ? match).",
    ),
]
SeedOption = Annotated[
    int | None,
    look_option(
        metavar="N", min=0, help="Draw the plan with this seed; default: a new one, which is printed."
    ),
]
ModeOption = Annotated[
    choices.ModeAsked, look_option(help="auto: steer where the server is ours to start, else race natively.")
]
RoundsOption = Annotated[
    int | None,
    race_option(
        metavar="N",
        min=1,
        max=choices.ROUNDS_MAX,
        help="Rounds of each scenario at most, where it is raced; default: what the scenario says.",
    ),
]
ProfileOption = Annotated[
    choices.Profile | None,
    race_option(
        help="rate: 20 ms of quiet before each release; throughput: 0.2 ms, so more rounds a second."
    ),
]
UntilOption = Annotated[
    choices.Until,
    race_option(
        help="When to stop: after all rounds, when more rounds can change nothing, or at the first hit."
    ),
]
UntilHitOption = Annotated[bool, race_option("--until-hit", help="The same as --until hit.")]
TrialOption = Annotated[choices.Trial, race_option(help="cold: a fresh server process for each round.")]
TimeLimitOption = Annotated[
    float | None,
    look_option(
        metavar="SECONDS",
        min=0.1,
        callback=finite,
        help="End after this many seconds, with what was seen by then; cut off what still runs 5 s later.",
    ),
]
GomaxprocsOption = Annotated[
    int | None,
    race_option(
        metavar="N",
        min=1,
        max=choices.GOMAXPROCS_MAX,
        help="GOMAXPROCS of a Mailpit that mailrace starts; default: the CPUs, and at least 4.",
    ),
]
NoControlOption = Annotated[
    bool, sure_option("--no-control", help="Run no known-bad control; a clean run is then never PASS.")
]
ConfidenceOption = Annotated[
    float | None,
    sure_option(
        metavar="P",
        min=choices.CONFIDENCE_MIN,
        max=choices.CONFIDENCE_MAX,
        callback=finite,
        help="How sure all clean verdicts together must be; default: 0.99.",
    ),
]
ThetaOption = Annotated[
    float,
    sure_option(
        metavar="FACTOR",
        min=choices.THETA_MIN,
        max=choices.THETA_MAX,
        callback=finite,
        show_default="1/3",
        help="A clean verdict is about races at least this many times as frequent as the control's.",
    ),
]
BudgetOption = Annotated[
    int | None,
    steer_option(
        metavar="SCHEDULES", min=1, max=choices.BUDGET_MAX, help="Walk at most this many schedules."
    ),
]
BoundOption = Annotated[
    int | None,
    steer_option(
        metavar="SWITCHES",
        min=0,
        max=choices.BOUND_MAX,
        help="Only schedules with at most this many context switches beyond the necessary ones.",
    ),
]
DepthOption = Annotated[
    int,
    steer_option(
        metavar="N",
        min=1,
        max=choices.DEPTH_MAX,
        help="Depth of the random walk (PCT), where actors are too many for every schedule.",
    ),
]
ConfirmOption = Annotated[
    int,
    steer_option(
        metavar="ROUNDS",
        min=0,
        max=choices.ROUNDS_MAX,
        help="Race natively what was found, until it hits, for at most this many rounds.",
    ),
]
AllClassesOption = Annotated[
    bool,
    steer_option(
        "--all-classes",
        help="Show every bad class of schedules on a real instance, and not one for each root cause.",
    ),
]
AllowDeletionsOption = Annotated[
    bool, foreign_option("--allow-deletions", help="Let actors delete mails and edit tags.")
]
CleanupOption = Annotated[
    Literal["yes", "no"], foreign_option(help="yes: delete what this run stored, one ID in each request.")
]
OutOption = Annotated[
    Path | None,
    output_option(
        "--out",
        metavar="FOLDER",
        help="The run's own folder, new or empty; default: a new one under reports/.",
    ),
]
JsonOption = Annotated[
    bool, output_option("--json", help="The document as JSON on stdout, and nothing else there.")
]
QuietOption = Annotated[bool, output_option("-q", "--quiet", help="Only errors and the verdict.")]
VerboseOption = Annotated[
    bool, output_option("-v", "--verbose", help="Every proof, every note and every lost round.")
]
HarmOption = Annotated[
    choices.HarmAsked,
    sure_option(metavar="HARM", help="The least harm that makes the status 1: stop, data, promise or reply."),
]
OutsideOption = Annotated[
    bool,
    look_option(
        "--allow-outside", help="Scenarios may send files from outside of their folder, and name any control."
    ),
]
