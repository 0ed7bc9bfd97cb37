"""Results in, what a person reads out: progress on a terminal, plain lines elsewhere, then the table."""

import os
import sys
import time
from typing import Any

from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.model.target import TargetInfo, VersionSource
from mailrace.race import ChosenControl
from mailrace.report import render_index, to_json
from mailrace.run import Run
from mailrace.scenario import Scenario
from mailrace.steer import columns
from mailrace.verdict import exit_status

STYLE = {
    Verdict.PASS: "bold green",
    Verdict.RACE: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.FAILED: "bold magenta",
    Verdict.NOT_APPLICABLE: "dim",
}


def console(*, on_stdout: bool = False) -> Any:
    """A console on stderr, or on stdout for what was asked for; it knows TTY, CI and NO_COLOR.

    Text is printed as it is: brackets and colons in names, replies and logs are no markup.
    """
    from rich.console import Console

    class Lasting(Console):
        """Goes on without a reader: who closes the pipe must not end the run, nor choose its status."""

        def on_broken_pipe(self) -> None:
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    stream = sys.stdout if on_stdout else sys.stderr
    plain = bool(os.environ.get("CI")) or not stream.isatty()
    width = 200 if plain else None
    return Lasting(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=plain, width=width)


def styled(verdict: Verdict, text: str, after: str = "") -> Any:
    """A cell of a table in the verdict's style, with plain text behind it."""
    from rich.text import Text

    return Text.assemble((text, STYLE[verdict]), after)


def _version(target: TargetInfo) -> str:
    if target.version_source is VersionSource.NO_VERSION:
        return f"it says {target.version!r}, which is no version"
    return f"version {target.version}"


class Teller:
    """Tells how a run goes on: a bar on a terminal, a line a few seconds apart elsewhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = console()
        self._is_live = self._console.is_terminal and not os.environ.get("CI")
        self._bar: Any = None
        self._task: Any = None
        self._said_at = 0.0
        self._name = ""

    def began(self, scenario: Scenario, target: TargetInfo, control: ChosenControl | None) -> None:
        """A scenario begins."""
        if self._quiet:
            return
        beside = f", control {control.target} ({control.scenario.name})" if control else ", no control"
        self._name = scenario.name
        self._console.print(f"{scenario.name}: {target.name} ({_version(target)}){beside}")
        self._said_at = time.monotonic()
        if self._is_live:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("  "),
                BarColumn(),
                TextColumn("{task.completed}/{task.total} rounds · {task.fields[said]}", markup=False),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=None, said="")
            self._bar.start()

    def progressed(self, done: int, rounds: int, hits: int, control_hits: int) -> None:
        """A block of rounds was judged."""
        said = f"{hits} hits, control {control_hits}"
        if self._bar is not None:
            self._bar.update(self._task, total=rounds, completed=done, said=said)
        elif not self._quiet and time.monotonic() - self._said_at > 5:
            self._said_at = time.monotonic()
            self._console.print(f"{self._name}: {done} of {rounds} rounds, {said}")

    def said(self, sentence: str) -> None:
        """Steer tells what it does."""
        if self._bar is not None:
            self._bar.update(self._task, said=sentence)
        elif not self._quiet and time.monotonic() - self._said_at > 5:
            self._said_at = time.monotonic()
            self._console.print(f"{self._name}: {sentence}", markup=False)

    def ended(self, result: ScenarioResult) -> None:
        """A scenario has its verdict."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if not self._quiet:
            self._console.print(
                f"{result.name}: {result.verdict}: {result.reason}", style=STYLE[result.verdict]
            )

    def close(self) -> None:
        """Give the terminal back."""
        if self._bar is not None:
            self._bar.stop()


def table(result: RunResult) -> Any:
    """Scenario, verdict, hits of rounds with interval, anomalies, skew, control."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("scenario", "verdict", "hits", "anomalies", "skew p50/p95", "control fired"):
        shown.add_column(column, overflow="fold")
    for one in result.scenarios:
        shown.add_row(
            one.name,
            styled(one.verdict, str(one.verdict)),
            hits(one),
            ", ".join(f"{name} {count}" for name, count in one.anomalies.items()) or "-",
            f"{one.skew_us.p50:.0f}/{one.skew_us.p95:.0f} µs" if one.skew_us else "-",
            f"{one.control.pairs_fired}/{one.control.pairs} {one.control.target} ({one.control.scenario})"
            if one.control
            else "-",
        )
    return shown


def hits(one: ScenarioResult) -> str:
    """`47/99 (37–58 %)`, or classes for a steered scenario."""
    if one.schedules is not None:
        return f"{one.schedules.violating} of {one.schedules.classes} classes"
    share = f"{one.hits}/{one.rounds}"
    if one.interval is None or not one.rounds:
        return share
    return f"{share} ({100 * one.interval.low:.1f}–{100 * one.interval.high:.1f} %)"


def outcome(result: RunResult, folder: str, *, verbose: bool) -> None:
    """The table, the first anomaly of each scenario as a proof, the command that replays it, the report."""
    out = console()
    out.print()
    out.print(table(result))
    for one in result.scenarios:
        for witness in one.witnesses if verbose else one.witnesses[:1]:
            out.print()
            out.print(witness.anomaly.proof, markup=False)
            for line, meaning in witness.explained[:3]:
                out.print(f"  its log: {line}\n  {meaning}", markup=False)
            if witness.schedule is not None:
                out.print(columns(witness.schedule), markup=False)
            out.print(f"  again: {witness.replay}", markup=False)
        if one.advice:
            out.print(f"\n{one.name}: what would help: {one.advice}", markup=False)
        for said in one.not_looked[: None if verbose else 3]:
            out.print(f"{one.name}: not looked at: {said}", markup=False)
    out.print(f"\n{result.verdict}", style=STYLE[result.verdict])
    out.print(f"report: {folder}/report.html", markup=False)


def finish(done: Run, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Say what a run came to, as asked, and bring the page over all runs up to date; its exit status."""
    if (done.folder.parent / "latest").is_symlink():
        render_index(done.folder.parent)
    if as_json:
        print(to_json(done.result))
    elif quiet:
        print(done.result.verdict, file=sys.stderr)
    else:
        outcome(done.result, str(done.folder), verbose=verbose)
    return exit_status(one.verdict for one in done.result.scenarios)
