"""A server that sends a byte now and then is as late as one that sends nothing."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailrace.actors import Link, Loop
from mailrace.model.attempt import Outcome, Word
from mailrace.model.errors import TargetError
from mailrace.model.operation import PlannedRound, Read, ServerOptions
from mailrace.model.result import Verdict
from mailrace.model.target import Addresses, Liveness
from mailrace.race import Limits
from mailrace.race.free import FreeActors
from mailrace.run import Output, RunRequest, run
from mailrace.scenario import Plan, scenario_from, shipped
from mailrace.targets import Api, Unanswered, open_target
from mailrace.targets.mailpit.release import Unavailable, download
from mailrace.targets.ready import look, smtp_greeting, smtp_refusal, starttls
from mailrace.targets.wires import Smtp

from tests.scripted_box import Script
from tests.scripted_server import ScriptedServer

pytestmark = pytest.mark.slow
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPPED = [
    b"",  # the status line itself comes bytewise
    HEAD + b"Content-Length: 1000\r\n\r\n",
    HEAD + b"Connection: close\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
    HEAD + b"X-Long: ",
]


@pytest.fixture
def dripping(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server that says `request.param` and then a byte every 0.05 s, without an end."""
    over = threading.Event()

    def drip(link: socket.socket) -> None:
        try:
            link.sendall(request.param)
            while not over.wait(0.05):
                link.sendall(b"2")
        except OSError:
            pass
        finally:
            link.close()

    def serve() -> None:
        while not over.is_set():
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=drip, args=(link,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads = [threading.Thread(target=serve)]
        threads[0].start()
        yield listener.getsockname()[1]
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("dripping", DRIPPED, indirect=True)
def test_a_rest_answer_has_one_limit_for_the_whole_of_it(dripping: int) -> None:
    api = Api(f"http://127.0.0.1:{dripping}", timeout_s=0.5)
    with pytest.raises(Unanswered, match=r"within 0.5 s"):
        api.info()
    api.close()


@pytest.mark.parametrize("dripping", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "], indirect=True)
def test_a_look_at_readiness_has_one_limit(dripping: int) -> None:
    at = Addresses(smtp_host="127.0.0.1", smtp_port=dripping, api=f"http://127.0.0.1:{dripping}")
    assert look(at, 0.5) is Liveness.HUNG


@pytest.mark.parametrize("dripping", [b"220"], indirect=True)
def test_a_greeting_has_one_limit(dripping: int) -> None:
    at = Addresses(smtp_host="127.0.0.1", smtp_port=dripping, api="http://127.0.0.1:1")
    with pytest.raises(TimeoutError):
        smtp_greeting(at, 0.5)
    with pytest.raises(TimeoutError, match=r"no whole answer within 0.5 s"):
        Smtp(at, 0.5)


MANY_LINES = b"220 hello\r\n" + b"250-more\r\n" * 3


@pytest.mark.parametrize("dripping", [b"220 hello\r\n250-", MANY_LINES], indirect=True)
def test_a_look_at_an_smtp_session_has_one_limit(dripping: int) -> None:
    at = Addresses(smtp_host="127.0.0.1", smtp_port=dripping, api="http://127.0.0.1:1")
    assert smtp_refusal(at, None, 0.5, None) == ""
    with pytest.raises(TimeoutError, match=r"no whole answer within 0.5 s"):
        starttls(at, 0.5, None)


@pytest.mark.parametrize("dripping", [b"", b"\x16\x03\x03\x40\x00"], indirect=True)
def test_a_handshake_that_never_ends_has_one_limit(dripping: int) -> None:
    """The second begins a TLS record of 16 kB, of which a byte comes now and then."""
    at = Addresses(smtp_host="127.0.0.1", smtp_port=dripping, api="http://127.0.0.1:1", smtp_tls="tls")
    with pytest.raises(OSError, match=r"timed out|WRONG_VERSION"):
        smtp_greeting(at, 0.5, ssl.create_default_context())
    tls = ssl.create_default_context()
    link = Link(Loop(), "127.0.0.1", dripping, protocol="smtp", tls="tls", tls_context=tls, timeout_s=0.5)
    failed = link.connect()
    assert failed is not None
    assert failed.word in (Word.TIMED_OUT, Word.LINK_LOST)


READ = Read(key="read.1", path="/api/v1/messages", times=1)


@pytest.mark.parametrize("dripping", DRIPPED, indirect=True)
def test_an_unheld_exchange_over_rest_has_one_limit(dripping: int) -> None:
    actors = FreeActors(
        [READ], open_target(f"http://127.0.0.1:{dripping}?smtp=127.0.0.1:1", ServerOptions()), read_s=0.2
    )
    try:
        (attempt,) = actors.race([READ], {}, {}, 0)
    finally:
        actors.close()
    assert (attempt.outcome, attempt.word) == (Outcome.UNKNOWN, Word.TIMED_OUT)
    assert attempt.text == "no whole answer within 1.2 s"


@pytest.mark.parametrize("dripping", [b"220"], indirect=True)
def test_an_unheld_session_that_never_greets_is_the_targets_failure(dripping: int) -> None:
    send = scenario_round().operations[0]
    target = open_target(f"http://127.0.0.1:1?smtp=127.0.0.1:{dripping}", ServerOptions())
    with pytest.raises(TargetError, match=r"no session: no whole answer within 0.2 s"):
        FreeActors([send], target, read_s=0.2)


@pytest.mark.parametrize("dripping", DRIPPED, indirect=True)
def test_a_download_has_one_limit(dripping: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILRACE_RELEASES_URL", f"http://127.0.0.1:{dripping}")
    with pytest.raises(Unavailable, match=r"did not give mailpit-.*sha256 whole within 0.5 s"):
        download("1.30.5", tmp_path, lambda _: None, whole_s=0.5)


def scenario_round() -> PlannedRound:
    data = {"name": "s", "actors": [{"send": {"count": 2}}], "release": {"at": "free"}}
    return Plan(scenario_from(data, Path(shipped())), 1, "mr00000000").round(0)


class DripsAtTheDot(ScriptedServer):
    """Answers a final dot a byte now and then, without an end."""

    def _say(self, session: socketserver.StreamRequestHandler, script: Script, stage: str) -> bool:
        if stage != "dot" or not script:
            return super()._say(session, script, stage)
        while not self.over.wait(0.05):
            session.wfile.write(b"2")
        return False


def test_an_unheld_reply_to_a_mail_has_one_limit_and_is_no_clean_round(tmp_path: Path) -> None:
    """The round ends by the limit's own word; what is not known of it is neither a race nor clean."""
    scenario = scenario_from(
        {"name": "s", "actors": [{"send": {"count": 2}}], "release": {"at": "free"}, "rounds": 1},
        Path(shipped()),
    )
    with DripsAtTheDot({"RSET": b"250 2.0.0 Ok\r\n"}, sessions_good=5) as server:
        request = RunRequest.of(server.name, Output(out=tmp_path / "out", formats=()))
        limits = Limits(reply_s=0.2, look_s=0.1, connect_s=0.5, return_s=0.5, serial_rounds=0)
        (found,) = run([scenario], request, limits=limits).result.scenarios
    assert found.verdict is Verdict.INCONCLUSIVE
    assert dict(found.anomalies) == {}
    assert any("it was not done within 1.2 s" in said for said in found.not_looked), found.not_looked
