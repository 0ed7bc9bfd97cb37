"""`mailrace run` and `mailrace steer`: scenarios at a target; the verdict is the exit status."""

from typing import TYPE_CHECKING

import typer

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.campaign import Asked, ShareOption, StateOption, WorkersOption
from mailrace.cli.request import Manner, asked, chosen, racing, server_use

if TYPE_CHECKING:
    from mailrace.cli.request import Chosen
    from mailrace.model.request import RunRequest

DELETING = "--cleanup=yes: deleting can strip tags off strangers' messages that arrive meanwhile"


@command
def run(
    paths: options.Paths = None,
    target: options.TargetOption = None,
    name: options.NameOption = None,
    seed: options.SeedOption = None,
    rounds: options.RoundsOption = None,
    profile: options.ProfileOption = None,
    until: options.UntilOption = "rounds",
    until_hit: options.UntilHitOption = False,
    trial: options.TrialOption = "warm",
    time_limit: options.TimeLimitOption = None,
    gomaxprocs: options.GomaxprocsOption = None,
    confidence: options.ConfidenceOption = None,
    theta: options.ThetaOption = 1 / 3,
    no_control: options.NoControlOption = False,
    allow_deletions: options.AllowDeletionsOption = False,
    cleanup: options.CleanupOption = "no",
    allow_outside: options.OutsideOption = False,
    workers: WorkersOption = None,
    share_machine: ShareOption = False,
    state: StateOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
    verbose: options.VerboseOption = False,
) -> None:
    """Race scenarios at a server: each actor is brought to its last byte, then all are released together."""
    from mailrace.cli.defaults import settings

    # For an option that is not given, pyproject.toml counts, and then what the scenario says.
    how = racing(
        rounds=rounds,
        profile=profile or settings().profile,
        until="hit" if until_hit else until,
        trial=trial,
        confidence=confidence,
        theta=theta,
        control=not no_control,
    )
    use = server_use(gomaxprocs, allow_deletions=allow_deletions, cleanup=cleanup == "yes")
    what = chosen(paths, name, allow_outside=allow_outside)
    by = Asked(workers, state, share=share_machine)
    request = asked(target, how, use, seed=by.seed(seed), out=out, time_limit_s=time_limit)
    _look(what, request, Manner(as_json, quiet, verbose), by)


@command
def steer(
    paths: options.Paths = None,
    target: options.TargetOption = None,
    name: options.NameOption = None,
    seed: options.SeedOption = None,
    budget: options.BudgetOption = None,
    bound: options.BoundOption = None,
    depth: options.DepthOption = 3,
    confirm: options.ConfirmOption = 0,
    all_classes: options.AllClassesOption = False,
    allow_outside: options.OutsideOption = False,
    time_limit: options.TimeLimitOption = None,
    workers: WorkersOption = None,
    share_machine: ShareOption = False,
    state: StateOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
    verbose: options.VerboseOption = False,
) -> None:
    """Walk every schedule of the server's SQL statements, and show each bad one on a real instance."""
    from mailrace.model.request import Steering

    # A walk has no rounds and needs no control, so there are no options of a race.
    how = Steering(
        budget=budget,
        bound=bound,
        depth=depth,
        confirm_rounds=confirm,
        one_of_each="class" if all_classes else "cause",
    )
    what = chosen(paths, name, allow_outside=allow_outside)
    by = Asked(workers, state, share=share_machine)
    request = asked(target, how, seed=by.seed(seed), out=out, mode="steer", time_limit_s=time_limit)
    _look(what, request, Manner(as_json, quiet, verbose), by)


def _look(what: "Chosen", request: "RunRequest", manner: Manner, by: Asked) -> None:
    """Look at the scenarios as asked, and say what was found; raises typer.Exit with the status."""
    from mailrace.cli.progress import Teller
    from mailrace.cli.show import finish
    from mailrace.preflight import preflight
    from mailrace.run import run

    by.of(request.target)
    with Teller(scenarios=len(what.scenarios), quiet=manner.quiet or manner.as_json) as teller:
        if request.server.cleanup:
            teller.note(DELETING)
        teller.note(f"target {request.target}, seed {request.seed}, {what.said}")
        for sentence in () if by.are_elsewhere else preflight(what.scenarios, request):
            teller.note(sentence)
        with by.open(teller) as campaign:
            if campaign is None:
                done = run(what.scenarios, request, teller)
            else:
                from mailrace.campaign.runs import run_on

                done = run_on(campaign, what.scenarios, request, teller)
    raise typer.Exit(finish(done, manner))
