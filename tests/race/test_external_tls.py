"""Servers that are not ours behind TLS: the real Mailpit with a certificate made here is raced, cleanly."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from absent import lacking
from mailrace.history import read_journal
from mailrace.model.attempt import Outcome
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.model.result import Verdict
from mailrace.model.target import Addresses, Liveness
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import Scenario, scenario_from, shipped
from mailrace.targets import open_target
from mailrace.targets.mailpit import find
from mailrace.targets.process import ServerProcess
from mailrace.targets.ready import look

pytestmark = pytest.mark.mailpit

VERSION = "1.30.5"
LOOKS_MAX = 500
ROUNDS = 5

WAYS = {
    "starttls": ("http", "starttls", ("--smtp-require-starttls",)),
    "tls": ("http", "tls", ("--smtp-require-tls",)),
    "https": ("https", "", ()),
    "https and starttls": ("https", "starttls", ("--smtp-require-starttls",)),
}
"""Scheme of the REST API, TLS of SMTP, and the flags that leave the server no other way."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        lacking("no openssl in PATH to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "cert.pem", folder / "key.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mailrace test"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run([openssl, *words], check=True, capture_output=True, timeout=60)
    return made, key


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(params=WAYS)
def url(
    request: pytest.FixtureRequest,
    certificate: tuple[Path, Path],
    real_mailpit: Callable[[str], str],
    tmp_path: Path,
) -> Iterator[str]:
    """A real Mailpit that somebody else has started with that TLS, by its address."""
    real_mailpit(VERSION)
    binary, why = find(VERSION)
    assert binary is not None, why
    scheme, smtp_tls, flags = WAYS[request.param]
    made, key = (str(file) for file in certificate)
    smtp, rest = free_port(), free_port()
    words = ["--smtp", f"127.0.0.1:{smtp}", "--listen", f"127.0.0.1:{rest}", "--disable-version-check"]
    words += ["--database", str(tmp_path / "mail.db"), *flags]
    words += ["--smtp-tls-cert", made, "--smtp-tls-key", key] if smtp_tls else []
    words += ["--ui-tls-cert", made, "--ui-tls-key", key] if scheme == "https" else []
    server = ServerProcess([str(binary.path), *words], {}, tmp_path, tmp_path / "server.log")
    try:
        addresses = Addresses(smtp_host="127.0.0.1", smtp_port=smtp, api=f"{scheme}://127.0.0.1:{rest}")
        await_both(server, addresses, ssl.create_default_context(cafile=made))
        yield f"{addresses.api}?smtp=127.0.0.1:{smtp}" + (f"&tls={smtp_tls}" if smtp_tls else "")
    finally:
        server.stop()


def await_both(server: ServerProcess, addresses: Addresses, tls: ssl.SSLContext) -> None:
    for _ in range(LOOKS_MAX):
        assert not server.ended.wait(0.02), server.log_tail()
        try:
            socket.create_connection((addresses.smtp_host, addresses.smtp_port), 1).close()
        except OSError:
            continue
        if look(addresses, 1.0, tls) is Liveness.ALIVE:
            return
    raise AssertionError(f"not ready: {server.log_tail()}")


def senders_and_a_reader(at: str) -> Scenario:
    return scenario_from(
        {
            "name": "behind-tls",
            "title": "Senders with tags of their own, and a reader",
            "given": [{"name": "old", "body_bytes": 40_000, "count": 3}],
            "actors": [
                {"send": {"count": 2, "tags": ["{run}-{round}-{sender}"], "body_bytes": 40_000}},
                {"read": {"path": "/api/v1/messages", "times": 3}},
            ],
            "release": {"at": at},
        },
        Path(shipped()),
    )


@pytest.mark.parametrize("at", ["last-byte", "mail"])
def test_a_race_over_tls_is_whole_and_clean(
    url: str, at: str, certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILRACE_TLS_CA", str(certificate[0]))
    options = RunRequest.of(url, Racing(rounds=ROUNDS, control=False), Output(reports=tmp_path / "reports"))
    done = run([senders_and_a_reader(at)], options)
    found = done.result.scenarios[0]
    records = [record for _, _, record in read_journal(done.folder / "history.jsonl")]
    # On a busy machine the releases of a round may lie too far apart; nothing else may lose one.
    assert [r.lost for r in records if r.lost and not r.lost.startswith("the releases spread")] == []
    assert found.rounds >= 1
    assert (found.hits, found.anomalies) == (0, {})
    raced = [attempt for record in records for attempt in record.attempts if attempt.actor >= 0]
    assert len(raced) == ROUNDS * 3
    assert {attempt.outcome for attempt in raced} == {Outcome.OK}
    assert {len(record.stored.messages) for record in records if record.stored} == {5}


def test_what_is_released_at_connect_is_not_raced_over_tls(
    url: str, certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILRACE_TLS_CA", str(certificate[0]))
    options = RunRequest.of(url, Racing(rounds=ROUNDS, control=False), Output(reports=tmp_path / "reports"))
    found = run([senders_and_a_reader("connect")], options).result.scenarios[0]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "TLS handshakes would come between the releases; give at: mail" in found.reason


def test_a_certificate_that_is_not_trusted_is_named_and_can_be_taken_all_the_same(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = open_target(url, ServerOptions())
    with pytest.raises(
        TargetError, match=r"its certificate is not trusted \(self-signed certificate\); name"
    ):
        target.start()
    monkeypatch.setenv("MAILRACE_TLS_VERIFY", "no")
    target.start()
    assert target.liveness() is Liveness.ALIVE
    target.stop()
