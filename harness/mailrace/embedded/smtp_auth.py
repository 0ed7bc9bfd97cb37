"""SMTP AUTH of one session: PLAIN and LOGIN against a table of names, or any name where all are accepted."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from mailrace.embedded.log import log

Ask = Callable[[str], Awaitable[str]]
"""Sends a challenge, as base64, and returns the client's answer."""

_CANNOT_DECODE = "501 5.5.2 Syntax error (unable to decode)"
_MECHANISMS = ("PLAIN", "LOGIN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who may log in: names with their passwords; with `accepts_any` everyone may, and nobody must."""

    known: Mapping[str, str]
    accepts_any: bool = False

    @property
    def is_offered(self) -> bool:
        """Whether AUTH exists at all."""
        return self.accepts_any or bool(self.known)


class Authenticator:
    """What one session knows of its client."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self.username = ""
        self._is_authenticated = False

    def offered(self) -> list[str]:
        """The line of EHLO, or none."""
        return [f"AUTH {' '.join(_MECHANISMS)}"] if self._credentials.is_offered else []

    def is_missing(self) -> bool:
        """Whether MAIL, RCPT and DATA have to be refused."""
        return bool(self._credentials.known) and not self._is_authenticated

    async def reply(self, arg: str, in_mail: bool, ask: Ask) -> str:
        """The reply to an AUTH command."""
        mechanism, _, initial = arg.partition(" ")
        mechanism = mechanism.upper()
        if not self._credentials.is_offered:
            return "502 5.5.1 Command not implemented"
        if self._is_authenticated:
            return "503 5.5.1 Bad sequence of commands (already authenticated for this session)"
        if in_mail:
            return "503 5.5.1 Bad sequence of commands (AUTH not permitted during mail transaction)"
        if not mechanism:
            return "501 5.5.4 Malformed AUTH input (argument required)"
        if mechanism not in _MECHANISMS:
            return "504 5.5.4 Unrecognized authentication type"
        try:
            pair = await (_plain if mechanism == "PLAIN" else _login)(initial.strip(), ask)
        except (binascii.Error, ValueError):
            return _CANNOT_DECODE
        if pair is None:
            return "501 5.5.2 Syntax error (unable to parse)"
        return self._check(*pair, mechanism)

    def _check(self, name: str, password: str, mechanism: str) -> str:
        known = self._credentials.known
        if self._credentials.accepts_any or (name in known and known[name] == password):
            self.username, self._is_authenticated = name, True
            return "235 2.7.0 Authentication successful"
        log("warning", f'[smtpd] deny {mechanism} login:"{name}"')
        return "535 5.7.8 Authentication credentials invalid"


async def _plain(initial: str, ask: Ask) -> tuple[str, str] | None:
    parts = _decoded(initial or await ask("")).split("\0")
    return (parts[1], parts[2]) if len(parts) == 3 else None


async def _login(initial: str, ask: Ask) -> tuple[str, str]:
    name = _decoded(initial or await ask(_encoded("Username:")))
    return name, _decoded(await ask(_encoded("Password:")))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text, validate=True).decode("utf-8", "replace")
