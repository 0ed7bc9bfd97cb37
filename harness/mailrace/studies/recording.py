"""Takes a target and a suite's command; gives the record of their traffic, and the findings in it.

The recorder stands in front of the server while the command runs, or until it is interrupted. Then the store
is read once, and what was seen is put into words.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic_ns
from typing import Self

from mailrace.history import RECORD
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.model.target import api_address
from mailrace.model.target_name import TargetName
from mailrace.record.file import read_record
from mailrace.record.findings import Findings, findings_of
from mailrace.record.recorded import Ended, Held, TestRan
from mailrace.record.recorder import Recorder, begun
from mailrace.record.redacted import shown_command
from mailrace.record.service import Service
from mailrace.record.suite import Suite
from mailrace.studies.suite_command import environment_of, run_command
from mailrace.targets import BadAnswer, ExternalTarget, ManagedTarget, open_target

Place = tuple[str, int]
UPTIME_S_OFF = 3.0
"""A server tells whole seconds, and it takes a moment to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """What a recording is asked for.

    command     the suite's command; empty: until Ctrl-C
    smtp, http, pop3   where the recorder listens: (host, port); port 0 takes one that the system gives
    pop3_server        of a server that is not ours; one of ours has POP3
    variables   further environment variables for the command, by name. In their values `{smtp}`,
                `{smtp_host}`, `{smtp_port}`, `{http}`, `{http_port}`, `{pop3}` … are filled in
    keeps_content   the mails themselves are kept as well, as files
    made_by     the words of the command that records, so that it can be called again
    """

    target: TargetName
    command: tuple[str, ...] = ()
    smtp: Place = ("127.0.0.1", 0)
    http: Place = ("127.0.0.1", 0)
    pop3: Place = ("127.0.0.1", 0)
    pop3_server: Place | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    keeps_content: bool = False
    made_by: tuple[str, ...] = ()


class Recording:
    """A server with a recorder in front of it, from `start` to `finish`; `close` ends both in any case.

    places     where the recorder listens: `smtp` (HOST:PORT), `smtp_host`, `smtp_port`, `http` (a URL),
               `http_port`, and of POP3 the same as of SMTP, with `pop3_user` and `pop3_password`
    """

    def __init__(self, request: RecordRequest, folder: Path) -> None:
        self.places: Mapping[str, str] = {}
        self._request = request
        self._folder = folder
        self._closing = ExitStack()
        self._target: ManagedTarget | ExternalTarget | None = None
        self._recorder: Recorder | None = None
        self._counted = Counted(0, -1, -1, -1)

    def start(self) -> None:
        """Start (or look at) the server and listen. Raises TargetError where the server or a port fails."""
        request = self._request
        target, pop3 = self._started()
        prefix = "/" + target.addresses.api.split("/", 3)[3] if target.addresses.api.count("/") > 2 else ""
        recorder = Recorder(
            tuple(_services(request, target, pop3)),
            self._folder,
            replace(
                begun(target.name, target.info.version),
                is_ours=target.is_ours,
                command=shown_command(request.made_by),
                keeps_content=request.keeps_content,
            ),
            prefix=prefix,
        )
        self._closing.callback(recorder.close)
        self._target, self._recorder = target, recorder
        if not target.is_ours:
            # The suite has not stored what is there already, so that is noted before anybody can connect.
            for line in _held(target, was_there=True):
                recorder.write(line)
        self._counted = _counted(target)
        recorder.start()
        scheme = "https" if target.addresses.api.startswith("https:") else "http"
        # The login of a server of ours is no secret, because nobody can reach that server from outside.
        login = target.credentials.pop3 if target.is_ours else None
        self.places = _places(request, recorder, scheme, login)

    def test_ran(self, test: TestRan) -> None:
        """Note when a test of the suite ran."""
        assert self._recorder is not None
        self._recorder.write(test)

    def finish(self, child_status: int | None = None) -> Findings:
        """End the recording, read the store once, and put what was seen into words."""
        recorder, target = self._recorder, self._target
        assert recorder is not None
        assert target is not None
        # All traffic is in the file before the store is read, so the store holds what that traffic has left.
        recorder.stop()
        is_store_known = True
        try:
            for line in _held(target):
                recorder.write(line)
        except TargetError as wrong:
            # An answer that is not the API's may quote mails, so only its status is kept.
            said = f"it answered {wrong.status}" if isinstance(wrong, BadAnswer) else str(wrong)
            recorder.failures.append(f"the store could not be read at the end: {said}")
            is_store_known = False
        counted = _counted(target)
        if counted.is_another_since(self._counted):
            recorder.failures.append("the server was started anew meanwhile, and may have lost its store")
        accepted, deleted = counted.since(self._counted)
        recorder.write(
            Ended(
                t_ns=monotonic_ns(),
                status=child_status,
                is_store_known=is_store_known,
                accepted=accepted,
                deleted=deleted,
                failures=tuple(recorder.failures),
            )
        )
        failures = tuple(recorder.failures)
        self.close()
        return read_again(self._folder, failures)

    def close(self) -> None:
        """End the recorder, and the server where it is ours. May be called twice."""
        self._closing.close()

    def _started(self) -> tuple[ManagedTarget | ExternalTarget, Place | None]:
        """The server, which is started if it is ours, and where its POP3 listens (None: not known)."""
        wanted = self._request.target
        is_ours = wanted.kind != "url"
        # A server's log quotes what it cannot read, so it is kept only where contents are.
        log = self._folder if self._request.keeps_content else None
        target = open_target(wanted, ServerOptions(pop3=is_ours), folder=log)
        assert isinstance(target, ManagedTarget | ExternalTarget)
        self._closing.callback(target.stop)
        target.start()
        return target, target.addresses.of("pop3")[:2] if is_ours else self._request.pop3_server


def record(request: RecordRequest, folder: Path, said: Callable[[str], None]) -> Findings:
    """Record into `folder` until the command ends. Raises TargetError where the server or a port fails."""
    recording = Recording(request, folder)
    try:
        recording.start()
        places = recording.places
        pop3 = f", POP3 at {places['pop3']}" if "pop3" in places else ""
        said(f"recording: SMTP at {places['smtp']}, HTTP at {places['http']}{pop3}")
        told = environment_of(places, request.variables)
        return recording.finish(run_command(request.command, told))
    finally:
        recording.close()


def read_again(folder: Path, failures: tuple[str, ...] = ()) -> Findings:
    """The findings of a record's folder, even if the recorder was killed.

    `failures`: some that it does not hold.
    """
    return findings_of(Suite(read_record(folder / RECORD)), failures)


def _services(
    request: RecordRequest, target: ManagedTarget | ExternalTarget, pop3: Place | None
) -> Iterator[Service]:
    addresses = target.addresses
    upstream = {"smtp": (addresses.smtp_host, addresses.smtp_port), "http": api_address(addresses.api)}
    if pop3 is not None:
        upstream["pop3"] = pop3
    for protocol, (host, port) in upstream.items():
        here = {"smtp": request.smtp, "http": request.http, "pop3": request.pop3}[protocol]
        yield Service(
            protocol=protocol,
            upstream_host=host if port else "",
            upstream_port=port,
            upstream_path="" if port else host,
            host=here[0],
            port=here[1],
        )


def _places(
    request: RecordRequest, recorder: Recorder, scheme: str, login: tuple[str, str] | None
) -> dict[str, str]:
    smtp_port, http_port, *pop3_ports = recorder.ports
    places = {
        "smtp": f"{request.smtp[0]}:{smtp_port}",
        "smtp_host": request.smtp[0],
        "smtp_port": str(smtp_port),
        "http": f"{scheme}://{request.http[0]}:{http_port}",
        "http_port": str(http_port),
    }
    for port in pop3_ports:
        places |= {"pop3": f"{request.pop3[0]}:{port}", "pop3_host": request.pop3[0], "pop3_port": str(port)}
        if login is not None:
            places |= {"pop3_user": login[0], "pop3_password": login[1]}
    return places


def _held(target: ManagedTarget | ExternalTarget, *, was_there: bool = False) -> Iterator[Held]:
    """Every message that the store holds now that there is no traffic. Raises TargetError."""
    for page in target.api.pages():
        for row in page.messages:
            recipients = (*row.to, *row.cc, *row.bcc)
            yield Held(
                id=row.id,
                message_id=row.message_id,
                recipients=recipients,
                tags=row.tags,
                was_there=was_there,
            )


@dataclass(frozen=True, slots=True)
class Counted:
    """What the server says of itself at one instant; -1: it does not say.

    accepted, deleted   messages since its start
    up_s                seconds since its start
    """

    at_ns: int
    accepted: int
    deleted: int
    up_s: int

    def since(self, before: Self) -> tuple[int, int]:
        """How many messages were accepted and deleted since then; -1: that is not known."""
        pairs = ((before.accepted, self.accepted), (before.deleted, self.deleted))
        accepted, deleted = (now - then if now >= then >= 0 else -1 for then, now in pairs)
        return accepted, deleted

    def is_another_since(self, before: Self) -> bool:
        """Whether the server was started anew since then, perhaps with another store."""
        is_known = min(before.up_s, self.up_s) >= 0
        return is_known and self.up_s - before.up_s < (self.at_ns - before.at_ns) / 1e9 - UPTIME_S_OFF


def _counted(target: ManagedTarget | ExternalTarget) -> Counted:
    try:
        said = target.api.info().get("RuntimeStats")
    except TargetError:
        said = None
    values = [
        said.get(name) if isinstance(said, dict) else None
        for name in ("SMTPAccepted", "MessagesDeleted", "Uptime")
    ]
    return Counted(monotonic_ns(), *(int(one) if isinstance(one, int | float) else -1 for one in values))
