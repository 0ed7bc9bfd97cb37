"""A managed server's process: flags, environment, ports, log, and failures to start, on a fake program."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Liveness, VersionSource
from mailrace.targets import managed, open_target
from mailrace.targets.managed import ManagedTarget, Program
from mailrace.targets.ready import WAITS, Waits

FAKE = str(Path(__file__).with_name("fake_server.py"))


def fake(
    options: ServerOptions | None = None, *words: str, flags: frozenset[str] | None = None, **more: object
) -> ManagedTarget:
    command = (sys.executable, FAKE, *(("--fake", *words) if words else ()))
    program = Program(command=command, version="0.0.0", source=VersionSource.UNKNOWN, flags=flags)
    return ManagedTarget("fake", program, options or ServerOptions(), **more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of its own for each test, empty again at its end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def said(target: ManagedTarget, word: str) -> list[str]:
    return [line.text for line in target.log_since(0) if line.text.startswith(word)]


def test_flags_of_every_start_and_of_the_options() -> None:
    target = fake(
        ServerOptions(
            ignore_duplicate_ids=True, tags_disable=("x-tags", "plus-addresses"), extra=("--quiet",)
        )
    )
    target.start()
    try:
        assert said(target, "flags") == [
            "flags --max 0 --smtp-disable-rdns --disable-version-check --ignore-duplicate-ids "
            "--tags-disable x-tags,plus-addresses --quiet"
        ]
        assert target.info.settings["ignore_duplicate_ids"] == "true"
    finally:
        target.stop()


def test_a_flag_that_the_program_lacks_is_left_out_or_refused() -> None:
    old = frozenset({"--ignore-duplicate-ids"})
    target = fake(flags=old)
    target.start()
    try:
        assert said(target, "flags") == ["flags --max 0 --smtp-disable-rdns"]
    finally:
        target.stop()
    with pytest.raises(TargetError, match=r"0\.0\.0 has no --tags-disable, which the scenario asks for"):
        fake(ServerOptions(tags_disable=("x-tags",)), flags=old).start()


def test_environment_is_cleaned_and_gomaxprocs_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MP_MAX_MESSAGES", "5")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("MAILRACE_SMTP_PASSWORD", "secret")
    target = fake(gomaxprocs=7)
    target.start()
    try:
        assert said(target, "environment") == ["environment GOMAXPROCS=7"]
        assert target.info.settings == {"GOMAXPROCS": "7"}
    finally:
        target.stop()


def test_gomaxprocs_is_at_least_four() -> None:
    assert int(fake().info.settings["GOMAXPROCS"]) == max(4, os.cpu_count() or 1)


def test_database_can_be_given() -> None:
    target = fake(database="/dev/null")
    target.start()
    try:
        assert said(target, "database") == ["database /dev/null"]
        assert target.info.storage == "sqlite"
    finally:
        target.stop()
    assert fake(database="http://127.0.0.1:1").info.storage == "rqlite (database proxy)"


@pytest.mark.parametrize(
    "pair", [("u", "a b"), ("u:v", "a"), ("u", "{SHA}x"), ("u", ""), ("", "a"), ("u", "$1")]
)
def test_passwords_that_mailpit_would_misread(pair: tuple[str, str]) -> None:
    target = fake(ServerOptions(smtp_auth=dict([pair])))
    with pytest.raises(TargetError, match="Mailpit takes no white space"):
        target.start()


def test_instances_need_a_store_that_they_can_share() -> None:
    with pytest.raises(TargetError, match="2 instances need one rqlite store"):
        fake(ServerOptions(instances=2)).start()


def test_a_taken_port_is_a_reason_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        real = managed._free_ports
        drawn = iter([(taken.getsockname()[1], *real()[1:])])
        monkeypatch.setattr(managed, "_free_ports", lambda: next(drawn, None) or real())
        target = fake()
        target.start()
        try:
            assert target.addresses.smtp_port != taken.getsockname()[1]
            assert len(target.pids()) == 1
        finally:
            target.stop()


@pytest.mark.mailpit
def test_a_taken_pop3_port_without_which_a_release_goes_on_is_one_as_well(
    monkeypatch: pytest.MonkeyPatch, real_mailpit: Callable[[str], str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        real = managed._free_ports
        drawn = iter([(*real()[:2], taken.getsockname()[1])])
        monkeypatch.setattr(managed, "_free_ports", lambda: next(drawn, None) or real())
        target = open_target(real_mailpit("1.33.1"), ServerOptions(pop3=True))
        try:
            target.start()
            assert target.addresses.pop3_port not in (0, taken.getsockname()[1])
        finally:
            target.stop()


def test_ports_taken_every_time_end_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(managed, "_free_ports", lambda: (port, port, port))
        with pytest.raises(TargetError, match="ports were taken by others 5 times"):
            fake(waits=Waits(look_s=0.1)).start()


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("exits", r"ended at once \(exit status 1\); its last lines: .*it does not want to"),
        ("deaf", r"no greeting on 127\.0\.0\.1:\d+ within 0\.5 s"),
        ("unready", r"readyz is not 200 within 0\.5 s"),
    ],
)
def test_a_server_that_does_not_get_ready(word: str, sentence: str) -> None:
    target = fake(None, word, waits=WAITS if word == "exits" else Waits(ready_s=0.5))
    with pytest.raises(TargetError, match=f"(?s){sentence}"):
        target.start()
    assert target.pid() is None
    target.stop()


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    program = Program(command=(str(tmp_path / "none"),), version="0", source=VersionSource.UNKNOWN)
    with pytest.raises(TargetError, match="cannot be started"):
        ManagedTarget("fake", program, ServerOptions()).start()


def test_start_after_a_failed_start(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    target = fake(folder=folder)
    with pytest.raises(TargetError, match="log cannot be written"):
        target.start()
    folder.mkdir()
    target.start()
    target.stop()
    lines = (folder / "server.log").read_text().splitlines()
    assert lines[0].split(" ", 1)[1] == "flags --max 0 --smtp-disable-rdns --disable-version-check"
    stamps = [int(line.split(" ", 1)[0]) for line in lines]
    assert stamps == sorted(stamps)


def test_log_since_an_instant_and_long_lines() -> None:
    target = fake(None, "loud")
    target.start()
    try:
        lines = target.log_since(0)
        assert max(len(line.text) for line in lines) <= 4_000
        assert target.log_since(lines[-1].t_ns)[-1:] == lines[-1:]
        assert target.log_since(lines[-1].t_ns + 1) == ()
    finally:
        target.stop()


def test_a_stopped_process_is_hung_and_an_ended_one_dead() -> None:
    target = fake()
    assert target.liveness() is Liveness.DEAD
    target.start()
    try:
        pid = target.pid()
        assert pid is not None
        process = psutil.Process(pid)
        assert target.liveness() is Liveness.ALIVE
        process.send_signal(signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        assert target.liveness(0.2) is Liveness.HUNG
        process.send_signal(signal.SIGCONT)
        assert target.liveness() is Liveness.ALIVE
        process.kill()
        assert target._processes[0].ended.wait(5)
        assert target.liveness() is Liveness.DEAD
        assert target.how_it_ended() == "signal 9 (SIGKILL)"
    finally:
        target.stop()


def test_addresses_before_a_start_are_an_error() -> None:
    with pytest.raises(TargetError, match="not started"):
        _ = fake().addresses
