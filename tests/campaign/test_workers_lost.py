"""Workers that are killed and a scheduler that goes: nothing that was done is lost, and nothing is there twice."""

import json
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from cells import Told, by_key, campaign, cell, need_dask
from mailrace.campaign.workers import Workers
from running import LIMIT_S, TICK, Running, environment, mailrace, wait_until

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


def cells_processes(parent: int) -> list[psutil.Process]:
    """The workers' own processes and those of their cells, below a nanny."""
    with suppress(psutil.NoSuchProcess):
        return [one for one in psutil.Process(parent).children(recursive=True) if one.is_running()]
    return []


def is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return "multiprocessing" in " ".join(process.cmdline()) and "tracker" not in " ".join(
            process.cmdline()
        )
    return False


def test_a_worker_killed_at_twenty_moments_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    seeds, told = range(6), Told()
    cells = [cell("no-rset-after-failure", seed=seed) for seed in seeds]
    cells.append(cell("shared-known-tag", "embedded@fixed"))
    moments, over, killed, orphans = random.Random(20), threading.Event(), [], []

    def kill(nanny: int) -> None:
        while len(killed) < KILLS and not over.is_set():
            TICK.wait(moments.uniform(0.05, 0.6))
            family = cells_processes(nanny)
            for one in filter(is_worker, family):
                orphans.extend(family)
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGKILL)
                    killed.append(one.pid)

    with scheduler(tmp_path) as (_, address), worker(address, tmp_path) as nanny:
        killer = threading.Thread(target=kill, args=(nanny.pid,))
        with campaign(Workers(address=address), told, state=tmp_path / "s") as workers:
            workers.keep_in(tmp_path, 3, "mailrace …")
            wait_until(lambda: any(map(is_worker, cells_processes(nanny.pid))), LIMIT_S)
            killer.start()
            try:
                found = by_key(list(workers.outcomes(cells)))
            finally:
                over.set()
                killer.join(LIMIT_S)
        assert len(killed) >= KILLS, "it was over before it had been killed so often"
        assert set(found) == {one.key for one in cells}
        assert [(one.why, sorted(one.files)) for one in found.values() if one.why] == []
        assert sorted(told.names) == sorted(one.name for one in cells)
        # Whoever is killed leaves cells and servers behind, which end by themselves.
        left = [one for one in orphans if not is_worker(one)]
        assert psutil.wait_procs(left, 30.0)[1] == []
    kept = {path.stem for path in (tmp_path / "s").glob("*.json")} - {"campaign"}
    assert kept == set(found)


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
