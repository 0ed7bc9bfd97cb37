"""Gives cells to workers and hands on their outcomes as they come; keeps them, and tells how it goes on.

A cell is sent only when a worker is free, so a time limit means the same for all. Whatever becomes of workers
and scheduler, a cell has one outcome, which is on disk before anybody is told.
"""

import os
import queue
import shlex
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from mailrace.campaign.cell import Cell, Outcome, Sent, outcome_from, text_of
from mailrace.campaign.kept import CELLS, Kept
from mailrace.campaign.perform import DEATHS_MAX, perform
from mailrace.campaign.workers import DaskClient, DaskFuture, Patience, Told
from mailrace.model.errors import MachineTrouble, UsageError
from mailrace.model.phrases import plural
from mailrace.model.time_limit import CUT_OFF, OUT_OF_TIME

LOOK_S = 0.5
"""The pause between two looks at the scheduler and the time, while nothing comes."""
GRACE_S = 20.0
"""How long after the time limit a cell may still come to its own end and send what it saw."""


class Watching(Protocol):
    """Who is told how a campaign goes on."""

    def began(self, cells: int, kept: int) -> None:
        """There are `cells` cells; `kept` of them were done before."""

    def works(self, worker: str, host: str, cell: str, said: str) -> None:
        """A worker does something with a cell."""

    def done(self, cell: str, outcome: Outcome) -> None:
        """A cell has its outcome."""


@dataclass(slots=True)
class Campaign:
    """Workers, and what they have done so far.

    client     Dask's, through which cells are sent
    state      where outcomes are kept, as the user named it; None: in the command's own folder, until its end
    is_alone   natively raced rounds are alone on their machine
    by         outcomes by machine and worker, of this call
    """

    client: DaskClient
    watching: Watching
    state: Path | None = None
    is_alone: bool = True
    patience: Patience = field(default_factory=Patience)
    by: Counter[str] = field(default_factory=Counter)
    _kept: Kept | None = None
    _again: str = ""
    _said: "queue.SimpleQueue[Told]" = field(default_factory=queue.SimpleQueue)
    _woken: threading.Event = field(default_factory=threading.Event)
    _topic: str = field(default_factory=lambda: f"mailrace-{uuid4().hex}")
    _worker_seen_at: float = 0.0
    _done: int = 0
    _cells: int = 0

    def keep_in(self, folder: Path, seed: int, command: str) -> None:
        """Keep outcomes from now on, in the command's own `folder` where the user named none."""
        place = self.state or folder / CELLS
        self._kept = Kept(place, seed)
        words = _without_out(shlex.split(command))
        more = [] if self.state else ["--state", os.path.relpath(place)]
        self._again = f"To go on: {shlex.join([*words, *more])}"

    def goes_on(self, command: str) -> None:
        """The command keeps by itself what is done; when `command` is called it goes on from there."""
        self._again = f"To go on: {command}"

    def finish(self) -> None:
        """The command came to its end: what its own folder kept for going on is removed."""
        if self.state is None and self._kept is not None:
            shutil.rmtree(self._kept.folder, ignore_errors=True)
            self._again = ""

    @property
    def again(self) -> str:
        """In a sentence, what is done and how to go on; "" where nothing was begun, or all is done."""
        return f"{self._done} of {self._cells} cells are done and kept. {self._again}" if self._again else ""

    def outcomes(
        self,
        cells: Sequence[Cell],
        ends: float | None = None,
        known: Callable[[Cell], tuple[str, ...]] = lambda _: (),
    ) -> Iterator[tuple[Cell, Outcome]]:
        """Each cell once with its outcome, in the order in which they come.

        ends    monotonic seconds after which nothing new is sent
        known   gives, when a cell is sent, the causes that need not be shown any more
        Raises MachineTrouble where the scheduler or all workers are gone; what was done is kept then.
        """
        held = [(cell, self._kept.outcome(cell) if self._kept else None) for cell in cells]
        self._cells += len(cells)
        self.watching.began(len(cells), sum(found is not None for _, found in held))
        # What was kept before needs no worker.
        for cell, found in held:
            if found is not None:
                yield cell, self._told(cell, found)
        # The others are sent as places become free.
        waiting = deque(cell for cell, found in held if found is None)
        flights: dict[DaskFuture, _Flight] = {}
        self._worker_seen_at = time.monotonic()
        self.client.subscribe_topic(self._topic, lambda event: self._said.put(event[1]))
        try:
            while waiting or flights:
                is_over = ends is not None and time.monotonic() >= ends
                while waiting and (is_over or len(flights) < self._places()):
                    cell = waiting.popleft()
                    if is_over:
                        yield cell, self._told(cell, replace(_left_out(cell, OUT_OF_TIME), is_whole=False))
                    else:
                        self._send(_Flight(cell, known(cell)), flights, ends)
                self._woken.wait(LOOK_S)
                self._woken.clear()
                self._require_connection()
                self._tell(flights)
                # Outcomes that have come are handed on. A cell without one lost its worker, and is sent
                # again.
                for future in [one for one in flights if one.done()]:
                    flight = flights.pop(future)
                    outcome = self._landed(future, flight)
                    if outcome is None:
                        self._send(replace(flight, deaths=flight.deaths + 1), flights, ends)
                    else:
                        yield flight.cell, self._told(flight.cell, outcome)
                # Past the grace nobody is waited for.
                if ends is not None and time.monotonic() > ends + GRACE_S:
                    for flight in flights.values():
                        cut = replace(_left_out(flight.cell, CUT_OFF), is_whole=False)
                        yield flight.cell, self._told(flight.cell, cut)
                    break
        finally:
            # Workers that are still on a cell are told that nobody wants it any more.
            for future in flights:
                future.cancel()

    def _places(self) -> int:
        """How many cells can be worked on at once."""
        workers = self.client.scheduler_info(n_workers=-1).get("workers", {})
        return sum(one["nthreads"] for one in workers.values())

    def _send(self, flight: "_Flight", flights: dict[DaskFuture, "_Flight"], ends: float | None) -> None:
        sent = Sent(
            cell=flight.cell,
            left_s=None if ends is None else max(0.1, ends - time.monotonic()),
            known=flight.known,
            is_alone=self.is_alone,
            topic=self._topic,
        )
        key = f"mailrace-{flight.cell.key}-{uuid4().hex}"
        future = self.client.submit(perform, text_of(sent), key=key, pure=False)
        future.add_done_callback(lambda _: self._woken.set())
        flights[future] = flight

    def _landed(self, future: DaskFuture, flight: "_Flight") -> Outcome | None:
        """What came of a cell that is over; None: its workers were killed, and it is sent again."""
        from distributed import KilledWorker

        cell = flight.cell
        if future.status == "finished" and (text := str(future.result())):
            try:
                return outcome_from(text, cell)
            except UsageError as wrong:
                return replace(_left_out(cell, str(wrong)), step="see that all workers run the same mailrace")
        error = future.exception() if future.status == "error" else None
        # Dask itself tries a cell on other workers first. The cell may be what ends them.
        if error is None or isinstance(error, KilledWorker):
            if flight.deaths + 1 < DEATHS_MAX:
                return None
            why = "its worker was killed again and again"
            return replace(_left_out(cell, why), step="see what ends it there, such as a lack of memory")
        why = f"a worker could not begin it ({error!r:.500})"
        return replace(_left_out(cell, why), step="install mailrace[campaign] of this version on its machine")

    def _told(self, cell: Cell, outcome: Outcome) -> Outcome:
        if self._kept is not None:
            self._kept.keep(outcome)
        if outcome.machine:
            self.by[outcome.machine] += 1
        self._done += not outcome.why
        self.watching.done(cell.name, outcome)
        return outcome

    def _tell(self, flights: Mapping[DaskFuture, "_Flight"]) -> None:
        names = {flight.cell.key: flight.cell.name for flight in flights.values()}
        while not self._said.empty():
            told = self._said.get()
            name = names.get(str(told["key"]))
            if name is not None:
                self.watching.works(str(told["by"]), str(told["host"]), name, str(told["said"]))

    def _require_connection(self) -> None:
        """Raises MachineTrouble where nobody is left who could go on."""
        now, lost = time.monotonic(), ""
        if self.client.status != "running":
            lost = "the scheduler does not answer any more"
        elif self._places():
            self._worker_seen_at = now
        elif now - self._worker_seen_at > self.patience.workers_s:
            lost = f"the scheduler has had no worker for {self.patience.workers_s:g} s"
        if lost:
            raise MachineTrouble(f"{lost}; {self.again}")


@dataclass(frozen=True, slots=True)
class _Flight:
    """A cell under way. `deaths`: how often it was given up because its workers were killed."""

    cell: Cell
    known: tuple[str, ...] = ()
    deaths: int = 0


def _left_out(cell: Cell, why: str) -> Outcome:
    return Outcome(key=cell.key, why=why[:4_000])


def _without_out(words: Sequence[str]) -> list[str]:
    """The words without `--out FOLDER`: that folder holds something by now, and would be refused."""
    found, rest = [], iter(words)
    for word in rest:
        if word == "--out":
            next(rest, "")
        elif not word.startswith("--out="):
            found.append(word)
    return found


def who_did_what(by: Mapping[str, int]) -> str:
    """`build-1, worker 0: 7 cells; build-2, worker 1: 5 cells`; "" where nobody did anything."""
    return "; ".join(f"{who}: {plural(n, 'cell')}" for who, n in sorted(by.items()))
