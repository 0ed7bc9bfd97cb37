"""SMTP without IO: a parser of replies, and the scripts of a session's opening, a transaction, a reset."""

import base64
import re
from collections.abc import Iterator

from mailrace.actors.script import Command, Ending, Garbage, Reply, Script, ending_of
from mailrace.model.attempt import Stage
from mailrace.model.operation import Message

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([- ])([^\r\n]*))?\r?\n")
_REPLY_BYTES_MAX = 64 * 1024


class ReplyParser:
    """Collects bytes into SMTP replies (RFC 5321 4.2). Bounded: a reply over 64 KiB is garbage."""

    def __init__(self) -> None:
        self._data = b""
        self._lines: list[str] = []
        self._lines_bytes = 0
        self._code = 0

    @property
    def is_midway(self) -> bool:
        """Whether part of a reply is there: a link that closes now cuts it short."""
        return bool(self._data or self._lines)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that `data` completes, in order and one by one; raises Garbage where it is none.

        Lines of one reply with different codes are garbage: RFC 5321 4.2.1 asks for one code, and a judge of
        promises must not choose between two. Bytes beyond the replies stay, and `is_midway` tells of them.
        """
        self._data += data
        while (end := self._data.find(b"\n")) >= 0:
            line, self._data = self._data[: end + 1], self._data[end + 1 :]
            self._lines_bytes += len(line)
            if self._lines_bytes > _REPLY_BYTES_MAX:
                break
            match = _LINE.fullmatch(line)
            if match is None:
                raise Garbage(line[:200].decode(errors="replace").strip())
            code = int(match[1])
            if self._lines and code != self._code:
                raise Garbage(f"a reply with two codes, {self._code} and {code}")
            self._code = code
            self._lines.append((match[3] or b"").decode(errors="replace"))
            # A line whose code is followed by a hyphen goes on in the next one (RFC 5321 4.2.1).
            if match[2] != b"-":
                reply = Reply(code, "\n".join(self._lines), will_close=code == 421)
                self._lines, self._lines_bytes = [], 0
                yield reply
        if self._lines_bytes + len(self._data) > _REPLY_BYTES_MAX:
            raise Garbage("a reply over 64 KiB")

    def finish(self) -> Iterator[Reply]:
        """The replies that the end of the connection completes: none, every reply has its own end."""
        return iter(())


def opening(*, starttls: bool, auth: tuple[str, str] | None) -> Script:
    """Greeting, EHLO, and where asked for STARTTLS (the link turns after its 220) and AUTH PLAIN."""
    reply = yield Command(Stage.GREETING, b"")
    ehlo = Command(Stage.EHLO, b"EHLO localhost\r\n")
    if reply.code == 220:
        reply = yield ehlo
    if reply.code == 250 and starttls:
        reply = yield Command(Stage.EHLO, b"STARTTLS\r\n")
        if reply.code == 220:
            reply = yield ehlo
    if reply.code == 250 and auth is not None:
        secret = base64.b64encode(f"\0{auth[0]}\0{auth[1]}".encode()).decode()
        reply = yield Command(Stage.EHLO, f"AUTH PLAIN {secret}\r\n".encode())
    return ending_of(reply)


def transaction(
    message: Message, content: bytes, *, ignore_mail_reply: bool = False, together: bool = False
) -> Script:
    """MAIL, RCPT for each recipient, DATA, the dot-stuffed content and the final dot, in one command.

    `together` writes all before the content at once, although no PIPELINING was announced; the replies are
    read and judged one by one all the same, and the first refusal ends it.
    """
    commands = [(Stage.MAIL, f"MAIL FROM:<{message.sender}>\r\n".encode())]
    commands += [(Stage.RCPT, f"RCPT TO:<{recipient}>\r\n".encode()) for recipient in message.recipients]
    commands += [(Stage.DATA, b"DATA\r\n")]
    if together:
        whole = b"".join(data for _, data in commands)
        commands = [(stage, b"" if n else whole) for n, (stage, _) in enumerate(commands)]
    for stage, data in commands:
        reply = yield Command(stage, data)
        if stage is Stage.DATA:
            break
        if reply.code >= 300 and not (stage is Stage.MAIL and ignore_mail_reply and reply.code == 503):
            return ending_of(reply)
    if reply.code != 354:
        return ending_of(reply) if reply.code >= 400 else _unexpected(reply)
    stuffed = re.sub(rb"(?m)^\.", b"..", content)
    reply = yield Command(Stage.REPLY, stuffed + b".\r\n", is_last=True)
    return ending_of(reply) if reply.code < 300 or reply.code >= 400 else _unexpected(reply)


def reset() -> Script:
    """RSET, after a failure."""
    reply = yield Command(Stage.MAIL, b"RSET\r\n")
    return ending_of(reply)


def _unexpected(reply: Reply) -> Ending:
    raise Garbage(f"{reply.code} {reply.text}, which answers no command of ours")
