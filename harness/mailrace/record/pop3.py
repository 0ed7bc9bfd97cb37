"""Takes the bytes of a POP3 connection; gives its retrievals and deletions (RFC 1939).

Each session has its own numbers for messages, and UIDL gives Mailpit's IDs. So an operation names the ID
where the client asked for them, else the number. Logins are followed, but nothing of them is kept.
"""

from collections import deque

from mailrace.model.attempt import Outcome
from mailrace.record.watch import UNREAD_BYTES_MAX, WAITING_MAX, LostTrack, Teller

_MANY_LINES = {b"LIST", b"UIDL", b"RETR", b"TOP", b"CAPA"}
_KINDS = {b"RETR": "retrieve", b"TOP": "retrieve", b"DELE": "mark_deleted", b"STAT": "list", b"LIST": "list"}


class Pop3Watch:
    """Follows one POP3 connection. Raises LostTrack where it cannot."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._waiting: deque[tuple[bytes, bytes, int]] = deque([(b"", b"", 0)])  # the greeting
        self._unread = bytearray()
        self._replies = bytearray()
        self._status: tuple[bool, str] | None = None
        self._ids: dict[str, str] = {}
        self._marked: list[str] = []
        self._is_opaque = False

    def client_sent(self, data: bytes, t_ns: int) -> None:
        """Commands."""
        if self._is_opaque:
            return
        self._unread += data
        while (end := self._unread.find(b"\n")) >= 0:
            verb, _, argument = bytes(self._unread[:end]).strip().partition(b" ")
            del self._unread[: end + 1]
            self._waiting.append((verb.upper(), argument.strip(), t_ns))
            if len(self._waiting) > WAITING_MAX:
                raise LostTrack("a thousand commands without a reply")
        if len(self._unread) > UNREAD_BYTES_MAX:
            raise LostTrack("a command line without an end")

    def server_sent(self, data: bytes, t_ns: int) -> None:
        """Replies: a status line, and for some commands lines up to a single dot."""
        if self._is_opaque:
            return
        self._replies += data
        while (end := self._replies.find(b"\n")) >= 0 and not self._is_opaque:
            line = bytes(self._replies[:end]).rstrip(b"\r")
            del self._replies[: end + 1]
            self._line(line, t_ns)
        if len(self._replies) > UNREAD_BYTES_MAX:
            raise LostTrack("a reply without an end")

    def ended(self, t_ns: int) -> None:
        """The link is gone: without a QUIT that was answered nothing was deleted (RFC 1939 6)."""
        quits = next((t for verb, _, t in self._waiting if verb == b"QUIT"), None)
        if self._marked and quits is not None:
            self._teller.operation("delete", quits, t_ns, Outcome.UNKNOWN, ids=tuple(self._marked))

    def _line(self, line: bytes, t_ns: int) -> None:
        if self._status is not None:  # in the lines of a long reply
            verb = self._waiting[0][0]
            if line == b".":
                self._over(*self._status, t_ns)
            elif verb == b"UIDL":
                number, _, uid = line.decode("ascii", "replace").partition(" ")
                self._ids[number] = uid
            return
        if not self._waiting or line[:1] not in (b"+", b"-"):
            raise LostTrack("a reply to no command")
        is_ok, text = line[:1] == b"+", line.decode("utf-8", "replace")
        verb, argument, _ = self._waiting[0]
        if is_ok and verb in _MANY_LINES and not (argument and verb in (b"LIST", b"UIDL")):
            self._status = (is_ok, text)
        else:
            self._over(is_ok, text, t_ns)

    def _over(self, is_ok: bool, text: str, t_ns: int) -> None:
        self._status = None
        verb, argument, invoked_ns = self._waiting.popleft()
        number = argument.decode("ascii", "replace").partition(" ")[0]
        ids = (self._ids.get(number, f"number {number}"),) if number else ()
        outcome = Outcome.OK if is_ok else Outcome.FAIL
        if verb == b"STLS" and is_ok:
            self._is_opaque = True
            self._teller.not_seen(t_ns, "STLS: what follows is encrypted")
        elif verb == b"QUIT" and self._marked:
            self._teller.operation("delete", invoked_ns, t_ns, outcome, said=text, ids=tuple(self._marked))
            self._marked = []
        elif verb == b"RSET":
            self._marked = []
        elif verb in _KINDS:
            if verb == b"DELE" and is_ok:
                self._marked += ids
            self._teller.operation(_KINDS[verb], invoked_ns, t_ns, outcome, said=text, ids=ids)
