"""A server that is not ours: what it may be asked, and a sentence where it is something else."""

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.model.target import VersionSource
from mailrace.targets import external, open_target
from mailrace.targets.external import ExternalTarget
from mailrace.targets.ready import WAITS, Waits

from tests.targets.rest_server import RestServer, reply

EMPTY = json.dumps({"total": 9, "messages_count": 0, "tags": ["theirs"], "messages": []}).encode()


class Smtp:
    """Says `greeting` to each connection; with None it says nothing until `close`."""

    def __init__(self, greeting: bytes | None) -> None:
        released = self._released = threading.Event()

        class Session(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if greeting is None:
                    released.wait(30)
                else:
                    self.request.sendall(greeting)
                    self.request.recv(100)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port: int = self._server.server_address[1]

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def rest() -> Iterator[RestServer]:
    running = RestServer()
    yield running
    running.close()


@pytest.fixture
def smtp(request: pytest.FixtureRequest) -> Iterator[Smtp]:
    running = Smtp(getattr(request, "param", b"220 there\r\n"))
    yield running
    running.close()


def at(rest: RestServer, smtp: Smtp, more: str = "", waits: Waits = WAITS) -> ExternalTarget:
    target = open_target(f"{rest.url}?smtp=127.0.0.1:{smtp.port}{more}", ServerOptions(), waits=waits)
    assert isinstance(target, ExternalTarget)
    return target


def mailpit(version: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        reply(request, json.dumps({"Version": version}).encode() if "/info" in request.path else EMPTY)

    return answer


def test_start_asks_for_nothing_of_others_and_learns_the_version(rest: RestServer, smtp: Smtp) -> None:
    rest.answer = mailpit("v1.30.5")
    target = at(rest, smtp)
    target.start()
    target.stop()
    assert (target.info.version, target.info.version_source) == ("1.30.5", VersionSource.ITSELF)
    assert target.info.limits == external.LIMITS
    assert [(method, path) for method, path, _, _ in rest.seen] == [
        ("GET", "/api/v1/search?query=to%3A%40mailrace-looks-only.test&start=0&limit=1"),
        ("GET", "/api/v1/info"),
    ]


@pytest.mark.parametrize(
    ("said", "shown"),
    [("dev", "dev"), ("1.30", "1.30"), ("a\x1b[2J\n" + "b" * 100, "a [2J " + "b" * 34)],
)
def test_what_is_no_version_is_shown_as_it_is_said(
    rest: RestServer, smtp: Smtp, said: str, shown: str
) -> None:
    rest.answer = mailpit(said)
    target = at(rest, smtp)
    target.start()
    target.stop()
    assert (target.info.version, target.info.version_source) == (shown, VersionSource.NO_VERSION)
    assert target.info.limits[-1] == (
        f"its version is unknown (it says {said[:40]!r}, which is no version), "
        "so what a scenario needs cannot be checked"
    )


def test_an_empty_version_is_unknown(rest: RestServer, smtp: Smtp) -> None:
    rest.answer = mailpit("")
    target = at(rest, smtp)
    target.start()
    target.stop()
    assert (target.info.version, target.info.version_source) == ("unknown", VersionSource.UNKNOWN)
    assert "(it says '', which is no version)" in target.info.limits[-1]


def test_info_that_fails_is_a_limit(rest: RestServer, smtp: Smtp) -> None:
    rest.answer = lambda r: reply(r, EMPTY) if "/search" in r.path else reply(r, b"", 500)
    target = at(rest, smtp)
    target.start()
    target.stop()
    assert (target.info.version, target.info.version_source) == ("unknown", VersionSource.UNKNOWN)
    assert "500" in target.info.limits[-1]


def test_rest_of_another_program(rest: RestServer, smtp: Smtp) -> None:
    rest.answer = lambda request: reply(request, b"<html>")
    target = at(rest, smtp)
    with pytest.raises(TargetError, match="another program"):
        target.start()
    with pytest.raises(TargetError, match="not started"):
        target.stored("x.test")
    target.stop()


@pytest.mark.parametrize(
    ("smtp", "sentence"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "no SMTP greeting"),
        (b"554 go away\r\n", "'554 go away', which is no SMTP greeting"),
        (None, r"no greeting on 127\.0\.0\.1:\d+ within 0\.2 s"),
    ],
    indirect=["smtp"],
)
def test_smtp_of_another_program(rest: RestServer, smtp: Smtp, sentence: str) -> None:
    with pytest.raises(TargetError, match=sentence):
        at(rest, smtp, waits=Waits(greeting_s=0.2)).start()
    assert rest.seen == []


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("&tls=tls", r": no TLS there \(.+\); give tls=starttls, or leave tls= out$"),
        ("&tls=starttls", r": no STARTTLS \(.+\); give tls=tls, or leave tls= out$"),
    ],
)
def test_tls_where_there_is_none(rest: RestServer, smtp: Smtp, more: str, sentence: str) -> None:
    with pytest.raises(TargetError, match=rf"127\.0\.0\.1:{smtp.port}{sentence}"):
        at(rest, smtp, more).start()
    assert rest.seen == []


def test_https_where_there_is_none(rest: RestServer, smtp: Smtp) -> None:
    target = open_target(f"https://127.0.0.1:{rest.port}?smtp=127.0.0.1:{smtp.port}", ServerOptions())
    with pytest.raises(TargetError, match=r"no TLS there \(.+\); give http:// instead of https://$"):
        target.start()


def test_credentials_are_used_and_shown_nowhere(
    rest: RestServer, smtp: Smtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILRACE_API_USER", "somebody")
    monkeypatch.setenv("MAILRACE_API_PASSWORD", "topsecret")
    rest.answer = mailpit("v1.27.11")
    target = at(rest, smtp)
    target.start()
    assert rest.seen[0][3]["Authorization"].startswith("Basic ")
    assert "topsecret" not in f"{target.info} {target.credentials} {target.api} {target.addresses}"
    target.stop()
    rest.answer = lambda request: reply(request, b"", 401)
    with pytest.raises(TargetError, match="401") as caught:
        target.start()
    assert "topsecret" not in str(caught.value)
