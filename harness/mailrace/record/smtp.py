"""Takes the bytes of an SMTP connection; gives a `send` for each mail transaction.

A transaction begins with the first byte of MAIL and ends with the reply to the final dot, or with the reply
that refused it. Commands may be pipelined: the replies are matched in order (RFC 2920 3.1). AUTH exchanges
are followed, but nothing of them is kept. After STARTTLS nothing can be read, and the record says so.
"""

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from mailrace.model.attempt import Outcome
from mailrace.record.addresses import addresses_in
from mailrace.record.recorded import About
from mailrace.record.watch import (
    TLS_WORDS,
    UNREAD_BYTES_MAX,
    WAITING_MAX,
    LostTrack,
    Teller,
    is_encrypted,
    outcome_of_code,
)

ENDED_WORDS = "the connection ended"
HEADER_BYTES_MAX = 256 * 1024
"""How much of a mail's beginning is searched for its headers."""
_PATH = re.compile(rb"<([^<>]*)>")
_QUEUED = re.compile(r"queued as ([A-Za-z0-9_-]+)")


@dataclass(slots=True)
class _Transaction:
    """A mail on its way."""

    invoked_ns: int
    sender: str = ""
    recipients: list[str] = field(default_factory=list)


class _Command(NamedTuple):
    """A command that waits for its reply: its word, the address in it, and when its line was whole."""

    verb: bytes
    address: str = ""
    t_ns: int = 0


class _Body:
    """The mail between DATA's 354 and the final dot: digest, size and the headers that matter."""

    def __init__(self, *, is_kept: bool) -> None:
        self.content = bytearray()
        """The whole mail, where contents are kept; else empty."""
        self._is_kept = is_kept
        self._digest = hashlib.sha256()
        self._tail = b"\r\n"  # the dot may stand in the very first line
        self._head = bytearray()
        self._has_head = False
        self._skip = 2  # of the line end that was put before the first line, to find a dot in it
        self.size = 0

    def feed(self, data: bytes) -> int | None:
        """How many of these bytes belong to the mail and its final dot; None: all, and it goes on."""
        window = self._tail + data
        at = window.find(b"\r\n.\r\n")
        if at < 0:
            self._keep(window[:-4])
            self._tail = window[-4:]
            return None
        self._keep(window[: at + 2])
        return at + 5 - len(self._tail)

    def _keep(self, data: bytes) -> None:
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        data = data[skipped:]
        self._digest.update(data)
        self.size += len(data)
        if self._is_kept:
            self.content += data
        if not self._has_head:
            self._head += data[: HEADER_BYTES_MAX - len(self._head)]
            self._has_head = b"\r\n\r\n" in self._head or len(self._head) >= HEADER_BYTES_MAX

    def about(self) -> About:
        """Digest, size, Message-ID and X-Tags, as fields of `Recorded`."""
        headers = headers_of(bytes(self._head))
        return {
            "digest": self._digest.hexdigest(),
            "size": self.size,
            "message_id": headers.get("message-id", "").strip().strip("<>"),
            "to": addresses_in(headers.get("to", "")),
            "tags": tuple(t.strip() for t in headers.get("x-tags", "").split(",") if t.strip()),
        }


def headers_of(head: bytes) -> dict[str, str]:
    """The first value of each header, unfolded, by its lower-case name."""
    found: dict[str, str] = {}
    text = head.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    for line in re.sub(r"\r?\n[ \t]+", " ", text).splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


class SmtpWatch:
    """Follows one SMTP connection (RFC 5321). Raises LostTrack where it cannot."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._waiting: deque[_Command] = deque([_Command(b"")])  # the greeting answers no command
        self._unread = bytearray()
        self._replies = bytearray()
        self._mail: _Transaction | None = None
        self._body: _Body | None = None
        self._is_opaque = self._is_greeted_in_tls = self._has_refused = False
        self._is_first = True

    def client_sent(self, data: bytes, t_ns: int) -> None:
        """Commands, or a piece of a mail."""
        if self._is_opaque:
            return
        if self._is_first and is_encrypted(data):
            self._is_opaque, self._is_greeted_in_tls = True, True
            return
        self._is_first = False
        self._unread += data
        self._read_client(t_ns)
        if len(self._unread) > UNREAD_BYTES_MAX:
            raise LostTrack("a command line without an end")

    def server_sent(self, data: bytes, t_ns: int) -> None:
        """Replies; one may have several lines."""
        if self._is_opaque:
            if self._is_greeted_in_tls:
                self._answered_tls(data, t_ns)
            return
        self._replies += data
        while (end := self._replies.find(b"\n")) >= 0:
            line = bytes(self._replies[: end + 1])
            del self._replies[: end + 1]
            if line[3:4] == b"-":  # more lines of the same reply follow
                continue
            self._replied(line, t_ns)
            if self._is_opaque:
                return
        if len(self._replies) > UNREAD_BYTES_MAX:
            raise LostTrack("a reply without an end")

    def ended(self, t_ns: int) -> None:
        """The link is gone: unknown for a mail whose final dot was sent; any other mail was not sent."""
        if self._is_opaque:
            if self._is_greeted_in_tls and not self._has_refused:
                self._teller.not_seen(t_ns, TLS_WORDS)
            return
        for command in self._waiting:
            if command.verb == b"MAIL" and self._mail is None:
                self._mail = _Transaction(command.t_ns, command.address)
        self._tell(0, "", t_ns, Outcome.UNKNOWN if self._waits_for(b".") else Outcome.FAIL)

    def _answered_tls(self, data: bytes, t_ns: int) -> None:
        """A server without TLS answers a client's TLS: it refuses each line, so nothing was done."""
        self._replies += data
        *lines, rest = bytes(self._replies).split(b"\n")
        self._replies[:] = rest
        # The greeting is sent before anything is read.
        if lines and self._waits_for(b"") and lines[0][:3] == b"220":
            self._waiting.clear()
            lines = lines[1:]
        refused = [line[:1] in (b"4", b"5") and line[:3].isdigit() for line in lines]
        self._has_refused = self._has_refused or any(refused)
        if not all(refused) or (rest and not rest[:3].isdigit()):
            self._is_greeted_in_tls = False
            self._teller.not_seen(t_ns, TLS_WORDS)

    def _waits_for(self, verb: bytes) -> bool:
        return any(command.verb == verb for command in self._waiting)

    def _read_client(self, t_ns: int) -> None:
        while self._unread:
            if self._body is not None:
                if self._waits_for(b"."):
                    return  # the next transaction waits until this one is answered
                used = self._body.feed(bytes(self._unread))
                if used is None:
                    self._unread.clear()
                    return
                del self._unread[:used]
                self._waiting.append(_Command(b"."))
                continue
            if self._waits_for(b"DATA"):
                return  # whether commands or a mail follow depends on the reply
            end = self._unread.find(b"\n")
            if end < 0:
                return
            line = bytes(self._unread[:end]).rstrip(b"\r")
            del self._unread[: end + 1]
            self._commanded(line, t_ns)

    def _commanded(self, line: bytes, t_ns: int) -> None:
        if self._waiting and self._waiting[-1].verb == b"AUTH":
            return  # a line of the login: answered by 334 or the end of AUTH, and kept nowhere
        verb = b"TLS" if line[:8].upper() == b"STARTTLS" else line[:4].upper()
        path = _PATH.search(line)
        address = path[1].decode("utf-8", "replace") if path else ""
        self._waiting.append(_Command(verb, address, t_ns))
        if len(self._waiting) > WAITING_MAX:
            raise LostTrack("a thousand commands without a reply")

    def _replied(self, line: bytes, t_ns: int) -> None:
        if not line[:3].isdigit():
            raise LostTrack("a reply without a code")
        code, text = int(line[:3]), line[4:].decode("utf-8", "replace").strip()
        # Replies come in the order of the commands, so this one answers the oldest that still waits.
        if not self._waiting:
            if code == 421:
                return
            raise LostTrack("a reply to no command")
        verb, address, begun_ns = self._waiting[0]
        if verb == b"AUTH" and code == 334:
            return
        self._waiting.popleft()
        if verb == b"TLS" and code == 220:
            self._is_opaque = True
            self._teller.not_seen(t_ns, "STARTTLS: what follows is encrypted")
        elif verb == b"MAIL":
            # Others may have been sent ahead of this reply, and the mail begins with its command.
            # A second MAIL is refused, and the mail under way goes on.
            if self._mail is None:
                self._mail = _Transaction(begun_ns, address)
                if code >= 400:
                    self._tell(code, text, t_ns, Outcome.FAIL)
        elif verb == b"DATA" and code == 354:
            # A server may take a mail whose MAIL it refused: then it goes on with an older envelope.
            self._mail = self._mail or _Transaction(t_ns)
            self._body = _Body(is_kept=self._teller.keeps_content)
        elif verb == b"RCPT" and code < 400:
            self._mail = self._mail or _Transaction(t_ns)
            self._mail.recipients.append(address)
        elif verb == b".":
            self._tell(code, text, t_ns, outcome_of_code(code))
        elif verb == b"DATA" and code >= 400:
            self._tell(code, text, t_ns, Outcome.FAIL)
        elif verb in (b"RSET", b"EHLO", b"HELO"):
            self._mail = None
        self._read_client(t_ns)

    def _tell(self, code: int, text: str, t_ns: int, outcome: Outcome) -> None:
        mail, body = self._mail, self._body
        self._mail = self._body = None
        if mail is None:
            return
        queued = _QUEUED.search(text)
        about: About = body.about() if body is not None else {}
        plus = tuple(t for r in mail.recipients for t in r.partition("@")[0].split("+")[1:] if t)
        about |= {
            "code": code,
            "sender": mail.sender,
            "recipients": tuple(mail.recipients),
            "queued_as": queued[1] if queued else "",
            "tags": (*about.get("tags", ()), *plus),
        }
        if not code:
            about["text"] = ENDED_WORDS
        content = ("eml", bytes(body.content)) if body is not None else None
        self._teller.operation("send", mail.invoked_ns, t_ns, outcome, said=text, content=content, **about)
