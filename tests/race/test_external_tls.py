"""Servers that are not ours behind TLS: the real Mailpit with a certificate made here is raced, cleanly."""

import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mailrace.history import read_histories
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

from tests.absent import lacking
from tests.running import mailrace

pytestmark = pytest.mark.mailpit

VERSION = "1.33.1"
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


Serve = Callable[..., str]


@pytest.fixture
def serve(real_mailpit: Callable[[str], str], tmp_path: Path) -> Iterator[Serve]:
    """Starts a real Mailpit as somebody else would, with that certificate and key; gives its address."""
    real_mailpit(VERSION)
    binary, why = find(VERSION)
    assert binary is not None, why
    started: list[ServerProcess] = []

    def start(scheme: str, smtp_tls: str, flags: tuple[str, ...], made: str, key: str, path: str = "") -> str:
        smtp, rest = free_port(), free_port()
        words = ["--smtp", f"127.0.0.1:{smtp}", "--listen", f"127.0.0.1:{rest}", "--disable-version-check"]
        words += ["--database", str(tmp_path / "mail.db"), *flags]
        words += ["--smtp-tls-cert", made, "--smtp-tls-key", key] if smtp_tls else []
        words += ["--ui-tls-cert", made, "--ui-tls-key", key] if scheme == "https" else []
        started.append(ServerProcess([str(binary.path), *words], {}, tmp_path, tmp_path / "server.log"))
        api = f"{scheme}://127.0.0.1:{rest}{path}"
        addresses = Addresses(smtp_host="127.0.0.1", smtp_port=smtp, api=api)
        await_both(started[-1], addresses, ssl._create_unverified_context())
        return f"{api}?smtp=127.0.0.1:{smtp}" + (f"&tls={smtp_tls}" if smtp_tls else "")

    yield start
    for server in started:
        server.stop()


@pytest.fixture(params=WAYS)
def url(request: pytest.FixtureRequest, certificate: tuple[Path, Path], serve: Serve) -> str:
    """A real Mailpit that somebody else has started with that TLS, by its address."""
    scheme, smtp_tls, flags = WAYS[request.param]
    return serve(scheme, smtp_tls, flags, *map(str, certificate))


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
    records = [r for one in read_histories(done.folder / "history.jsonl") for _, r, _ in one.rounds]
    # On a busy machine the releases of any round may lie too far apart; nothing else may lose one.
    assert [r.lost for r in records if r.lost and not r.lost.startswith("the releases spread")] == []
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


OWN_CERTIFICATE = "sans:127.0.0.1"
"""In place of both files: Mailpit makes a certificate that signs itself."""
EVERYTHING = {
    "https and starttls": ("starttls", ("--smtp-require-starttls",)),
    "https and tls": ("tls", ("--smtp-require-tls",)),
}


@pytest.mark.parametrize("way", EVERYTHING)
def test_tls_logins_and_a_path_together_are_raced_by_the_command(
    way: str, serve: Serve, tmp_path: Path
) -> None:
    """All that a shared server may want at once; its certificate is refused unless any is asked for."""
    smtp_tls, flags = EVERYTHING[way]
    logins = tmp_path / "logins"
    logins.write_text("someone:drowssap-1\n")
    flags += ("--ui-auth-file", str(logins), "--smtp-auth-file", str(logins), "--webroot", "mail")
    name = serve("https", smtp_tls, flags, OWN_CERTIFICATE, OWN_CERTIFICATE, "/mail")
    known = {f"MAILRACE_{side}_USER": "someone" for side in ("API", "SMTP")}
    known |= {f"MAILRACE_{side}_PASSWORD": "drowssap-1" for side in ("API", "SMTP")}
    words = ("run", "shared-new-tag", "-t", name, "--rounds", "5", "--no-control", "--out", "out")

    refused = mailrace(*words, cwd=tmp_path, **known)
    assert refused.returncode == 4
    assert "its certificate is not trusted" in " ".join(refused.stderr.split())
    assert "MAILRACE_TLS_VERIFY=no" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr

    wrong = mailrace(
        *words, cwd=tmp_path, **{**known, "MAILRACE_SMTP_PASSWORD": "x"}, MAILRACE_TLS_VERIFY="no"
    )
    assert wrong.returncode == 4
    assert "refuses the login" in " ".join(wrong.stderr.split())

    raced = mailrace(*words, cwd=tmp_path, **known, MAILRACE_TLS_VERIFY="no")
    assert raced.returncode == 3, raced.stderr
    (found,) = json.loads((tmp_path / "out" / "run.json").read_text())["scenarios"]
    assert found["rounds"] >= 1
    assert found["anomalies"] == {}
    assert {reply.split()[0] for reply in found["replies"]} == {"250"}
    written = b"".join(file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file())
    assert b"drowssap" not in written
