"""Cells that tests send, and workers as threads of the test that look at them."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailrace.campaign.cell import Cell, Outcome, scenario_cell
from mailrace.campaign.dispatch import Campaign
from mailrace.campaign.workers import Patience, Workers, connected
from mailrace.model.choices import Mode
from mailrace.model.request import Racing, RunRequest
from mailrace.scenario import Scenario, load, shipped

from tests.absent import lacking

PATIENCE = Patience(scheduler_s=30.0, workers_s=60.0)


def need_dask() -> None:
    """CI has Dask; elsewhere a test without it is skipped."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        lacking("Dask: pip install 'mailrace[campaign]'")


def scenario(name: str) -> Scenario:
    """A shipped scenario."""
    return load(shipped() / f"{name}.race.yaml")


def request(target: str, mode: Mode = "steer", *, seed: int = 3, rounds: int = 2) -> RunRequest:
    return RunRequest.of(target, Racing(rounds=rounds, control=False), seed=seed, mode=mode)


def cell(name: str, target: str = "embedded@1.27.11", mode: Mode = "steer", *, seed: int = 3) -> Cell:
    asked = request(target, mode, seed=seed)
    return scenario_cell("look", scenario(name), asked, (asked.target,))


@dataclass
class Told:
    """Remembers what a campaign tells."""

    began_with: list[tuple[int, int]] = field(default_factory=list)
    workers: set[str] = field(default_factory=set)
    names: list[str] = field(default_factory=list)

    def began(self, cells: int, kept: int) -> None:
        self.began_with.append((cells, kept))

    def works(self, worker: str, host: str, cell: str, said: str) -> None:
        self.workers.add(f"{host}, worker {worker}")

    def done(self, cell: str, outcome: Outcome) -> None:
        self.names.append(cell)


@contextmanager
def campaign(workers: Workers, told: Told | None = None, state: Path | None = None) -> Iterator[Campaign]:
    """A campaign on these workers."""
    with connected(workers, PATIENCE) as client:
        yield Campaign(client=client, watching=told or Told(), state=state)


def by_key(found: Sequence[tuple[Cell, Outcome]]) -> dict[str, Any]:
    """Outcomes by key; AssertionError where one is there twice."""
    assert len({cell.key for cell, _ in found}) == len(found)
    return {cell.key: outcome for cell, outcome in found}


def work(address: str) -> None:
    """Be a worker of that scheduler until the process is ended."""
    import distributed

    async def working() -> None:
        async with distributed.Worker(
            address, nthreads=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", death_timeout=60
        ) as worker:
            await worker.finished()

    asyncio.run(working())
