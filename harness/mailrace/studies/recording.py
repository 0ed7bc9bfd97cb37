"""A target and a child command in, the record of their traffic and its findings out.

The recorder stands in front of the server while the command runs (or until it is interrupted), then the store
is read once, and what was seen is put into words. The kinds of overlap that occurred are steered on the same
version as long as time allows.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from types import FrameType

from mailrace.model.errors import MailraceError, TargetError, UsageError
from mailrace.model.operation import ServerOptions
from mailrace.model.request import Output, RunRequest, Steering
from mailrace.model.result import Verdict
from mailrace.model.target import Target
from mailrace.model.target_name import TargetName
from mailrace.record.findings import Findings, Overlap, findings_of
from mailrace.record.recorded import RECORD, Held, TestRan, read_record
from mailrace.record.recorder import Recorder, begun
from mailrace.record.relay import Service
from mailrace.record.suite import Suite
from mailrace.run import run
from mailrace.scenario import parse
from mailrace.targets import ExternalTarget, ManagedTarget, open_target

SCENARIOS = "scenarios"
"""The folder of a record's scenarios, one for each kind of overlap that an actor can make."""
STEER_S_MIN = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """What a recording is asked for.

    command    the suite's command; empty: until Ctrl-C
    smtp, http where the recorder listens: (host, port); port 0 takes one that the system gives
    variables  names of environment variables that the command is given as well, with what they hold:
               `{smtp}`, `{smtp_host}`, `{smtp_port}`, `{http}` and `{http_port}` are filled in
    steer_s_max   so many seconds may go into steering the overlaps that occurred; 0: none
    """

    target: TargetName
    command: tuple[str, ...] = ()
    smtp: tuple[str, int] = ("127.0.0.1", 0)
    http: tuple[str, int] = ("127.0.0.1", 0)
    variables: Mapping[str, str] = field(default_factory=dict)
    steer_s_max: float = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a recording gave. `failures` say why the record is not whole, a sentence each."""

    findings: Findings
    failures: tuple[str, ...]


class Recording:
    """A server with a recorder in front of it, from `start` to `finish`; `close` ends both in any case.

    places     where the recorder listens: `smtp` (HOST:PORT), `smtp_host`, `smtp_port`, `http` (a URL),
               `http_port`
    """

    def __init__(self, request: RecordRequest, folder: Path) -> None:
        self.places: Mapping[str, str] = {}
        self._request = request
        self._folder = folder
        self._closing = ExitStack()
        self._target: ManagedTarget | ExternalTarget | None = None
        self._recorder: Recorder | None = None

    def start(self) -> None:
        """Start (or look at) the server and listen. Raises TargetError where the server or a port fails."""
        request = self._request
        target = open_target(request.target.text, ServerOptions(), folder=self._folder)
        assert isinstance(target, ManagedTarget | ExternalTarget)
        self._closing.callback(target.stop)
        target.start()
        recorder = Recorder(
            _services(request, target),
            self._folder,
            begun(target.name, target.info.version, " ".join(request.command)),
            prefix=_prefix(target),
        )
        self._closing.callback(recorder.close)
        recorder.start()
        self._target, self._recorder = target, recorder
        self.places = _places(request, recorder)

    def test_ran(self, test: TestRan) -> None:
        """Note when a test of the suite ran."""
        assert self._recorder is not None
        self._recorder.write(test)

    def finish(self, child_status: int | None = None) -> Outcome:
        """End the recording, read the store once, and put what was seen into words."""
        recorder, target = self._recorder, self._target
        assert recorder is not None
        assert target is not None
        recorder.stop()
        for line in _held(target, recorder.failures):
            recorder.write(line)
        failures = tuple(recorder.failures)
        self.close()
        suite = Suite(read_record(self._folder / RECORD))
        return Outcome(findings_of(suite, child_status=child_status, is_store_known=not failures), failures)

    def close(self) -> None:
        """End the recorder, and the server where it is ours. May be called twice."""
        self._closing.close()


def record(request: RecordRequest, folder: Path, said: Callable[[str], None]) -> Outcome:
    """Record into `folder` until the command ends. Raises TargetError where the server or a port fails."""
    recording = Recording(request, folder)
    try:
        recording.start()
        said(f"recording: SMTP at {recording.places['smtp']}, HTTP at {recording.places['http']}")
        return recording.finish(_run_command(request, recording.places))
    finally:
        recording.close()


def read_again(folder: Path) -> Findings:
    """The findings of a record's folder, also of one that was killed: the store's end is not known then."""
    suite = Suite(read_record(folder / RECORD))
    return findings_of(suite, is_store_known=bool(suite.held) or not suite.mails)


def steer_overlaps(
    found: Findings, request: RecordRequest, folder: Path, said: Callable[[str], None]
) -> Findings:
    """The findings with what steer says of each kind of overlap, the most frequent first."""
    deadline = monotonic() + request.steer_s_max
    looked: list[Overlap] = []
    for overlap in found.overlaps:
        if not overlap.file:
            why = "no actor of a scenario does what one of the two operations does"
            looked.append(replace(overlap, why=why))
            continue
        path = folder / SCENARIOS / overlap.file
        path.parent.mkdir(exist_ok=True)
        path.write_text(overlap.scenario, encoding="utf-8")
        looked.append(_steered(overlap, path, request, deadline, said))
    return found.with_overlaps(looked)


def _steered(
    overlap: Overlap, path: Path, request: RecordRequest, deadline: float, said: Callable[[str], None]
) -> Overlap:
    left_s = deadline - monotonic()
    if request.target.kind == "url":
        return replace(overlap, why="a server that is not ours is not steered; steer its version by name")
    if left_s < STEER_S_MIN:
        return replace(overlap, why="the time for steering was over; steer the scenario by itself")
    said(f"steering {overlap.first} beside {overlap.second}, {overlap.relation}")
    asked = RunRequest(
        target=request.target,
        mode="steer",
        time_limit_s=left_s,
        steering=Steering(one_of_each="anomaly"),
        output=Output(out=path.with_suffix(""), formats=("json",)),
    )
    try:
        (result,) = run([parse(path.read_bytes(), path)], asked).result.scenarios
    except MailraceError as wrong:
        return replace(overlap, verdict=Verdict.FAILED, why=str(wrong))
    names = ", ".join(result.anomalies)
    return replace(overlap, verdict=result.verdict, why=names or result.reason)


def _services(request: RecordRequest, target: Target) -> tuple[Service, ...]:
    addresses = target.addresses
    host, port, _ = addresses.api_host_port()
    return (
        Service(
            protocol="smtp",
            upstream_host=addresses.smtp_host,
            upstream_port=addresses.smtp_port,
            host=request.smtp[0],
            port=request.smtp[1],
        ),
        Service(
            protocol="http",
            upstream_host=host,
            upstream_port=port,
            host=request.http[0],
            port=request.http[1],
        ),
    )


def _prefix(target: Target) -> str:
    """The path under which the server lives, without a slash at its end."""
    return "/" + target.addresses.api.split("/", 3)[3] if target.addresses.api.count("/") > 2 else ""


def _places(request: RecordRequest, recorder: Recorder) -> dict[str, str]:
    smtp_port, http_port = recorder.ports
    return {
        "smtp": f"{request.smtp[0]}:{smtp_port}",
        "smtp_host": request.smtp[0],
        "smtp_port": str(smtp_port),
        "http": f"http://{request.http[0]}:{http_port}",
        "http_port": str(http_port),
    }


def environment_of(places: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """What the command is told. Raises UsageError for a variable that asks for an unknown place."""
    told = {
        "MAILRACE_SMTP": "{smtp}",
        "MAILRACE_HTTP": "{http}",
        "SMTP_HOST": "{smtp_host}",
        "SMTP_PORT": "{smtp_port}",
        "MAILPIT_URL": "{http}",
        **variables,
    }
    try:
        return {name: value.format_map(places) for name, value in told.items()}
    except (KeyError, ValueError, IndexError) as wrong:
        there = ", ".join(f"{{{place}}}" for place in places)
        raise UsageError(f"--env: {wrong} is no place; there are {there}") from None


def _run_command(request: RecordRequest, places: Mapping[str, str]) -> int | None:
    """Run the command to its end; its exit status, as a shell gives it. Ctrl-C goes to the command first.

    Without a command, wait for Ctrl-C; there is no status then.
    """
    if not request.command:
        with suppress(KeyboardInterrupt):
            signal.pause()
        return None
    told = os.environ | environment_of(places, request.variables)
    try:
        child = subprocess.Popen(request.command, env=told)
    except OSError as wrong:
        raise UsageError(f"{request.command[0]}: {wrong.strerror}; give a command that can be run") from None
    with _passing_on_signals(child):
        status = child.wait()
    return 128 - status if status < 0 else status


@contextmanager
def _passing_on_signals(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """While the command runs, TERM is passed on to it. INT reaches it by itself, from the terminal."""

    def pass_on(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT:
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _held(target: ManagedTarget | ExternalTarget, failures: list[str]) -> Sequence[Held]:
    """Every message that the store holds now that the traffic is over."""
    try:
        return [
            Held(id=row.id, message_id=row.message_id, recipients=(*row.to, *row.cc, *row.bcc), tags=row.tags)
            for page in target.api.pages()
            for row in page.messages
        ]
    except TargetError as wrong:
        failures.append(f"the store could not be read at the end: {wrong}")
        return []
