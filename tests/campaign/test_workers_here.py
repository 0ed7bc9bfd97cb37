"""Workers of this machine: what is found is the same however many there are; nobody but us can reach them."""

import json
import os
import socketserver
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from cells import Told, by_key, campaign, cell, need_dask, request, scenario
from mailrace.campaign.runs import run_on
from mailrace.campaign.workers import Patience, Workers, connected, workers_of
from mailrace.model.errors import MachineTrouble, UsageError
from mailrace.model.request import Output
from mailrace.model.result import RunResult
from mailrace.run import run
from running import TICK, mailrace

pytestmark = pytest.mark.slow

NAMES = ("send-delete-unrelated", "no-rset-after-failure", "send-rename-tag")


@pytest.fixture(autouse=True)
def dask() -> None:
    need_dask()


def found(result: RunResult) -> list[object]:
    """What does not depend on times and on tokens of a run."""
    return [
        (
            one.name,
            one.verdict,
            one.reason,
            dict(one.anomalies),
            one.schedules and (one.schedules.classes, one.schedules.violating, one.schedules.exhaustive),
            [cause.name for cause in one.schedules.causes] if one.schedules else [],
            [w.schedule.text for w in one.witnesses if w.schedule],
        )
        for one in result.scenarios
    ]


@pytest.mark.slow
def test_one_two_and_eight_workers_find_the_same_as_none(tmp_path: Path) -> None:
    scenarios = [scenario(name) for name in NAMES]
    asked = request("embedded@1.27.11")
    alone = run(scenarios, replace(asked, output=Output(out=tmp_path / "0", formats=())))
    assert {str(one.verdict) for one in alone.result.scenarios} == {"RACE", "INCONCLUSIVE", "PASS"}
    for count in (1, 2, 8):
        out = replace(asked, output=Output(out=tmp_path / str(count), formats=()))
        with campaign(Workers(count=count)) as workers:
            done = run_on(workers, scenarios, out)
        assert found(done.result) == found(alone.result)
        assert sum(workers.by.values()) == len(NAMES)
        # The folder is that of a run: whole in itself, and with no word of where the work was done.
        files = {path.name for path in done.folder.iterdir()}
        assert files == {path.name for path in alone.folder.iterdir()}
        texts = "".join(path.read_text(errors="replace") for path in done.folder.iterdir() if path.is_file())
        assert "cell-" not in texts
        assert "mailrace-" not in texts
        (replay,) = {w.replay for one in done.result.scenarios for w in one.witnesses}
        assert replay.startswith(f"mailrace replay {os.path.relpath(done.folder)} --scenario {NAMES[0]}")
    assert all(one.machine for one in done.result.scenarios)
    assert done.result.environment["workers"].count("worker") >= 2


@pytest.mark.slow
def test_a_native_scenario_is_raced_whole_by_one_worker(tmp_path: Path) -> None:
    asked = replace(
        request("embedded@1.17.0", "race", rounds=3), output=Output(out=tmp_path / "o", formats=())
    )
    told = Told()
    with campaign(Workers(count=2), told) as workers:
        done = run_on(workers, [scenario("shared-new-tag")], asked)
    (one,) = done.result.scenarios
    assert one.rounds + one.rounds_lost == 3
    assert workers.by == {one.machine: 1}
    assert told.workers == {one.machine}
    history = (done.folder / "history.jsonl").read_text().splitlines()
    assert sum(json.loads(line)["kind"] == "result" for line in history) == 1


@pytest.mark.parametrize(("kills", "why"), [(1, ""), (3, "ended from outside 3 times, at last by SIGKILL")])
def test_a_cell_s_process_that_is_ended_from_outside_is_tried_again(
    tmp_path: Path, kills: int, why: str
) -> None:
    ended = threading.Event()
    killed: list[int] = []

    def cells() -> list[psutil.Process]:
        found = []
        for one in psutil.Process().children():
            with suppress(psutil.Error):
                found += [one] if "mailrace.campaign" in one.cmdline() else []
        return found

    def kill() -> None:
        while len(killed) < kills and not ended.is_set():
            for one in cells():
                if one.pid not in killed and one.is_running():
                    one.kill()
                    killed.append(one.pid)
            TICK.wait(0.02)

    killer = threading.Thread(target=kill)
    with campaign(Workers(count=1)) as workers:
        workers.keep_in(tmp_path, 3, "mailrace …")
        killer.start()
        found = by_key(list(workers.outcomes([cell("no-rset-after-failure")])))
        ended.set()
        killer.join()
    (one,) = found.values()
    assert len(killed) == kills
    assert (why in one.why, bool(one.why)) == (True, bool(why))
    assert bool(one.files) is not bool(why)


@pytest.mark.slow
def test_what_is_kept_is_not_looked_at_again(tmp_path: Path) -> None:
    cells = [cell("no-rset-after-failure"), cell("no-rset-after-failure", seed=4)]
    with campaign(Workers(count=1), state=tmp_path / "s") as workers:
        workers.keep_in(tmp_path, 3, "mailrace …")
        first = by_key(list(workers.outcomes(cells[:1])))
    told = Told()
    with campaign(Workers(count=1), told, state=tmp_path / "s") as workers:
        workers.keep_in(tmp_path, 3, "mailrace …")
        both = by_key(list(workers.outcomes(cells)))
    assert told.began_with == [(2, 1)]
    assert both[cells[0].key] == first[cells[0].key]
    assert both[cells[1].key].machine


def test_past_the_time_limit_nothing_new_is_sent(tmp_path: Path) -> None:
    with campaign(Workers(count=1)) as workers:
        workers.keep_in(tmp_path, 3, "mailrace …")
        found = by_key(list(workers.outcomes([cell("no-rset-after-failure")], ends=0.0)))
    (one,) = found.values()
    assert "time limit" in one.why
    assert not one.is_whole


def test_workers_of_this_machine_are_reached_from_nowhere_else() -> None:
    def listening() -> set[tuple[str, int]]:
        us = psutil.Process().net_connections("inet")
        return {(one.laddr.ip, one.laddr.port) for one in us if one.status == psutil.CONN_LISTEN}

    before = listening()
    with connected(Workers(count=2), Patience()) as client:
        opened = listening() - before
        assert client.scheduler.address.startswith("inproc://"), "no pickle comes in through a port"
        assert {ip for ip, _ in opened} <= {"127.0.0.1"}
    assert listening() - before == set()


@pytest.mark.slow
def test_what_is_no_scheduler_is_said_to_be_none() -> None:
    short = Patience(scheduler_s=1.0)
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        answering = threading.Thread(target=server.serve_forever)
        answering.start()
        try:
            for port in (server.server_address[1], 1):
                named = Workers(address=f"tcp://127.0.0.1:{port}")
                with (
                    pytest.raises(MachineTrouble, match="no scheduler of Dask answers"),
                    connected(named, short),
                ):
                    pass
        finally:
            server.shutdown()
            answering.join()
    with (
        pytest.raises(UsageError, match="no certificates"),
        connected(workers_of("tls://127.0.0.1:1"), short),
    ):
        pass


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with (
        pytest.raises(UsageError, match=r"pip install 'mailrace\[campaign\]'"),
        connected(Workers(1), Patience()),
    ):
        pass


@pytest.mark.slow
def test_the_command_says_who_did_what(tmp_path: Path) -> None:
    words = ("steer", "no-rset-after-failure", "shared-known-tag", "-t", "embedded@fixed", "--workers", 2)
    done = mailrace(*words, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    assert "2 of 2:" in done.stderr
    assert "who did what: " in done.stderr
    (folder,) = (path for path in (tmp_path / "reports").iterdir() if path.is_dir() and not path.is_symlink())
    assert "worker" in (folder / "report.html").read_text()
    assert not (folder / "cells").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--workers", "many"), "wanted a number"),
        (("--state", "s"), "--state is about workers"),
        (("--share-machine",), "--share-machine is about workers"),
        (("--workers", "2", "-t", "http://127.0.0.1:1?smtp=127.0.0.1:2"), "leave --workers away"),
    ],
)
def test_what_cannot_be_asked_is_said_at_once(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = mailrace("run", "shared-new-tag", *words, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
