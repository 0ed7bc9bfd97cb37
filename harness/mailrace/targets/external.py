"""Takes a URL; gives a running server that is not ours as a target: only this run's own mail is looked at.

It asks for the run's messages by search, once `/info` for the version, and `/readyz`. It changes nothing,
except in `cleanup`, which a user must ask for.
"""

import re
import smtplib
import ssl
from contextlib import ExitStack

from mailrace.model.attempt import LogLine, Stored
from mailrace.model.errors import InternalError, TargetError
from mailrace.model.external_url import parse_external
from mailrace.model.secrets import without_secrets
from mailrace.model.target import Addresses, Credentials, Liveness, TargetInfo, VersionSource
from mailrace.targets.api import Api, ApiError
from mailrace.targets.credentials import credentials_for, tls_context, tls_verify
from mailrace.targets.failures import tls_cause
from mailrace.targets.ready import WAITS, Waits, look, smtp_greeting, smtp_refusal, starttls
from mailrace.targets.stored import OverRest, stored_by_search

SAID_CHARS_MAX = 40
PROBE_QUERY = "to:@mailrace-looks-only.test"
"""Matches nobody: shows that Mailpit's search answers without reading a stranger's mail."""

LIMITS = (
    "not a server of ours: its own --max (500 unless set) may prune messages meanwhile: it looks like loss",
    "not a server of ours: its log cannot be read, and its process cannot be looked at",
)


class ExternalTarget(OverRest):
    """A server that somebody else runs (`mailrace.model.target.Target`): starts, stops, empties nothing."""

    is_ours = False

    def __init__(self, name: str, waits: Waits = WAITS) -> None:
        self.name = name
        self._waits = waits
        self.addresses: Addresses = parse_external(name)
        self.info = TargetInfo(
            name=name,
            version="unknown",
            version_source=VersionSource.UNKNOWN,
            storage="unknown",
            settings={},
            limits=LIMITS,
        )
        self.credentials = Credentials()
        """Known after `start`."""
        self._tls: ssl.SSLContext | None = None

    @property
    def addresses_all(self) -> tuple[Addresses, ...]:
        """The one it has."""
        return (self.addresses,)

    def start(self) -> None:
        """Look at both sides; raises TargetError where one does not answer or belongs to another program."""
        self.stop()
        self.credentials = credentials_for(self.addresses)
        self._tls = tls_context()
        api = Api(self.addresses.api, self.credentials.api, self._waits.answer_s, verify=tls_verify())
        with ExitStack() as opened:
            opened.callback(api.close)
            self._greet()
            api.search(PROBE_QUERY, 0, 1)
            self._ask_version(api)
            # Everything answered, so the connection stays open.
            opened.pop_all()
        self._api = api

    def stop(self) -> None:
        """Close our own connection; the server goes on."""
        self._close_api()

    def stored(self, domain: str, *, block: str = "") -> Stored:
        """What it holds for that domain, found by search alone; tags are only this run's own."""
        return stored_by_search(self.api, domain, block)

    def liveness(self, timeout_s: float = 2.0) -> Liveness:
        """By its REST side alone."""
        return look(self.addresses, timeout_s, self._tls)

    def trouble(self, since_ns: int) -> str:
        """It cannot be seen."""
        return ""

    def is_frontend_alive(self, timeout_s: float) -> bool:
        """Whether its HTTP side answers where the database is not asked (`/livez`)."""
        return look(self.addresses, timeout_s, self._tls, "/livez") is Liveness.ALIVE

    def log_since(self, t_ns: int) -> tuple[LogLine, ...]:
        """None: its log is not ours to read."""
        return ()

    def empty(self) -> None:
        """Never: others' mail is there."""
        raise InternalError(f"{self.name}: not a server of ours, so it is never emptied")

    def pid(self) -> int | None:
        """None: its process is not ours."""
        return None

    def how_it_ended(self) -> str:
        """Nothing is known of its process."""
        return ""

    def cleanup(self, domain: str) -> int:
        """Delete this run's messages, one ID a request; how many.

        A repeated or stale ID beside a live one hangs servers up to 1.30.6 (issue 723), and any deletion
        may strip tags off strangers' messages that arrive meanwhile: ask the user first.
        """
        messages = self.stored(domain).messages
        for message in messages:
            self.api.delete([message.id])
        return len(messages)

    def _greet(self) -> None:
        place, limit_s = self.addresses.smtp_place, self._waits.greeting_s
        wrapped = self._tls if self.addresses.smtp_tls == "tls" else None
        try:
            line = smtp_greeting(self.addresses, limit_s, wrapped)
            if self.addresses.smtp_tls == "starttls" and line.startswith("220"):
                starttls(self.addresses, limit_s, self._tls)
        except ssl.SSLError as error:
            otherwise = "tls=starttls, or leave tls= out" if wrapped else "tls=tls, or leave tls= out"
            raise TargetError(f"{self.name}: {place}: {tls_cause(error, otherwise)}") from error
        except smtplib.SMTPException as error:
            why = str(error).rstrip(".")
            raise TargetError(
                f"{self.name}: {place}: no STARTTLS ({why}); give tls=tls, or leave tls= out"
            ) from error
        except TimeoutError as error:
            raise TargetError(
                f"{self.name}: no greeting on {place} within {limit_s:g} s; "
                "does it want tls=tls, or is another port its SMTP?"
            ) from error
        except OSError as error:
            raise TargetError(f"{self.name}: no SMTP on {place} ({error.strerror or error})") from error
        # Something greets. It is SMTP only if it says 220, and takes our mail only if it wants no login that
        # we lack.
        if not line.startswith("220"):
            raise TargetError(
                f"{self.name}: {place} says {without_secrets(line)[:80]!r}, which is no SMTP greeting (220)"
            )
        if why := smtp_refusal(self.addresses, self.credentials.smtp, limit_s, self._tls):
            raise TargetError(f"{self.name}: {why}")

    def _ask_version(self, api: Api) -> None:
        """Ask the server.

        `/info` may hang while it looks for a new release, which is no reason to give up.
        """
        version, source = "unknown", VersionSource.UNKNOWN
        try:
            said = without_secrets(str(api.info()["Version"]))
            version, source = _version(said)
            why = f"it says {said[:SAID_CHARS_MAX]!r}, which is no version"
        except ApiError as error:
            why = str(error)
        unknown = f"its version is unknown ({why}), so what a scenario needs cannot be checked"
        self.info = TargetInfo(
            name=self.name,
            version=version,
            version_source=source,
            storage="unknown",
            settings={"tls": self.addresses.smtp_tls} if self.addresses.smtp_tls else {},
            limits=LIMITS if source.is_known else (*LIMITS, unknown),
        )


def _version(said: str) -> tuple[str, VersionSource]:
    """A server's own word for its version, `v1.30.5` or `dev`, and whether it is one."""
    found = re.fullmatch(r"v?(\d{1,9}\.\d{1,9}\.\d{1,9})", said)
    if found is not None:
        return found[1], VersionSource.ITSELF
    legible = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    if not legible:
        return "unknown", VersionSource.UNKNOWN
    return legible[:SAID_CHARS_MAX], VersionSource.NO_VERSION
