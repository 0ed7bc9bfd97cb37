"""Where a server may listen: one family of loopback, Unix sockets, below a path; SMTP that wants a login."""

import socket
import socketserver
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mailrace.model.dial import dial, shown
from mailrace.model.errors import TargetError, TargetNameError
from mailrace.model.external_url import parse_external
from mailrace.model.operation import ServerOptions
from mailrace.model.result import Verdict
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import load, shipped
from mailrace.targets import open_target
from mailrace.targets.mailpit.lookup import find

from tests.absent import lacking
from tests.running import TICK
from tests.targets.rest_server import RestServer, reply
from tests.targets.session_server import SessionServer

EMPTY = b'{"total": 0, "messages_count": 0, "tags": [], "messages": []}'


def listening(family: int, address: object) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.bind(address)  # type: ignore[arg-type]
    sock.listen()
    return sock


@contextmanager
def on_one_family(family: int, host: str) -> Iterator[int]:
    """The port of a server on one loopback address, which nobody uses on the other."""
    other = {"127.0.0.1": (socket.AF_INET6, "::1"), "::1": (socket.AF_INET, "127.0.0.1")}[host]
    while True:
        with listening(family, (host, 0)) as server, socket.socket(other[0], socket.SOCK_STREAM) as taken:
            port = int(server.getsockname()[1])
            try:
                taken.bind((other[1], port))
            except OSError:
                continue
            yield port
            return


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
@pytest.mark.parametrize("name", ["localhost", "LOCALHOST"])
def test_localhost_is_found_on_either_family(
    family: int, host: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many machines' lists of hosts give `localhost` one address only."""
    other = {"127.0.0.1": (socket.AF_INET6, "::1"), "::1": (socket.AF_INET, "127.0.0.1")}[host]

    def one_family(*_: object, **__: object) -> list[object]:
        return [(other[0], socket.SOCK_STREAM, 6, "", (other[1], port))]

    with on_one_family(family, host) as port, monkeypatch.context() as patched:
        real = socket.getaddrinfo
        patched.setattr(
            socket,
            "getaddrinfo",
            lambda h, *more, **named: one_family() if h == name else real(h, *more, **named),
        )
        with dial((name, port), 2.0) as sock:
            assert sock.getpeername()[:2] == (host, port)


def test_another_name_is_not_taken_for_loopback() -> None:
    with on_one_family(socket.AF_INET6, "::1") as port, pytest.raises(ConnectionRefusedError):
        dial(("127.0.0.1", port), 2.0)


def test_a_unix_socket_is_dialled_by_its_path(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with listening(socket.AF_UNIX, path), dial((path, 0), 2.0) as sock:
        assert sock.getpeername() == path
    assert shown((path, 0)) == f"unix:{path}"
    with pytest.raises(FileNotFoundError):
        dial((f"{path}x", 0), 2.0)


@pytest.mark.parametrize(
    ("name", "smtp", "api"),
    [
        ("http+unix://%2Ftmp%2FA%2Fw.sock?smtp=unix:/tmp/A/s.sock", "unix:/tmp/A/s.sock", "/tmp/A/w.sock"),
        ("http+unix://%2Ftmp%2Fw.sock/mail?smtp=unix:%2Ftmp%2Fs", "unix:/tmp/s", "/tmp/w.sock"),
        ("http+unix://%2Fw?smtp=unix:/tmp/s:0660", "unix:/tmp/s", "/w"),
        ("http+unix://%2Ftmp%2Fw?smtp=localhost:1025", "localhost:1025", "/tmp/w"),
        ("http://[::1]:8025/mail/?smtp=[::1]:1025", "[::1]:1025", "::1"),
        ("http://h:8025?smtp=unix:/run/mail/s", "unix:/run/mail/s", "h"),
    ],
)
def test_names_of_sockets(name: str, smtp: str, api: str) -> None:
    found = parse_external(name)
    assert found.smtp_place == smtp
    assert found.api_host_port()[0] == api
    assert found.api.endswith("/mail") == ("/mail" in name.partition("?")[0])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("http+unix://?smtp=unix:/s", "no path; wanted"),
        ("http+unix:///tmp/w?smtp=unix:/s", "no path; wanted"),
        ("http+unix://tmp?smtp=unix:/s", "'tmp' is no path of a Unix socket"),
        ("http+unix://%2Fw", r"Add \?smtp=unix:/PATH"),
        ("http+unix://%2Fw?smtp=unix:s", "'s' is no path of a Unix socket"),
        ("http+unix://%2Fw?smtp=unix:/" + "s" * 200, "at most 107 bytes"),
        ("http+unix://%2Fw%0a?smtp=unix:/s", "is no path of a Unix socket"),
        ("http+unix://%2Fw?smtp=unix:/s&tls=tls", "leave tls= out"),
    ],
)
def test_mistakes_in_names_of_sockets(name: str, sentence: str) -> None:
    with pytest.raises(TargetNameError, match=sentence):
        parse_external(name)


class Smtp(SessionServer):
    """Answers each SMTP command from a table, by its first word; 250 otherwise."""

    def __init__(self, said: dict[bytes, bytes]) -> None:
        self.heard: list[bytes] = []
        heard = self.heard

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 there\r\n")
                for line in self.rfile:
                    heard.append(line)
                    word = line.split()[0].upper()
                    self.wfile.write(said.get(word, b"250 ok") + b"\r\n")
                    if word == b"QUIT":
                        return

        super().__init__(Session)


@pytest.fixture
def smtp_that() -> Iterator[Callable[[dict[bytes, bytes]], Smtp]]:
    made: list[Smtp] = []

    def make(said: dict[bytes, bytes]) -> Smtp:
        made.append(Smtp(said))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("said", "login", "sentence"),
    [
        ({b"MAIL": b"530 5.7.0 Authentication required"}, False, "wants a login .*MAILRACE_SMTP_USER"),
        ({b"MAIL": b"530 Must issue a STARTTLS command first"}, False, "wants TLS first .*tls=starttls"),
        ({b"AUTH": b"535 5.7.8 Authentication failed"}, True, "refuses the login .*mend MAILRACE_SMTP_USER"),
        ({b"AUTH": b"502 Command not implemented"}, True, "takes no login .*unset MAILRACE_SMTP_USER"),
        ({b"AUTH": b"504 Unrecognized authentication type"}, True, "takes no login"),
        ({b"AUTH": b"538 Encryption required"}, True, "over TLS only .*tls=starttls"),
    ],
)
def test_smtp_that_takes_no_mail_names_the_next_step(
    said: dict[bytes, bytes],
    login: bool,
    sentence: str,
    smtp_that: Callable[[dict[bytes, bytes]], Smtp],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    if login:
        monkeypatch.setenv("MAILRACE_SMTP_USER", "someone")
        monkeypatch.setenv("MAILRACE_SMTP_PASSWORD", "drowssap-1")
    rest, smtp = RestServer(), smtp_that(said)
    rest.answer = lambda request: reply(request, EMPTY)
    try:
        target = open_target(f"{rest.url}?smtp=127.0.0.1:{smtp.port}", ServerOptions())
        with pytest.raises(TargetError, match=sentence) as caught:
            target.start()
    finally:
        rest.close()
    assert "drowssap" not in str(caught.value)
    assert not any(line.upper().startswith((b"RCPT", b"DATA")) for line in smtp.heard)


@pytest.fixture
def real_at() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a real Mailpit 1.33.1 with these flags; ended by its own process when the test ends."""
    found, why = find("1.33.1")
    if found is None:
        lacking(str(why))
    started: list[subprocess.Popen[bytes]] = []

    def start(*flags: str) -> subprocess.Popen[bytes]:
        words = [str(found.path), *flags, "--max", "0", "--smtp-disable-rdns", "--disable-version-check"]
        started.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait(10)


def free_port(host: str, family: int) -> int:
    with listening(family, (host, 0)) as sock:
        return int(sock.getsockname()[1])


def raced(name: str, folder: Path) -> object:
    asked = Racing(rounds=5, control=False, until="rounds")
    for number in range(100):
        request = RunRequest.of(name, asked, Output(out=folder / str(number), formats=()))
        found = run([load(shipped() / "shared-new-tag.race.yaml")], request).result
        if found.scenarios[0].verdict is not Verdict.FAILED:
            return found.scenarios[0]
        TICK.wait(0.1)
    return found.scenarios[0]


def assert_exercised(found: object) -> None:
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason  # type: ignore[attr-defined]
    assert found.rounds > 0, found.reason  # type: ignore[attr-defined]
    assert not found.anomalies  # type: ignore[attr-defined]


@pytest.mark.mailpit
def test_a_real_one_over_unix_sockets_below_a_path(real_at: Callable[..., object], tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as short:
        web, smtp = f"{short}/w", f"{short}/s"
        real_at("--listen", f"unix:{web}:600", "--smtp", f"unix:{smtp}:600", "--webroot", "mail")
        name = f"http+unix://{web.replace('/', '%2F')}/mail?smtp=unix:{smtp}"
        assert_exercised(raced(name, tmp_path))


@pytest.mark.mailpit
@pytest.mark.parametrize("host", ["[::1]", "localhost"])
def test_a_real_one_on_ipv6_only(host: str, real_at: Callable[..., object], tmp_path: Path) -> None:
    rest, smtp = free_port("::1", socket.AF_INET6), free_port("::1", socket.AF_INET6)
    real_at("--listen", f"[::1]:{rest}", "--smtp", f"[::1]:{smtp}")
    assert_exercised(raced(f"http://{host}:{rest}?smtp={host}:{smtp}", tmp_path))


@pytest.mark.mailpit
def test_a_real_one_with_logins_below_a_path(
    real_at: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = tmp_path / "auth"
    auth.write_text("someone:drowssap-1\n")
    rest, smtp = free_port("127.0.0.1", socket.AF_INET), free_port("127.0.0.1", socket.AF_INET)
    flags = ["--webroot", "mail", "--ui-auth-file", str(auth), "--smtp-auth-file", str(auth)]
    real_at(
        "--listen", f"127.0.0.1:{rest}", "--smtp", f"127.0.0.1:{smtp}", *flags, "--smtp-auth-allow-insecure"
    )
    for side in ("API", "SMTP"):
        monkeypatch.setenv(f"MAILRACE_{side}_USER", "someone")
        monkeypatch.setenv(f"MAILRACE_{side}_PASSWORD", "drowssap-1")
    assert_exercised(raced(f"http://127.0.0.1:{rest}/mail?smtp=127.0.0.1:{smtp}", tmp_path))
