"""SMTP as Mailpit's daemon speaks it: its replies and its state machine on aiosmtpd's connections.

aiosmtpd reads lines and keeps the connection; every reply and every change of state is Mailpit's. After a
refused DATA the envelope stays (S11): on 1.28.4 and later MAIL is then refused, RCPT and DATA go on with it.
"""

import asyncio
import re
import socket
from collections import defaultdict
from datetime import UTC, datetime
from email.utils import parseaddr

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as Login

from mailrace.embedded.driver import acting
from mailrace.embedded.log import log
from mailrace.embedded.mailbox import Mailbox, Refused
from mailrace.embedded.settings import Settings

RECIPIENTS_MAX = 100
MESSAGE_BYTES_MAX = 50 * 1024 * 1024
_LINE_BYTES_MAX = 2048
_FROM = re.compile(r"FROM: ?<(|[^<>\v]+)>( |$)(.*)?", re.IGNORECASE)
_TO = re.compile(r"TO: ?<([^<>\v]+)>( |$)(.*)?", re.IGNORECASE)
_SIZE = re.compile(r"(?:^| |,)SIZE=(.*?)(?:$|,| )", re.IGNORECASE)
_UNRECOGNISED = "500 5.5.2 Syntax error, command unrecognized"
_BAD_SEQUENCE = "503 5.5.1 Bad sequence of commands"
_TOO_LARGE = f"552 5.3.4 Requested mail action aborted: exceeded storage allocation ({MESSAGE_BYTES_MAX})"
_BAD_ADDRESS = "553 5.1.3 The address is not a valid RFC 5321 address"


class _Commands(dict[str, object]):
    """aiosmtpd's table of commands, with an answer to those that it does not hold."""

    def __init__(self, known: dict[str, object], unknown: object) -> None:
        super().__init__(known)
        self._unknown = unknown

    def get(self, name: str, default: object = None) -> object:
        return super().get(name, self._unknown)


class Session(SMTP):
    """One connection of a client."""

    line_length_limit = MESSAGE_BYTES_MAX
    command_size_limit = _LINE_BYTES_MAX

    def __init__(self, mailbox: Mailbox, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self._host = socket.gethostname()
        # aiosmtpd shares this among all sessions, and each new one would clear it.
        self.command_size_limits = defaultdict(lambda: _LINE_BYTES_MAX)
        # With a name given, aiosmtpd does not look it up for each connection.
        super().__init__(
            object(),
            hostname=self._host,
            ident="Mailpit ESMTP Service ready",
            enable_SMTPUTF8=True,
            loop=loop,
            authenticator=self._authenticate_user,
            auth_require_tls=False,
        )
        self._mailbox = mailbox
        self._version = mailbox.version
        self._settings = settings
        self._peer_name = ""
        self._has_greeted = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._smtp_methods = _Commands(self._smtp_methods, self._unrecognised)

    async def push(self, status: str | bytes) -> None:
        """Write a reply; aiosmtpd's own words for bad lines become Mailpit's."""
        if isinstance(status, bytes):
            status = status.decode("ascii")  # a challenge of AUTH
        if status.startswith("500 Error"):
            status = _UNRECOGNISED
        elif status == "500 Command line too long":
            status = "500 5.5.2 Line too long"
        if status[0] in "45":
            level = "warning" if status[0] == "4" else "error"
            log(level, f"[smtpd] response ({self._peer()[0]}) {status}")
        await super().push(status)

    async def handle_exception(self, error: Exception) -> str:
        """A mistake of ours is said in the log; the client reads a local error."""
        log("error", f"[smtpd] {type(error).__name__}: {error}")
        return "451 4.3.0 Requested action aborted: local error in processing"

    def _peer(self) -> tuple[str, int]:
        peer = self.session.peer if self.session is not None else None
        return (str(peer[0]), int(peer[1])) if peer else ("127.0.0.1", 0)

    def _reset(self) -> None:
        self._sender = None
        self._recipients = []

    async def _unrecognised(self, arg: str | None) -> None:
        await self.push(_UNRECOGNISED)

    async def _greet(self, arg: str | None, reply: str) -> None:
        self._peer_name = arg or ""
        self._has_greeted = True
        self._reset()
        await self.push(reply)

    async def smtp_HELO(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's names
        await self._greet(arg, f"250 {self._host} greets {arg or ''}")

    async def smtp_EHLO(self, arg: str | None) -> None:  # noqa: N802
        size = MESSAGE_BYTES_MAX if self._version.since(1, 28, 4) else 0
        lines = [f"{self._host} greets {arg or ''}", f"SIZE {size}"]
        if self._settings.passwords or self._settings.accepts_any_login:
            lines.append("AUTH PLAIN LOGIN")
        lines.append("ENHANCEDSTATUSCODES")
        if self._version.since(1, 28, 4):
            lines.append("8BITMIME")
        if self._version.since(1, 27):
            lines.append("SMTPUTF8")
        if self.session is not None:
            self.session.host_name, self.session.extended_smtp = arg or "", True  # aiosmtpd's AUTH asks
        await self._greet(arg, "".join(f"250-{x}\r\n" for x in lines[:-1]) + f"250 {lines[-1]}")

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if not await self._may_send():
            return
        if self._version.refuses_mail_out_of_sequence:
            if not self._has_greeted:
                await self.push(f"{_BAD_SEQUENCE} (HELO/EHLO required before MAIL)")
                return
            # Where a refused DATA left its recipients behind, this refuses the client's next mail (S11).
            if self._recipients:
                await self.push(f"{_BAD_SEQUENCE} (RSET/HELO/EHLO required before MAIL)")
                return
        self._recipients = []
        match = _FROM.search(arg or "")
        refusal = self._mistake_in(match, "FROM") or self._size_mistake(match[3] if match else "")
        if match is None or refusal:
            await self.push(refusal)
            return
        self._sender = match[1]
        await self.push("250 2.1.0 Ok")

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        if not await self._may_send():
            return
        if self._sender is None:
            await self.push(f"{_BAD_SEQUENCE} (MAIL required before RCPT)")
            return
        match = _TO.search(arg or "")
        refusal = self._mistake_in(match, "TO")
        if match is None or refusal:
            await self.push(refusal)
        elif len(self._recipients) >= RECIPIENTS_MAX:
            await self.push("452 4.5.3 Too many recipients")
        else:
            self._recipients.append(match[1])
            await self.push("250 2.1.5 Ok")

    def _mistake_in(self, match: re.Match[str] | None, word: str) -> str:
        if match is None:
            return f"501 5.5.4 Syntax error in parameters or arguments (invalid {word} parameter)"
        if self._version.since(1, 28, 4) and match[1]:
            local, at, domain = match[1].rpartition("@")
            if not (local and at and domain) or " " in match[1] or parseaddr(match[1])[1] != match[1]:
                return _BAD_ADDRESS
        return ""

    def _size_mistake(self, parameters: str) -> str:
        invalid = "501 5.5.4 Syntax error in parameters or arguments (invalid SIZE parameter)"
        match = _SIZE.search(parameters or "")
        if match is None:
            # 1.17 knows no other parameter.
            return invalid if parameters and not self._version.since(1, 27) else ""
        if not match[1].lstrip("+-").isdigit():
            return invalid
        return _TOO_LARGE if self._version.since(1, 28, 4) and int(match[1]) > MESSAGE_BYTES_MAX else ""

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        if not await self._may_send():
            return
        if self._sender is None or not self._recipients:
            await self.push(f"{_BAD_SEQUENCE} (MAIL & RCPT required before DATA)")
            return
        await self.push("354 Start mail input; end with <CR><LF>.<CR><LF>")
        body = await self._read_data()
        if self._version.since(1, 28, 4) and len(body) > MESSAGE_BYTES_MAX:
            await self.push(_TOO_LARGE)
            return
        raw = self._received() + body
        with acting(f"smtp {self._peer()[1]}"):
            work = self._mailbox.accept(self._sender, tuple(self._recipients), raw)
            try:
                message = await self._mailbox.to_its_end(work)
            except Refused as error:
                if not self._version.keeps_failed_envelope:
                    self._reset()
                await self.push(error.reply)
                return
        self._reset()
        suffix = f" as {message}" if message and self._version.since(1, 18, 1) else ""
        await self.push(f"250 2.0.0 Ok: queued{suffix}")

    async def _read_data(self) -> bytes:
        pieces: list[bytes] = []
        before = b"\r\n"
        while True:
            # The end is a line of one dot; `.\r\n` may end any other line as well.
            piece = await self._reader.readuntil(b".\r\n")
            pieces.append(piece)
            if (before + piece).endswith(b"\n.\r\n"):
                break
            before = piece[-2:]
        body = b"".join(pieces)[: -len(b".\r\n")]
        return re.sub(rb"(?m)^\.", b"", body) if b"." in body else body

    def _received(self) -> bytes:
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000 (UTC)").replace(", 0", ", ")
        return (
            f"Received: from {self._peer_name} (unknown [{self._peer()[0]}])\r\n"
            f"        by {self._host} (Mailpit) with SMTP\r\n"
            f"        for <{self._recipients[0]}>; {now}\r\n"
        ).encode("utf-8", "surrogateescape")

    async def smtp_RSET(self, arg: str | None) -> None:  # noqa: N802
        self._reset()
        await self.push("250 2.0.0 Ok")

    async def smtp_NOOP(self, arg: str | None) -> None:  # noqa: N802
        await self.push("250 2.0.0 Ok")

    async def smtp_VRFY(self, arg: str | None) -> None:  # noqa: N802
        await self.push("502 5.5.1 Command not implemented")

    smtp_HELP = smtp_EXPN = smtp_VRFY  # noqa: N815

    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802
        with_parameters = "501 5.5.2 Syntax error (no parameters allowed)"
        await self.push(with_parameters if arg else "502 5.5.1 Command not implemented")

    async def smtp_QUIT(self, arg: str | None) -> None:  # noqa: N802
        await self.push(f"221 2.0.0 {self._host} Mailpit ESMTP Service closing transmission channel")
        if self.transport is not None:
            self.transport.close()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if self._settings.passwords or self._settings.accepts_any_login:
            await super().smtp_AUTH(arg)
        else:
            await self.push("502 5.5.1 Command not implemented")

    async def _may_send(self) -> bool:
        if not self._settings.passwords or (self.session is not None and self.session.authenticated):
            return True
        await self.push("530 5.7.0 Authentication required")
        return False

    def _authenticate_user(
        self, server: SMTP, session: Login, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        login = (given.login.decode("utf-8", "replace"), given.password.decode("utf-8", "replace"))
        known = self._settings.accepts_any_login or login in self._settings.passwords.items()
        return AuthResult(success=known, handled=False)
