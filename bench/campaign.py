"""Seconds of one steered campaign with one and with two workers of this machine, as their ratio."""

import statistics
import tempfile
import time
from pathlib import Path

from mailrace.campaign.cell import Outcome
from mailrace.campaign.dispatch import Campaign
from mailrace.campaign.runs import run_on
from mailrace.campaign.workers import Patience, Workers, connected
from mailrace.model.request import Output, RunRequest
from mailrace.scenario import Scenario, load, shipped

TARGET = "embedded@1.27.11"
NAMES = ("distinct-tags", "plus-address-tag", "send-rename-tag", "shared-known-tag", "tag-case-variants")
REPEATS = 3


class _Silent:
    """Is told, and says nothing."""

    def began(self, cells: int, kept: int) -> None:
        """Nothing."""

    def works(self, worker: str, host: str, cell: str, said: str) -> None:
        """Nothing."""

    def done(self, cell: str, outcome: Outcome) -> None:
        """Nothing."""


def measure() -> None:
    """Print the ratio; both campaigns in turn, so that the machine is the same for both."""
    scenarios = [load(shipped() / f"{name}.race.yaml") for name in NAMES]
    ratios = []
    for _ in range(REPEATS):
        one, two = (_seconds(scenarios, count) for count in (1, 2))
        ratios.append(one / two)
    print(
        f"\n{len(NAMES)} scenarios steered on {TARGET}: two workers of this machine are "
        f"{statistics.median(ratios):.2f} times as quick as one ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def _seconds(scenarios: list[Scenario], count: int) -> float:
    with tempfile.TemporaryDirectory(prefix="mailrace-bench-") as folder:
        output = Output(out=Path(folder) / "run", formats=())
        request = RunRequest.of(TARGET, output, seed=3, mode="steer")
        began = time.monotonic()
        with connected(Workers(count=count), Patience()) as client:
            run_on(Campaign(client=client, watching=_Silent()), scenarios, request)
        return time.monotonic() - began
