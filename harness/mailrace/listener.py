"""Who is told how a run goes on: a terminal, a test, or nobody."""

import sys
from typing import Protocol

from mailrace.model.result import ScenarioResult
from mailrace.model.target import TargetInfo
from mailrace.race import ChosenControl
from mailrace.scenario import Scenario


class Listener(Protocol):
    """Who is told how a run goes on."""

    def began(self, scenario: Scenario, target: TargetInfo, control: ChosenControl | None) -> None:
        """A scenario begins."""

    def progressed(self, done: int, rounds: int, hits: int, control_hits: int) -> None:
        """A block of rounds was judged."""

    def said(self, sentence: str) -> None:
        """Steer tells what it does."""

    def ended(self, result: ScenarioResult) -> None:
        """A scenario has its verdict."""


def tell(sentence: str) -> None:
    """Tell the user on stderr about the files, whoever else listens to the run."""
    print(f"mailrace: {sentence}", file=sys.stderr)
