"""`--workers`, `--share-machine`, `--state`: who does a command's work, and where finished work is kept."""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli.progress import SECONDS_APART, Teller
from mailrace.model.phrases import plural

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.live import Live

    from mailrace.campaign.cell import Outcome
    from mailrace.campaign.dispatch import Campaign
    from mailrace.model.request import RunRequest
    from mailrace.model.target_name import TargetName
    from mailrace.report import Study
    from mailrace.scenario import Scenario
    from mailrace.studies.gate.run import Looking as LookingGate
    from mailrace.studies.matrix import Looking
    from mailrace.studies.survey.whole import Decider

worker_option = partial(typer.Option, rich_help_panel="Who does the work")
ROWS_MAX = 16
"""The table shows at most so many workers."""

WorkersOption = Annotated[
    str | None,
    worker_option(
        "--workers",
        metavar="N|ADDRESS",
        help="This many workers on this machine, or those of a Dask scheduler: tcp://HOST:8786.",
    ),
]
ShareOption = Annotated[
    bool,
    worker_option(
        "--share-machine",
        help="Race natively beside other cells on one machine; rates and times are then worth less.",
    ),
]
StateOption = Annotated[
    Path | None,
    worker_option(
        "--state",
        metavar="FOLDER",
        help="With --workers: keep what is done here, and go on from there when called again.",
    ),
]


class Asked:
    """What is asked of workers. `with asked.open(teller) as campaign`, which is None where there are none."""

    def __init__(self, workers: str | None, state: Path | None = None, *, share: bool = False) -> None:
        """Raises UsageError for options that mean nothing without `--workers`, or a wrong value of it."""
        from mailrace.model.errors import UsageError

        self._workers, self._state, self._share = workers, state, share
        if workers is None and (state is not None or share):
            option = "--share-machine" if share else "--state"
            raise UsageError(f"{option} is about workers; name some, as in --workers 2")
        if workers is not None:
            from mailrace.campaign.workers import workers_of

            self._named = workers_of(workers)

    @property
    def are_elsewhere(self) -> bool:
        """Whether the work may be done on another machine, so that nothing need be at hand here."""
        return self._workers is not None and not self._named.are_here

    def seed(self, given: int | None) -> int | None:
        """The seed: the one that is given, else that of the state to go on from."""
        if given is not None or self._state is None:
            return given
        from mailrace.campaign.kept import seed_of

        return seed_of(self._state)

    def of(self, *targets: "TargetName") -> "Asked":
        """This value; UsageError where a target is one server that several workers would race at once."""
        from mailrace.model.errors import UsageError

        for target in targets if self._workers is not None else ():
            if target.kind == "url":
                raise UsageError(
                    f"--workers: {target} is one server, and several workers would disturb each other there; "
                    "leave --workers away"
                )
        return self

    def lacks(self, here: "Callable[[TargetName], str]") -> "Callable[[TargetName], str]":
        """Why a target cannot be looked at.

        Where the work is done elsewhere, it does not matter what is here.
        """
        return (lambda _: "") if self.are_elsewhere else here

    def open(self, teller: Teller) -> "AbstractContextManager[Campaign | None]":
        """The workers, connected, and the table of what they do; None where the command works by itself."""
        return nullcontext() if self._workers is None else self._opened(teller)

    @contextmanager
    def _opened(self, teller: Teller) -> Iterator["Campaign"]:
        from mailrace.campaign.dispatch import Campaign, who_did_what
        from mailrace.campaign.workers import Patience, connected
        from mailrace.model.errors import Interrupted

        table = WorkersTable(teller)
        with connected(self._named, Patience()) as client:
            campaign = Campaign(
                client=client,
                watching=table,
                state=self._state,
                is_alone=not self._share,
            )
            teller.note(f"workers: {self._named}")
            try:
                yield campaign
            except (KeyboardInterrupt, Interrupted):
                if campaign.again:
                    teller.note(campaign.again)
                raise
            finally:
                table.close()
            if by := who_did_what(campaign.by):
                teller.note(f"who did what: {by}")


def columns_by(campaign: "Campaign | None", scenarios: "Sequence[Scenario]") -> "Looking | None":
    """How a campaign looks at the columns of a matrix; None without one."""
    if campaign is None:
        return None
    from mailrace.campaign.runs import columns_on

    return partial(columns_on, campaign, scenarios)


@contextmanager
def findings_by(by: Asked, teller: Teller) -> Iterator["LookingGate | None"]:
    """How the workers look at the scenarios of a gate, within the block; None without workers."""
    with by.open(teller) as campaign:
        if campaign is None:
            yield None
            return
        from mailrace.campaign.gates import findings_on

        yield partial(findings_on, campaign)


def decided_by(campaign: "Campaign | None", request: "RunRequest", folder: Path) -> "Decider":
    """How a survey's pairs are decided: by the workers of the campaign; without one by this process.

    folder   the survey's, from which it can go on
    """
    from mailrace.studies.survey.run import Surveyor

    if campaign is None:
        return Surveyor
    from mailrace.campaign.surveys import WorkersSurveyor

    named = "--state" in request.command.split()
    again = request.command if named else f"{request.command} --state {shlex.quote(str(folder))}"
    return partial(WorkersSurveyor, campaign=campaign, request=request, again=again)


def with_workers(study: "Study", who: str) -> "Study":
    """The study with a sentence that says who did what. `who`: "" without workers."""
    if not who:
        return study
    counted = (*study.told.counted, f"Who did what: {who}.")
    return replace(study, told=replace(study.told, counted=counted))


class WorkersTable:
    """What each worker does now: a table kept up to date on a terminal, plain lines elsewhere."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._console = teller.live_console
        self._live: Live | None = None
        self._rows: dict[str, tuple[str, str, float]] = {}
        self._cells = self._done = 0
        self._said_at = time.monotonic()

    def began(self, cells: int, kept: int) -> None:
        """There are so many cells, and so many of them were done before."""
        self._cells, self._done = cells, 0
        before = f", {kept} of them done before" if kept else ""
        self._teller.note(f"{plural(cells, 'cell')}{before}")

    def works(self, worker: str, host: str, cell: str, said: str) -> None:
        """A worker does something with a cell."""
        who = f"{host}, worker {worker}"
        before = self._rows.get(who)
        since = before[2] if before is not None and before[0] == cell else time.monotonic()
        self._rows[who] = (cell, said, since)
        self._show()

    def done(self, cell: str, outcome: "Outcome") -> None:
        """A cell has its outcome."""
        self._done += 1
        self._rows.pop(outcome.machine, None)
        if self._console is None:
            by = f", by {outcome.machine}" if outcome.machine else ""
            self._teller.note(f"{self._done} of {self._cells}: {cell}{by}")
        self._show()

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show(self) -> None:
        if self._console is None:
            self._say_now_and_then()
            return
        from rich.live import Live
        from rich.table import Table

        table = Table(
            title=f"{self._done} of {self._cells} cells done", title_justify="left", box=None, expand=True
        )
        for head in ("worker", "cell", "now", "s"):
            table.add_column(
                head, no_wrap=True, overflow="ellipsis", justify="right" if head == "s" else "left"
            )
        rows = sorted(self._rows.items())
        for who, (cell, said, since) in rows[:ROWS_MAX]:
            table.add_row(who, cell, said, f"{time.monotonic() - since:.0f}")
        if len(rows) > ROWS_MAX:
            table.add_row(f"and {len(rows) - ROWS_MAX} more", "", "", "")
        if self._live is None:
            self._live = Live(table, console=self._console, transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(table, refresh=True)

    def _say_now_and_then(self) -> None:
        if time.monotonic() - self._said_at <= SECONDS_APART or not self._rows:
            return
        self._said_at = time.monotonic()
        for who, (cell, said, _) in sorted(self._rows.items())[:ROWS_MAX]:
            self._teller.said(f"{who}: {cell}{f': {said}' if said else ''}")
