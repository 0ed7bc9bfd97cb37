"""The machine's trouble is not the server's: what looks like a hang or a crash, and what is one."""

import os
import resource
import signal
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from mailrace.history import Journal
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import Loss
from mailrace.model.operation import ServerOptions
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.target import Liveness
from mailrace.race import Limits, RaceOptions, Side, hang
from mailrace.race.tuner import Draw
from mailrace.run import Output, RunRequest, run
from mailrace.scenario import Plan, scenario_from, shipped
from mailrace.targets import open_target
from mailrace.targets.machine import full_disk, lacking_in
from mailrace.verdict import exit_status

from tests.scripted_box import Script
from tests.scripted_server import ScriptedServer

pytestmark = pytest.mark.slow

CALM = Draw(shift_us=0.0, jitter=(0.0,) * 64, decoys=0, arm=0)
LIMITS = Limits(reply_s=1.5, look_s=0.2, connect_s=1.5, return_s=0.5, skew_us=1e9, serial_rounds=2)
DATA = {"name": "s", "title": "t", "actors": [{"send": {"count": 2}}], "rounds": 3}
SCENARIO = scenario_from(DATA, shipped())


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    """Two senders at a server of ours that has none of the races."""
    with raced_on("embedded@fixed", tmp_path) as one:
        yield one


def signalled(side: Side, number: int) -> None:
    pid = side.target.pid()
    assert pid is not None
    os.kill(pid, number)


def on_disk(_: int | None) -> set[str]:
    """What /proc shows of threads that wait for a device, as nobody can make a process do at will."""
    return {"S", "D"}


STATES = pytest.mark.parametrize("states", [on_disk, None], ids=["a disk", "a signal"])


@STATES
def test_what_stops_a_server_for_a_while_is_no_hang(
    states: Callable[[int | None], set[str]] | None, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = side.target.pid()
    assert pid is not None
    if states is not None:
        monkeypatch.setattr(hang, "_states", states)
    signalled(side, signal.SIGSTOP)
    goes_on = threading.Timer(2 * LIMITS.reply_s, os.kill, (pid, signal.SIGCONT))
    goes_on.start()
    side.run(0, CALM)
    goes_on.join()
    (judged,) = side.judged()
    assert (judged.anomalies, judged.record.hung) == ((), ())
    assert judged.is_counted, "its answers came when it went on"


@STATES
def test_a_disk_that_never_comes_back_is_the_machines_doing(
    states: Callable[[int | None], set[str]] | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limits = replace(LIMITS, pause_s=1.0)
    with raced_on("embedded@fixed", tmp_path, limits) as side:
        if states is not None:
            monkeypatch.setattr(hang, "_states", states)
        signalled(side, signal.SIGSTOP)
        side.run(0, CALM)
        signalled(side, signal.SIGCONT)
        (judged,) = side.judged()
    assert (judged.anomalies, judged.record.hung) == ((), ())
    assert judged.loss is Loss.MACHINE
    said = "waited for a disk (state D" if states is not None else "stopped by a signal from outside (state T"
    assert said in judged.not_looked


def test_a_pause_while_the_store_is_looked_at_is_no_hang(side: Side) -> None:
    pid = side.target.pid()
    assert pid is not None
    side.run(0, CALM)
    signalled(side, signal.SIGSTOP)
    goes_on = threading.Timer(3.0, os.kill, (pid, signal.SIGCONT))
    goes_on.start()
    (judged,) = side.judged()
    goes_on.join()
    assert judged.anomalies == ()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_from_outside_is_named_and_no_crash(side: Side, number: int) -> None:
    signalled(side, number)
    side.run(0, CALM)
    side.run(1, CALM)
    first, second = side.judged()
    assert first.anomalies == ()
    assert first.loss is Loss.MACHINE
    assert signal.Signals(number).name in first.not_looked
    assert second.is_counted, "it was started anew"
    assert (side.tally.refused, side.tally.lost) == (0, 1)


def test_a_server_that_was_told_to_end_did_not_crash(side: Side) -> None:
    for index in range(2):
        signalled(side, signal.SIGTERM)
        side.run(index, CALM)
    for judged in side.judged():
        assert judged.anomalies == ()
        assert judged.loss is Loss.UNVERIFIED, "it may have done so by itself: no PASS"
        assert "ended in order (exit status 0)" in judged.not_looked


def test_a_crash_counts_when_it_comes_twice(side: Side) -> None:
    for index in range(2):
        signalled(side, signal.SIGSEGV)
        side.run(index, CALM)
    side.run(2, CALM)
    first, second, third = side.judged()
    assert first.anomalies == ()
    assert "crash was seen once only" in first.not_looked
    assert first.loss is Loss.UNVERIFIED, "and it allows no PASS"
    assert [a.name for a in second.anomalies] == [AnomalyName.CRASH]
    assert "SIGSEGV" in second.anomalies[0].proof
    assert third.is_counted


def test_too_few_file_descriptors_of_ours_are_no_crash(side: Side) -> None:
    side.lane.drop()
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    plugs: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 2, most))
        with suppress(OSError):
            while True:
                plugs.append(os.open(os.devnull, os.O_RDONLY))
        side.run(0, CALM)
        assert side.target.liveness() is Liveness.UNSEEN
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))
        for plug in plugs:
            os.close(plug)
    side.run(1, CALM)
    first, second = side.judged()
    assert first.loss is Loss.DROPPED
    assert "too many open files" in first.not_looked
    assert first.anomalies == ()
    assert second.is_counted
    assert side.tally.refused == 0


def test_a_full_temporary_folder_is_named(
    side: Side, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = os.statvfs

    def full(path: Path) -> os.statvfs_result:
        seen = list(real(path))
        seen[4] = 0  # f_bavail
        return os.statvfs_result(seen)

    assert full_disk(tmp_path) == ""
    monkeypatch.setattr(os, "statvfs", full)
    assert "no space is left in its temporary folder" in side.target.trouble(0)


@pytest.mark.parametrize(
    "line",
    [
        'level=error msg="[db] error storing message: database or disk is full (13)"',
        "write /tmp/x/mailpit.db-wal: no space left on device",
        "http: Accept error: accept tcp 127.0.0.1:1: accept4: too many open files; retrying in 5ms",
        "fork/exec: cannot allocate memory",
    ],
)
def test_a_line_that_tells_of_the_machine_is_known(line: str) -> None:
    assert "its machine was in trouble" in lacking_in(line)
    assert lacking_in('level=error msg="[db] UNIQUE constraint failed: tags.Name"') == ""


def no_more_room(side: Side) -> None:
    """From now on no file of the server grows: what a full file system or a quota does to it."""
    pid = side.target.pid()
    assert pid is not None
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, 4096))


@contextmanager
def raced_on(name: str, folder: Path, limits: Limits = LIMITS) -> Iterator[Side]:
    """Two senders at that server of ours, calibrated."""
    with ExitStack() as stack:
        # Under nohup a server would ignore SIGHUP, as it inherits that from us.
        stack.callback(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL))
        target = open_target(name, ServerOptions(), folder=folder)
        stack.callback(target.stop)
        target.start()
        journal = Journal(folder / "history.jsonl")
        stack.callback(journal.close)
        options = RaceOptions(rounds=10, profile="rate", seed=1, limits=limits)
        one = Side("target", Plan(SCENARIO, 1, "mr00000000"), target, journal, options)
        stack.callback(one.lane.close)
        one.calibrate()
        yield one


def run_without_room(side: Side) -> None:
    side.run(0, CALM)
    no_more_room(side)
    for index in range(1, 5):
        side.run(index, CALM)
    first, *others = side.judged()
    assert first.is_counted, first.not_looked
    assert [judged.anomalies for judged in others] == [()] * 4
    assert {judged.loss for judged in others} == {Loss.MACHINE}, [judged.not_looked for judged in others]
    assert all("its machine was in trouble" in judged.not_looked for judged in others)


def test_a_disk_that_fills_up_is_no_race_and_no_refusal(side: Side) -> None:
    run_without_room(side)


@pytest.mark.mailpit
def test_a_disk_that_fills_up_under_the_real_one(real_mailpit: Callable[[str], str], tmp_path: Path) -> None:
    with raced_on(real_mailpit("1.33.1"), tmp_path) as side:
        run_without_room(side)


def test_a_line_that_comes_after_the_answer_still_tells_of_the_disk(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal is read before the line that explains it; when the round is judged the line is there."""
    no_more_room(side)
    monkeypatch.setattr(side.target, "trouble", lambda since_ns: "")
    for index in range(3):
        side.run(index, CALM)
    for judged in side.judged():
        assert judged.anomalies == ()
        assert not judged.is_counted
        assert judged.loss is Loss.MACHINE, judged.not_looked


class OneByOne(ScriptedServer):
    """Answers final dots one after the other, each some time after the last."""

    def _say(self, session: socketserver.StreamRequestHandler, script: Script, stage: str) -> bool:
        if stage != "dot":
            return super()._say(session, script, stage)
        with self._turn:
            self.over.wait(0.3)
            return super()._say(session, script, stage)

    _turn = threading.Lock()


def raced(server: ScriptedServer, tmp_path: Path, count: int, limits: Limits) -> ScenarioResult:
    data = {"name": "s", "title": "t", "actors": [{"send": {"count": count}}], "rounds": 2}
    request = RunRequest.of(server.name, Output(out=tmp_path / "out", formats=()))
    (result,) = run([scenario_from(data, Path(shipped()))], request, limits=limits).result.scenarios
    return result


def test_slow_is_not_hung(tmp_path: Path) -> None:
    """Six mails take 1.8 s where one answer may take 0.6 s: as long as answers come, none of them hangs."""
    with OneByOne() as server:
        result = raced(server, tmp_path, 6, Limits(reply_s=0.6, look_s=0.2, skew_us=1e9, serial_rounds=1))
    assert dict(result.anomalies) == {}
    assert (result.rounds, result.rounds_lost) == (2, 0)


@pytest.mark.parametrize("stage", ["MAIL", "DATA", "dot"])
def test_a_server_that_is_not_ours_and_refuses_is_gone_and_no_crash(stage: str, tmp_path: Path) -> None:
    with ScriptedServer(dies_at=stage, sessions_good=2) as server:
        result = raced(server, tmp_path, 2, LIMITS)
    assert result.verdict is Verdict.FAILED
    assert exit_status([result.verdict]) == 4
    assert "it is gone" in result.reason
    assert dict(result.anomalies) == {}
