"""Tells how a run goes on: on a terminal in a line that is overwritten, else in lines some seconds apart."""

import sys
import time
from typing import TYPE_CHECKING

from mailrace.cli.screen import Screen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

    from mailrace.model.result import ScenarioResult
    from mailrace.model.target import TargetInfo
    from mailrace.race import ChosenControl
    from mailrace.scenario import Scenario

SECONDS_APART = 5.0


class Teller:
    """Tells on stderr which scenario of how many is looked at, how far it is, and how long the rest takes."""

    def __init__(self, *, scenarios: int, quiet: bool = False) -> None:
        """`scenarios`: how many will begin; one that is looked at on several targets counts as often."""
        self._scenarios = scenarios
        self._quiet = quiet
        self._screen = Screen(sys.stderr)
        self._is_live = self._screen.width is not None and not quiet
        self._live: Live | None = None
        self._started = self._said_at = time.monotonic()
        self._number = 0
        self._name = ""
        self._looked_at: tuple[Scenario, str] | None = None

    def began(self, scenario: "Scenario", target: "TargetInfo", control: "ChosenControl | None") -> None:
        """A scenario begins."""
        from mailrace.model.target import VersionSource

        # A gate races what it has steered: a scenario that begins again on the same target is not counted
        # again.
        self._number += (scenario, target.name) != self._looked_at
        self._looked_at = (scenario, target.name)
        place = f"{self._number} of {self._scenarios}: " if self._scenarios > 1 else ""
        self._name = f"{place}{scenario.name}"
        if self._quiet:
            return
        if target.version_source is VersionSource.NO_VERSION:
            version = f"it says {target.version!r}, which is no version"
        else:
            version = f"version {target.version}"
        beside = f"; control {control.target} ({control.scenario.name})" if control else ""
        self._say(f"{self._name}: {target.name} ({version}){beside}")

    def note(self, text: str) -> None:
        """A line that stays, whatever is being done."""
        if not self._quiet:
            self._say(text)

    def progressed(self, done: int, rounds: int, hits: int, control_hits: int) -> None:
        """A block of rounds was judged."""
        self.said(f"round {done} of {rounds}, hits {hits}, of the control {control_hits}")

    def said(self, sentence: str) -> None:
        """What is being done now."""
        if self._quiet:
            return
        line = f"{self._name}: {sentence}{self._left()}" if self._name else sentence
        if self._is_live:
            self._over(line)
        elif time.monotonic() - self._said_at > SECONDS_APART:
            self._say(line)

    def ended(self, result: "ScenarioResult") -> None:
        """A scenario has its verdict."""
        if not self._quiet and self._scenarios != 1:  # of one alone, the conclusion says it
            by = f" ({result.machine})" if result.machine else ""
            self._say(f"{result.name}{by}: {result.verdict}: {result.reason}")

    @property
    def live_console(self) -> "Console | None":
        """The terminal on which a table may be kept up to date; None where there is none, or with `quiet`."""
        return self._screen.console if self._is_live else None

    def __enter__(self) -> "Teller":
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back, whatever happened."""
        self.close()

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _left(self) -> str:
        """How long the scenarios that are left will take, by those that have ended; "" before one has."""
        ended = self._number - 1
        if ended < 1 or self._scenarios <= self._number:
            return ""
        seconds = (time.monotonic() - self._started) / ended * (self._scenarios - ended)
        return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"

    def _say(self, line: str) -> None:
        self.close()
        self._said_at = time.monotonic()
        self._screen.text(line)

    def _over(self, line: str) -> None:
        """Overwrite the line before with this one, cut to the terminal's width."""
        from rich.live import Live
        from rich.text import Text

        shown = Text(f"  {line}", no_wrap=True, overflow="ellipsis", style="dim")
        if self._live is None:
            self._live = Live(shown, console=self._screen.console, transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(shown, refresh=True)
