"""What a server under test must be able to do: the protocol Target, and the values that describe one."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import unquote, urlsplit

from mailrace.model.asked import Spoken
from mailrace.model.attempt import Disagreement, LogLine, Stored
from mailrace.model.dial import Address, shown


class Liveness(StrEnum):
    """What a look at the server shows of its state."""

    ALIVE = "alive"
    HUNG = "hung"
    """Its process runs and a request stays unanswered within its limit."""
    DEAD = "dead"
    """Its process ended, or its port refuses."""
    UNSEEN = "unseen"
    """The machine that mailrace runs on could not make the look: nothing is known of the server."""


class VersionSource(StrEnum):
    """How a version is known (docs/targets.md)."""

    ITSELF = "says so itself"
    BUILD_INFO = "Go build information"
    FILE_NAME = "its file name"
    EMBEDDED = "the embedded reference"
    NO_VERSION = "what it says of itself, which is no version"
    UNKNOWN = "unknown"

    @property
    def is_known(self) -> bool:
        """Whether the version is known, and so can be compared with others."""
        return self not in (VersionSource.NO_VERSION, VersionSource.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInfo:
    """A target as the report names it.

    name       as asked for: `embedded@fixed`, `mailpit@1.30.5`, `mailpit:PATH`, `http://…`
    version    `1.30.5`, `fixed`, `unknown`, or what a server says that is no version, such as `dev`
    storage    `sqlite`, `rqlite (database proxy)` or `unknown`
    settings   what was set for it, e.g. {"GOMAXPROCS": "4"}
    limits     sentences on what cannot be looked at on this target
    """

    name: str
    version: str
    version_source: VersionSource
    storage: str
    settings: Mapping[str, str]
    limits: tuple[str, ...] = ()

    @classmethod
    def unknown(cls, name: str) -> "TargetInfo":
        """What is known of a target that was never started: its name."""
        return cls(
            name=name, version="unknown", version_source=VersionSource.UNKNOWN, storage="unknown", settings={}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where a started target listens. `api` has no slash at its end: `http://127.0.0.1:40123`.

    For a Unix socket `smtp_host` is its path, `smtp_port` is 0, and `api` is `http+unix://%2FPATH`.
    """

    smtp_host: str
    smtp_port: int
    api: str
    smtp_tls: str = ""
    """"": plain; "starttls"; "tls"."""
    pop3_port: int = 0
    """On the same host as SMTP; 0: mailrace knows of no POP3 there."""

    def of(self, protocol: Spoken) -> tuple[str, int, str]:
        """Host, port and TLS for that protocol."""
        if protocol == "http":
            return self.api_host_port()
        is_pop3 = protocol == "pop3"
        return self.smtp_host, self.pop3_port if is_pop3 else self.smtp_port, "" if is_pop3 else self.smtp_tls

    def api_host_port(self) -> tuple[str, int, str]:
        """Host, port and "tls" or "" of the REST API; for a Unix socket its path and 0."""
        return *api_address(self.api), "tls" if self.api.startswith("https:") else ""

    @property
    def smtp_place(self) -> str:
        """Where its SMTP listens, as a person writes it."""
        return shown((self.smtp_host, self.smtp_port))


def api_address(api: str) -> Address:
    """Where a REST API listens, by its URL."""
    parts = urlsplit(api)
    if parts.scheme == "http+unix":
        return unquote(parts.netloc), 0
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


@dataclass(frozen=True, slots=True)
class Credentials:
    """(user, password) for each protocol; shown nowhere, so its repr is bare."""

    smtp: tuple[str, str] | None = field(default=None, repr=False)
    api: tuple[str, str] | None = field(default=None, repr=False)
    pop3: tuple[str, str] | None = field(default=None, repr=False)

    def of(self, protocol: Spoken) -> tuple[str, str] | None:
        """Those for that protocol."""
        return {"smtp": self.smtp, "http": self.api, "pop3": self.pop3}[protocol]


class Target(Protocol):
    """One server under test. Calls are blocking; each has a limit and raises TargetError past it.

    `is_ours` is true where we started it: then its whole store is ours, and it may be emptied and restarted.
    """

    name: str
    is_ours: bool
    info: TargetInfo
    """Complete after `start`."""

    @property
    def addresses(self) -> Addresses:
        """Where it listens; known after `start`. The first of `addresses_all`."""

    @property
    def addresses_all(self) -> tuple[Addresses, ...]:
        """Where every instance listens; a target may have several on one store."""

    @property
    def credentials(self) -> Credentials:
        """What its operator gave us in the environment or a netrc file; empty for a target of ours."""

    def start(self) -> None:
        """Start it, or look at it, until both SMTP and REST answer."""

    def stop(self) -> None:
        """End what `start` started and remove its files. May be called twice, and after a failed start."""

    def stored(self, domain: str, *, block: str = "") -> Stored:
        """What it holds for the run with that recipient domain; `block`: only recipients that begin so."""

    def source(self, row_id: str) -> bytes | None:
        """The source of a stored message (`/raw`) by its server ID; None where the server has none."""

    def search(self, query: str) -> tuple[str, ...]:
        """The server IDs that a search finds, at most a page of them."""

    def disagreements(
        self, listed: Stored, domain: str, gone: Mapping[str, str], known: Container[str] = ()
    ) -> tuple[Disagreement, ...]:
        """Where other views of a server of ours differ from its list.

        gone    IDs that are not listed any more, with keys; `known`: IDs that were compared before
        """

    def relayed(self) -> tuple[bytes, ...]:
        """The mails that its relay has got since the last call; none where it has no relay of ours."""

    def liveness(self, timeout_s: float = 2.0) -> Liveness:
        """Whether it still answers, looking at its process where it is ours."""

    def trouble(self, since_ns: int) -> str:
        """What its machine did to it since that instant, in words: a full disk, a signal; "" if nothing."""

    def log_since(self, t_ns: int) -> tuple[LogLine, ...]:
        """Log lines read since that monotonic instant; empty where there is no log."""

    def empty(self) -> None:
        """Delete everything (ours only; traffic must be quiet)."""

    def pid(self) -> int | None:
        """The process id where it is ours."""

    def how_it_ended(self) -> str:
        """How a process of ours ended: "exit status 1", "signal 9 (SIGKILL)"; "" while it runs."""
