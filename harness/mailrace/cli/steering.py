"""`mailrace steer`: every order of the server's SQL statements, on the unmodified server."""

import random
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mailrace.cli.app import app
from mailrace.cli.defaults import default_target, settings
from mailrace.cli.racing import (
    JsonOption,
    NameOption,
    OutOption,
    Paths,
    SeedOption,
    TargetOption,
    default_paths,
)


@app.command()
def steer(
    paths: Paths = None,
    target: TargetOption = None,
    name: NameOption = None,
    seed: SeedOption = None,
    budget: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, metavar="ORDERS", help="At most so many orders.")
    ] = None,
    bound: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100,
            metavar="SWITCHES",
            help="Only orders with at most so many context switches beyond the necessary ones.",
        ),
    ] = None,
    depth: Annotated[
        int,
        typer.Option(
            min=1, max=10, help="Depth of the random walk (PCT) where actors are too many for every order."
        ),
    ] = 3,
    require_exhaustive: Annotated[
        bool,
        typer.Option("--require-exhaustive", help="Clean within its budget or bound is INCONCLUSIVE."),
    ] = False,
    confirm: Annotated[
        int,
        typer.Option(min=0, max=50_000, metavar="ROUNDS", help="Race what is found natively, until it hits."),
    ] = 0,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="No scenario begins after so long.")
    ] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors and the verdict.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Every proof and note.")] = False,
) -> None:
    """Walk every order of the server's SQL statements, and show each bad one on a real instance."""
    from mailrace.cli.show import Teller, finish
    from mailrace.run import Output, RunRequest, Steering, run
    from mailrace.scenario import find, load
    from mailrace.targets import parse_target

    scenarios = [load(path) for path in find(paths or default_paths(), name)]
    request = RunRequest(
        target=parse_target(default_target() if target is None else target),
        seed=random.SystemRandom().randrange(1, 1 << 31) if seed is None else seed,
        mode="steer",
        time_limit_s=time_limit,
        command=shlex.join(["mailrace", *sys.argv[1:]]),
        steering=Steering(
            budget=budget,
            bound=bound,
            depth=depth,
            require_exhaustive=require_exhaustive,
            confirm_rounds=confirm,
        ),
        output=Output(reports=Path(settings().get("reports", "reports")), out=out),
    )
    teller = Teller(scenarios=len(scenarios), quiet=quiet or as_json)
    try:
        done = run(scenarios, request, teller)
    finally:
        teller.close()
    raise typer.Exit(finish(done, as_json=as_json, quiet=quiet, verbose=verbose))
