"""The command line's options, each declared once, in the groups in which `--help` shows them."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mailrace.cli.completion import scenario_names, target_names

LOOK = "What to look at"
RACE = "How to race"
STEER = "How to steer"
SURE = "How sure to be"
FOREIGN = "On a server that is not ours"
OUTPUT = "What to write and show"


class Profile(StrEnum):
    """How rounds follow each other."""

    rate = "rate"
    throughput = "throughput"


class Trial(StrEnum):
    """What each round starts from."""

    warm = "warm"
    cold = "cold"


class Until(StrEnum):
    """When the race may stop before its last round."""

    rounds = "rounds"
    decided = "decided"
    hit = "hit"


class Mode(StrEnum):
    """How the versions are looked at."""

    auto = "auto"
    race = "race"
    steer = "steer"


class YesNo(StrEnum):
    """An answer that must be written out."""

    yes = "yes"
    no = "no"


def finite(value: float | None) -> float | None:
    """The number; typer.BadParameter for NaN and infinity, which pass every comparison with a range."""
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
    typer.Option(
        "--target",
        "-t",
        metavar="TARGET",
        autocompletion=target_names,
        rich_help_panel=LOOK,
        help="The server: embedded[@VERSION], mailpit@VERSION, mailpit:PATH, or "
        "http://HOST:8025?smtp=HOST:1025; default: MAILRACE_TARGET, else embedded.",
    ),
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "-k",
        metavar="NAME",
        rich_help_panel=LOOK,
        help="Only the scenario of that name, else those whose name holds it (* and ? match).",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        rich_help_panel=LOOK,
        help="Draw the plan with this seed; default: a new one, which is printed.",
    ),
]
ModeOption = Annotated[
    Mode,
    typer.Option(
        rich_help_panel=LOOK, help="auto: steer where the server is ours to start, else race natively."
    ),
]
RoundsOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=50_000,
        rich_help_panel=RACE,
        help="Rounds of each scenario at most, where it is raced; default: what the scenario says.",
    ),
]
ProfileOption = Annotated[
    Profile | None,
    typer.Option(
        rich_help_panel=RACE,
        help="rate: 20 ms of quiet before each release; throughput: 0.2 ms, so more rounds a second.",
    ),
]
UntilOption = Annotated[
    Until,
    typer.Option(
        rich_help_panel=RACE,
        help="When to stop: after all rounds, when more rounds can change nothing, or at the first hit.",
    ),
]
UntilHitOption = Annotated[
    bool, typer.Option("--until-hit", rich_help_panel=RACE, help="The same as --until hit.")
]
TrialOption = Annotated[
    Trial, typer.Option(rich_help_panel=RACE, help="cold: a fresh server process for each round.")
]
TimeLimitOption = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0.1,
        callback=finite,
        rich_help_panel=LOOK,
        help="End after so long, with what was seen by then; what still runs 5 s later is cut off.",
    ),
]
GomaxprocsOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=1024,
        rich_help_panel=RACE,
        help="GOMAXPROCS of a Mailpit that mailrace starts; default: the CPUs, and at least 4.",
    ),
]
NoControlOption = Annotated[
    bool,
    typer.Option(
        "--no-control", rich_help_panel=SURE, help="Run no known-bad control; a clean run is then never PASS."
    ),
]
ConfidenceOption = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        min=0.5,
        max=0.999999,
        callback=finite,
        rich_help_panel=SURE,
        help="How sure all clean verdicts together must be; default: 0.99.",
    ),
]
ThetaOption = Annotated[
    float,
    typer.Option(
        metavar="FACTOR",
        min=0.01,
        max=100.0,
        callback=finite,
        show_default="1/3",
        rich_help_panel=SURE,
        help="A clean verdict is about races at least this many times as frequent as the control's.",
    ),
]
BudgetOption = Annotated[
    int | None,
    typer.Option(
        metavar="SCHEDULES",
        min=1,
        max=1_000_000,
        rich_help_panel=STEER,
        help="Walk at most this many schedules.",
    ),
]
BoundOption = Annotated[
    int | None,
    typer.Option(
        metavar="SWITCHES",
        min=0,
        max=100,
        rich_help_panel=STEER,
        help="Only schedules with at most this many context switches beyond the necessary ones.",
    ),
]
DepthOption = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=1,
        max=10,
        rich_help_panel=STEER,
        help="Depth of the random walk (PCT), where actors are too many for every schedule.",
    ),
]
ConfirmOption = Annotated[
    int,
    typer.Option(
        metavar="ROUNDS",
        min=0,
        max=50_000,
        rich_help_panel=STEER,
        help="Race natively what was found, until it hits, for at most this many rounds.",
    ),
]
AllClassesOption = Annotated[
    bool,
    typer.Option(
        "--all-classes",
        rich_help_panel=STEER,
        help="Show every bad class of schedules on a real instance, and not one for each root cause.",
    ),
]
AllowDeletionsOption = Annotated[
    bool,
    typer.Option("--allow-deletions", rich_help_panel=FOREIGN, help="Let actors delete mails and edit tags."),
]
CleanupOption = Annotated[
    YesNo,
    typer.Option(rich_help_panel=FOREIGN, help="yes: delete what this run stored, one ID in each request."),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FOLDER",
        rich_help_panel=OUTPUT,
        help="The run's own folder, new or empty; default: a new one under reports/.",
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", rich_help_panel=OUTPUT, help="The document as JSON on stdout, and nothing else there."
    ),
]
QuietOption = Annotated[
    bool, typer.Option("-q", "--quiet", rich_help_panel=OUTPUT, help="Only errors and the verdict.")
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "-v", "--verbose", rich_help_panel=OUTPUT, help="Every proof, every note and every lost round."
    ),
]
OutsideOption = Annotated[
    bool,
    typer.Option(
        "--allow-outside",
        rich_help_panel=LOOK,
        help="Scenarios may send files from outside of their folder, and name any control.",
    ),
]
