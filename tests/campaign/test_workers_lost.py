"""Workers that are killed and a scheduler that goes: nothing that was done is lost or there twice."""

import json
import multiprocessing
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from cells import Told, by_key, campaign, cell, need_dask, work
from mailrace.campaign.workers import Workers
from running import LIMIT_S, TICK, Running, environment, is_alive, mailrace, wait_until

pytestmark = pytest.mark.slow
KILLS = 20
DASK = [sys.executable, "-m", "dask"]
LOOPBACK = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")


@pytest.fixture(autouse=True)
def dask() -> None:
    need_dask()


@contextmanager
def started(*words: object, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One of Dask's commands as a process, ended with all its children."""
    with (cwd / "dask.log").open("ab") as log:
        process = subprocess.Popen(
            [*DASK, *map(str, words)], cwd=cwd, env=environment(cwd), stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        family = []
        with suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait(LIMIT_S)
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, LIMIT_S)


@contextmanager
def scheduler(cwd: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Dask's scheduler on the loopback, and its address."""
    file = cwd / "scheduler.json"
    with started("scheduler", *LOOPBACK, "--port", 0, "--scheduler-file", file, cwd=cwd) as process:
        wait_until(lambda: file.is_file() and file.stat().st_size > 0, LIMIT_S)
        yield process, json.loads(file.read_text())["address"]


def worker(address: str, cwd: Path) -> Any:
    """A worker with a nanny, which starts it again when it is killed."""
    return started("worker", address, *LOOPBACK, "--nthreads", 1, cwd=cwd)


class Crew:
    """Workers as processes of their own, started quickly; another takes the place of one that is killed."""

    def __init__(self, address: str, count: int) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["distributed", "mailrace.campaign.perform"])
        self.address, self.killed = address, 0
        self.left: list[psutil.Process] = []
        """What workers that were killed had started."""
        self.workers = [self.another() for _ in range(count)]

    def another(self) -> Any:
        one = self.context.Process(target=work, args=(self.address,))
        one.start()
        return one

    def kill(self, number: int) -> None:
        with suppress(psutil.NoSuchProcess):
            self.left += psutil.Process(self.workers[number].pid).children(recursive=True)
        self.workers[number].kill()
        self.workers[number].join(LIMIT_S)
        self.killed += 1
        self.workers[number] = self.another()

    def end(self) -> None:
        for one in self.workers:
            one.kill()
            one.join(LIMIT_S)


def test_workers_killed_at_twenty_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    cells = [cell("no-rset-after-failure", seed=seed) for seed in range(8)]
    cells += [cell("shared-known-tag", "embedded@fixed"), cell("send-rename-tag", "embedded@fixed")]
    moments, told = random.Random(20), Told()
    with (
        scheduler(tmp_path) as (_, address),
        campaign(Workers(address=address), told, tmp_path / "s") as workers,
    ):
        workers.keep_in(tmp_path, 3, "mailrace …")
        crew, ended = Crew(address, 2), threading.Event()

        def kill() -> None:
            while crew.killed < KILLS and not ended.is_set():
                TICK.wait(moments.uniform(0.1, 1.5))
                crew.kill(moments.randrange(2))

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            found = by_key(list(workers.outcomes(cells)))
        finally:
            ended.set()
            killer.join(LIMIT_S)
            crew.end()
    assert crew.killed >= KILLS, "it was over before workers had been killed so often"
    assert set(found) == {one.key for one in cells}
    assert [one.why for one in found.values() if one.why] == []
    assert sorted(told.names) == sorted(one.name for one in cells)
    verdicts = sorted(json.loads(one.files["run.json"])["verdict"] for one in found.values())
    assert verdicts == ["INCONCLUSIVE"] * 8 + ["PASS"] * 2
    assert {path.stem for path in (tmp_path / "s").glob("*.json")} == {"campaign", *found}
    # What a worker had started when it was killed ends by itself: the cell's process and its servers.
    assert [one for one in psutil.wait_procs(crew.left, 30.0)[1] if is_alive(one)] == []


def test_a_scheduler_that_goes_leaves_what_was_done_and_the_state_goes_on(tmp_path: Path) -> None:
    words = ("steer", "no-rset-after-failure", "send-rename-tag", "shared-known-tag", "-t", "embedded@fixed")
    state = tmp_path / "kept"
    with scheduler(tmp_path) as (process, address), worker(address, tmp_path):
        told = ("--workers", address, "--state", state)
        with Running(*words, *told, "--seed", 7, "--out", "first", cwd=tmp_path) as running:
            wait_until(lambda: len(list(state.glob("*.json"))) > 1, LIMIT_S)
            process.kill()
            running.process.wait(LIMIT_S)
            said = running.err.read_text()
    assert running.process.returncode == 4, said
    assert "the scheduler does not answer any more" in said
    assert "To go on: mailrace steer no-rset-after-failure" in said
    # What was done stands in the command's own folder as well.
    assert "INCONCLUSIVE" in mailrace("report", "first", cwd=tmp_path).stdout
    done = mailrace(*words, "--workers", 1, "--state", state, "--out", "second", cwd=tmp_path)
    assert "of them done before" in done.stderr
    document = json.loads((tmp_path / "second" / "run.json").read_text())
    assert document["seed"] == 7
    assert [one["verdict"] for one in document["scenarios"]] == ["INCONCLUSIVE", "PASS", "PASS"]
