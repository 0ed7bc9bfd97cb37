"""`mailrace cleanup`: remove later what a run left on a server that is not ours."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from mailrace.cli.app import command


@command
def cleanup(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of the run, as reports/latest.")],
    target: Annotated[
        str | None, typer.Option("--target", "-t", metavar="URL", help="The server, by its address.")
    ] = None,
) -> None:
    """Remove from a server that is not ours what this run left there: its mails and its tags, nothing else.

    A deletion can strip tags off other people's mails that arrive at the same moment: do it when nobody
    works there.
    """
    from mailrace.cli.screen import Screen
    from mailrace.history import read_plan
    from mailrace.model.errors import UsageError
    from mailrace.targets import ExternalTarget, parse_target
    from mailrace.targets.leftovers import leftovers, remove

    plan = read_plan(folder)
    places = [name for name in dict.fromkeys((plan.request.target, *plan.targets)) if name.kind == "url"]
    if not places:
        raise UsageError(f"{folder}: it ran on servers of its own only, and left nothing anywhere")
    if target is None:
        # The folder may be a stranger's. So an address in it gets no login of ours, and nothing is deleted
        # there.
        own = " or ".join(f"--target {shlex.quote(name.text)}" for name in places)
        raise UsageError(f"{folder}: a file may not choose an address: name the server yourself, {own}")
    if parse_target(target).kind != "url":
        raise UsageError(f"--target {target}: wanted the address of a server, as in {places[0]}")
    # The plan has the run's marks, so the history is not needed. A run that was killed can be cleaned up as
    # well.
    server = ExternalTarget(parse_target(target).text)
    server.start()
    try:
        removed = remove(server.api, leftovers(server.api, plan.run[:-3]))
    finally:
        server.stop()
    Screen().text(f"{target}: {removed} of this run removed")
