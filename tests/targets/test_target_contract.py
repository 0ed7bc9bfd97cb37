"""What every target does, whatever is behind it: the contract of `mailrace.model.target.Target`."""

import os
import smtplib
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from mailrace.model.errors import InternalError
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Liveness, Target
from mailrace.targets import open_target
from mailrace.targets.external import ExternalTarget
from mailrace.targets.managed import ManagedTarget

from tests.running import wait_until

pytestmark = pytest.mark.slow

DOMAIN = "mr-contract0.test"
real = pytest.mark.mailpit

TARGETS = [
    "embedded@fixed",
    pytest.param("embedded@1.30.5", marks=pytest.mark.slow),
    pytest.param("mailpit@1.27.11", marks=real),
    pytest.param("mailpit@1.30.5", marks=real),
    pytest.param("external embedded@fixed", marks=pytest.mark.slow),
    pytest.param("external mailpit@1.30.5", marks=real),
]


class Subject:
    """A target under test, and the server behind it (itself where it is managed)."""

    def __init__(self, name: str, options: ServerOptions) -> None:
        self.server = open_target(name.removeprefix("external "), options)
        assert isinstance(self.server, ManagedTarget)
        self.is_external = name.startswith("external ")
        self.target: Target = self.server

    def start(self) -> Target:
        self.server.start()
        if self.is_external:
            a = self.server.addresses
            self.target = open_target(f"{a.api}?smtp={a.smtp_host}:{a.smtp_port}", ServerOptions())
            self.target.start()
        return self.target

    def stop(self) -> None:
        self.target.stop()
        self.server.stop()


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(params=TARGETS)
def make(
    request: pytest.FixtureRequest, real_mailpit: Callable[[str], str]
) -> Iterator[Callable[..., Subject]]:
    """Makes subjects of one kind; all are stopped at the end."""
    name: str = request.param
    if "mailpit@" in name:
        real_mailpit(name.partition("@")[2])
    made: list[Subject] = []

    def subject(**options: Any) -> Subject:
        made.append(Subject(name, ServerOptions(**options)))
        return made[-1]

    yield subject
    for one in made:
        one.stop()


def send(target: Target, key: str, domain: str = DOMAIN, message_id: str = "", tags: str = "") -> None:
    a = target.addresses
    lines = [
        f"From: {key}@{domain}",
        f"To: {key}.to@{domain}",
        f"Reply-To: a1@{domain}",
        f"Message-ID: <{message_id or key}@{domain}>",
        f"Subject: {key}",
        *([f"X-Tags: {tags}"] if tags else []),
        "",
        "body",
    ]
    with smtplib.SMTP(a.smtp_host, a.smtp_port, timeout=10) as link:
        link.sendmail(
            f"{key}@{domain}", [f"{key}.to@{domain}", f"{key}.hid@{domain}"], "\r\n".join(lines).encode()
        )


def test_addresses_info_and_liveness_after_start(make: Callable[..., Subject]) -> None:
    subject = make()
    target = subject.start()
    addresses = target.addresses
    with socket.create_connection((addresses.smtp_host, addresses.smtp_port), 5) as link:
        assert link.recv(3) == b"220"
    assert addresses.api.startswith("http://127.0.0.1:")
    assert target.addresses_all == (addresses,)
    assert target.info.name == target.name
    assert target.is_ours is not subject.is_external
    assert bool(target.info.limits) is subject.is_external
    assert (target.pid() is None) is subject.is_external
    assert target.credentials.api is None
    assert target.liveness() is Liveness.ALIVE


def test_stored_shows_the_run_and_on_a_server_of_ours_whatever_else_is_there(
    make: Callable[..., Subject],
) -> None:
    target = make().start()
    send(target, "r00001s01", tags="Alpha, beta mr-contract0")
    send(target, "r00002s01")
    send(target, "stranger", domain="elsewhere.test", tags="theirs")
    stored = target.stored(DOMAIN)
    strangers = ["stranger"] if target.is_ours else []
    assert [m.key for m in stored.messages] == [*strangers, "r00002s01", "r00001s01"]
    message = stored.messages[-1]
    assert message.message_id == f"r00001s01@{DOMAIN}"
    assert message.sender == f"r00001s01@{DOMAIN}"
    assert message.to == (f"r00001s01.to@{DOMAIN}",)
    assert message.bcc == (f"r00001s01.hid@{DOMAIN}",)
    assert message.attempt == 1
    assert sorted(message.tags) == ["Alpha", "beta mr-contract0"]
    assert message.subject == "r00001s01"
    assert not message.read
    assert message.size > 0
    own = {"Alpha", "beta mr-contract0"}
    assert set(stored.tags) == (own | {"theirs"} if target.is_ours else own)


def test_a_source_is_what_was_sent_and_an_unknown_row_has_none(make: Callable[..., Subject]) -> None:
    target = make().start()
    send(target, "r00001s01")
    (row,) = target.stored(DOMAIN).messages
    source = target.source(row.id)
    assert source is not None
    assert len(source) == row.size
    assert b"From: r00001s01@" in source
    assert target.source("nobody") is None
    assert target.search("to:r00001s01") == (row.id,)
    assert target.search("to:r00009s01") == ()


def test_stored_of_a_block_of_rounds(make: Callable[..., Subject]) -> None:
    target = make().start()
    for key in ("r00001s01", "r00001s02", "r00002s01"):
        send(target, key)
    found = target.stored(DOMAIN, block="r00001")
    assert [m.key for m in found.messages] == ["r00001s02", "r00001s01"]
    assert target.stored(DOMAIN, block="r00009").messages == ()


def test_stored_of_an_empty_store(make: Callable[..., Subject]) -> None:
    stored = make().start().stored(DOMAIN)
    assert stored.messages == ()
    assert stored.tags == ()


def test_empty_is_for_ours_only(make: Callable[..., Subject]) -> None:
    target = make().start()
    send(target, "r00001s01", tags="x")
    if target.is_ours:
        target.empty()
        assert target.stored(DOMAIN).messages == ()
        return
    with pytest.raises(InternalError, match="never emptied"):
        target.empty()
    assert len(target.stored(DOMAIN).messages) == 1


@pytest.mark.parametrize("make", TARGETS[-2:], indirect=True)
def test_cleanup_takes_this_run_only(make: Callable[..., Subject]) -> None:
    subject = make()
    target = subject.start()
    assert isinstance(target, ExternalTarget)
    for key in ("r00001s01", "r00001s02"):
        send(target, key)
    send(target, "stranger", domain="elsewhere.test")
    assert target.cleanup(DOMAIN) == 2
    assert target.stored(DOMAIN).messages == ()
    assert len(subject.server.stored("elsewhere.test").messages) == 1


def test_options_take_effect(make: Callable[..., Subject]) -> None:
    target = make(ignore_duplicate_ids=True, tags_disable=("x-tags",)).start()
    send(target, "r00001s01", message_id="same", tags="x")
    send(target, "r00001s02", message_id="same", tags="x")
    (message,) = target.stored(DOMAIN).messages
    assert message.tags == ()


@pytest.mark.parametrize("make", TARGETS[:4], indirect=True)
def test_users_of_the_options_may_log_in(make: Callable[..., Subject]) -> None:
    target = make(smtp_auth={"user": "topsecret"}).start()
    login = target.credentials.smtp
    assert login == ("user", "topsecret")
    assert "topsecret" not in f"{target.info} {target.credentials} {target.log_since(0)}"
    with smtplib.SMTP(target.addresses.smtp_host, target.addresses.smtp_port, timeout=10) as link:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            link.login("user", "wrong")
        assert link.login(*login)[0] == 235


def test_log(make: Callable[..., Subject]) -> None:
    subject = make()
    begun_ns = time.monotonic_ns()
    target = subject.start()
    if subject.is_external:
        assert target.log_since(begun_ns) == ()
    else:
        # The server may answer before its first lines were read.
        words = "level=info", "[smtpd]"
        wait_until(lambda: any(all(w in x.text for w in words) for x in target.log_since(begun_ns)))
        assert all(begun_ns <= line.t_ns <= time.monotonic_ns() for line in target.log_since(begun_ns))
    assert target.log_since(time.monotonic_ns()) == ()


def test_nothing_is_left_after_stop(make: Callable[..., Subject], temporary: Path) -> None:
    subject = make()
    target = subject.start()
    send(target, "r00001s01")
    process = psutil.Process(subject.server.pid())
    target.stop()
    target.stop()
    assert process.is_running() is subject.is_external
    subject.stop()
    assert not process.is_running()
    assert list(temporary.iterdir()) == []
    assert target.liveness(0.5) is Liveness.DEAD


def test_a_second_start_begins_with_an_empty_store(make: Callable[..., Subject]) -> None:
    subject = make()
    send(subject.start(), "r00001s01")
    subject.stop()
    assert subject.start().stored(DOMAIN).messages == ()


def test_hung_while_it_does_not_answer(make: Callable[..., Subject]) -> None:
    subject = make()
    target = subject.start()
    process = psutil.Process(subject.server.pid())
    process.suspend()
    os.waitpid(process.pid, os.WUNTRACED)  # Until each of its threads has stopped.
    assert target.liveness(0.3) is Liveness.HUNG
    process.resume()
    assert target.liveness() is Liveness.ALIVE


def test_dead_when_its_process_ended(make: Callable[..., Subject]) -> None:
    subject = make()
    target = subject.start()
    assert isinstance(subject.server, ManagedTarget)
    psutil.Process(subject.server.pid()).kill()
    assert subject.server._processes[0].ended.wait(5)
    assert target.liveness() is Liveness.DEAD
