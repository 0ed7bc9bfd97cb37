"""`mailrace cleanup`: remove later what a run left on a server that is not ours."""

from pathlib import Path
from typing import Annotated

import typer

from mailrace.cli.app import command


@command
def cleanup(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of the run, as reports/latest.")],
) -> None:
    """Remove from a server that is not ours what this run left there: its mails and its tags, nothing else.

    A deletion can strip tags off other people's mails that arrive at the same moment: do it when nobody
    works there.
    """
    from mailrace.cli.screen import Screen
    from mailrace.history import read_plan
    from mailrace.model.errors import UsageError
    from mailrace.targets import ExternalTarget
    from mailrace.targets.leftovers import leftovers, remove

    plan = read_plan(folder)
    places = [name for name in dict.fromkeys((plan.request.target, *plan.targets)) if name.kind == "url"]
    if not places:
        raise UsageError(f"{folder}: it ran on servers of its own only, and left nothing anywhere")
    # The run's marks are in its plan, so nothing of the history is needed, and a run that was killed can be
    # cleaned up as well.
    for name in places:
        target = ExternalTarget(name.text)
        target.start()
        try:
            removed = remove(target.api, leftovers(target.api, plan.run[:-3]))
        finally:
            target.stop()
        Screen().text(f"{name.text}: {removed} of this run removed")
