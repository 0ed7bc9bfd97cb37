"""`mailrace run`: scenarios at a target, natively; the verdict is the exit status."""

import random
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mailrace.cli.app import app
from mailrace.cli.defaults import default_target, settings

Paths = Annotated[list[str] | None, typer.Argument(help="Scenario files or folders; none: scenarios/.")]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", help="embedded[@V], mailpit@V, mailpit:PATH, http://HOST:8025?smtp=HOST:1025."
    ),
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "-k",
        metavar="NAME",
        help="Only the scenario of that name, else those whose name holds it (* and ? match).",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option(help="Draw the plan with this seed; default: a new one, printed.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="The run's own folder, instead of a new one under reports/.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="run.json on stdout, and nothing else there.")]


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


@app.command()
def run(
    paths: Paths = None,
    target: TargetOption = None,
    name: NameOption = None,
    rounds: Annotated[int | None, typer.Option(min=1, max=50_000, help="Rounds of each scenario.")] = None,
    seed: SeedOption = None,
    profile: Annotated[
        Profile | None,
        typer.Option(
            help="rate: 20 ms of quiet before each release; throughput: 0.2 ms, so more rounds a second."
        ),
    ] = None,
    until: Annotated[
        Until, typer.Option(help="Stop early: at the first hit, or when more rounds can change nothing.")
    ] = Until.rounds,
    until_hit: Annotated[bool, typer.Option("--until-hit", help="The same as --until hit.")] = False,
    trial: Annotated[Trial, typer.Option(help="cold: a fresh process for each round.")] = Trial.warm,
    confidence: Annotated[float | None, typer.Option(min=0.5, max=0.999999, help="Of a PASS.")] = None,
    theta: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=100.0,
            help="PASS speaks of races at least so many times as frequent as the control.",
        ),
    ] = 1 / 3,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="No round begins after so long.")
    ] = None,
    gomaxprocs: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="GOMAXPROCS of a managed Mailpit; default: at least 4."),
    ] = None,
    no_control: Annotated[
        bool, typer.Option("--no-control", help="Run no control; a clean run is then never PASS.")
    ] = False,
    allow_deletions: Annotated[
        bool,
        typer.Option(
            "--allow-deletions", help="On a server that is not ours, let actors delete and edit tags."
        ),
    ] = False,
    cleanup: Annotated[
        str,
        typer.Option(help="yes: delete what this run stored on a server that is not ours, one ID a request."),
    ] = "no",
    out: OutOption = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors and the verdict.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Every proof and note.")] = False,
) -> None:
    """Race scenarios at a target: every actor is brought to its last byte, then all are released together."""
    from mailrace.cli.show import Teller, console, finish
    from mailrace.run import Output, Racing, RunRequest, ServerUse
    from mailrace.run import run as run_scenarios
    from mailrace.scenario import find, load
    from mailrace.targets import parse_target

    if cleanup not in ("yes", "no"):
        raise typer.BadParameter(f"{cleanup!r} is neither yes nor no", param_hint="--cleanup")
    if cleanup == "yes":
        console().print(
            "--cleanup=yes: deleting can strip tags off strangers' messages that arrive meanwhile"
        )
    set_ = settings()
    chosen_seed = random.SystemRandom().randrange(1, 1 << 31) if seed is None else seed
    scenarios = [load(path) for path in find(paths or default_paths(), name)]
    # Parsed before it is printed: a name that means nothing may hold a secret.
    named = parse_target(default_target() if target is None else target)
    teller = Teller(scenarios=len(scenarios), quiet=quiet or as_json)
    request = RunRequest(
        target=named,
        seed=chosen_seed,
        time_limit_s=time_limit,
        command=shlex.join(["mailrace", *sys.argv[1:]]),
        racing=Racing(
            rounds=rounds or set_.get("rounds"),
            profile=profile.value if profile else set_.get("profile"),
            until="hit" if until_hit else until.value,
            trial=trial.value,
            confidence=confidence or set_.get("confidence", 0.99),
            theta=theta,
            control=not no_control,
        ),
        server=ServerUse(
            gomaxprocs=gomaxprocs or set_.get("gomaxprocs"),
            allow_deletions=allow_deletions,
            cleanup=cleanup == "yes",
        ),
        output=Output(reports=Path(set_.get("reports", "reports")), out=out),
    )
    if not (quiet or as_json):
        console().print(f"target {named}, seed {chosen_seed}, {_counted(len(scenarios))}")
    try:
        done = run_scenarios(scenarios, request, teller)
    finally:
        teller.close()
    raise typer.Exit(finish(done, as_json=as_json, quiet=quiet, verbose=verbose))


def _counted(scenarios: int) -> str:
    return "1 scenario" if scenarios == 1 else f"{scenarios} scenarios"


def default_paths() -> list[str]:
    """`scenarios/` where there is one, else the shipped ones."""
    from mailrace.scenario import shipped

    return ["scenarios"] if Path("scenarios").is_dir() else [str(shipped())]
