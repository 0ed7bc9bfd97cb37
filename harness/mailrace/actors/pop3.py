"""POP3 without IO (RFC 1939): a parser of replies, and the script of a session up to its end.

A session sees the maildrop as it was at the login, so every attempt has a session of its own. Login, list and
each DELE come before the held byte, which belongs to RETR or to the QUIT that deletes.
"""

from collections.abc import Generator, Iterator, Mapping

from mailrace.actors.script import Command, Ending, Garbage, Reply, Script
from mailrace.model.asked import own_ids
from mailrace.model.attempt import Outcome, Stage, Word
from mailrace.model.operation import Pop3Delete, Pop3Retrieve

_LINE_BYTES_MAX = 64 * 1024
_REPLY_BYTES_MAX = 32 * 1024 * 1024
SHOWN_CHARS_MAX = 4_000
"""How much is kept of the body of a retrieved message; of its head, twice as much."""


class Pop3Parser:
    """Collects bytes into POP3 replies, whose code is 0, as they have none; `ask` tells what the next one is.

    Bounded: a line over 64 KiB before the list or the message, or 32 MiB in all, is garbage.
    """

    def __init__(self) -> None:
        self._data = b""
        self._status: bytes | None = None
        self._has_more_lines = False
        self._is_leaving = False

    @property
    def is_midway(self) -> bool:
        """Whether part of a reply is there: a link that closes now cuts it short."""
        return bool(self._data or self._status is not None)

    def ask(self, line: str, *, has_lines: bool = False) -> bytes:
        """A command's bytes; `has_lines`: where it is accepted, lines up to a single dot follow."""
        self._has_more_lines = has_lines
        self._is_leaving = line == "QUIT"
        return line.encode() + b"\r\n"

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that `data` completes, one by one; raises Garbage where it is none."""
        self._data += data
        if len(self._data) > _REPLY_BYTES_MAX:
            raise Garbage("a reply over 32 MiB")
        while True:
            if self._status is None:
                line, end, rest = self._data.partition(b"\n")
                if not end:
                    break
                self._data = rest
                if line[:3] != b"+OK" and line[:4] != b"-ERR":
                    raise Garbage(line[:200].decode(errors="replace").strip())
                if line[:3] != b"+OK" or not self._has_more_lines:
                    yield Reply(0, _text(line))
                    continue
                self._status = line
            # Lines follow, up to one of a single dot; an empty list is that line alone.
            body, end, rest = (b"\n" + self._data).partition(b"\n.\r\n")
            if not end:
                return
            status, self._status, self._data = self._status, None, rest
            yield Reply(0, _text(status + b"\n" + body.removeprefix(b"\n").replace(b"\n..", b"\n.")))
        if len(self._data) > _LINE_BYTES_MAX:
            raise Garbage("a reply over 64 KiB without an end")

    def finish(self) -> Iterator[Reply]:
        """The end of the connection answers QUIT as well: the server closes when it has deleted."""
        if self._is_leaving and not self.is_midway:
            yield Reply(0, "", will_close=True)


def session(
    operation: Pop3Retrieve | Pop3Delete,
    ids: Mapping[str, str],
    parser: Pop3Parser,
    login: tuple[str, str],
) -> Script:
    """The whole session of one attempt; only the byte that is held, and what comes after it, is raced.

    ids     the server's own IDs of the given messages by key, which are what its UIDL lists
    """
    wanted = own_ids(operation, ids)
    reply = yield Command(Stage.GREETING, b"")
    for line, has_lines in ((f"USER {login[0]}", False), (f"PASS {login[1]}", False), ("UIDL", True)):
        if not _is_ok(reply):
            return _refused(reply)
        reply = yield Command(Stage.LOGIN, parser.ask(line, has_lines=has_lines))
    if not _is_ok(reply):
        return _refused(reply)
    # The messages have their numbers now, for this session only.
    lines = [line.partition(" ") for line in reply.text.splitlines()[1:]]
    numbers = {uid: number for number, _, uid in lines}
    if missing := next((key for key in operation.named if ids[key] not in numbers), ""):
        said = f"its POP3 does not list {missing}, which is stored: it lists {len(numbers)} messages"
        return Ending(Outcome.FAIL, Word.REFUSED, None, said)
    if isinstance(operation, Pop3Retrieve):
        line = f"RETR {numbers[wanted[0]]}"
        reply = yield Command(Stage.REPLY, parser.ask(line, has_lines=True), is_last=True)
        yield from _leave(Command(Stage.REPLY, parser.ask("QUIT")))
        return _ending_of(reply)
    for place, uid in enumerate(wanted):
        reply = yield Command(Stage.LOGIN, parser.ask(f"DELE {numbers[uid]}"))
        # A second DELE of one message is rightly refused (RFC 1939, 5), and the session goes on.
        if not _is_ok(reply) and uid not in wanted[:place]:
            return _refused(reply)
    # From 1.30 on Mailpit takes a QUIT that is cut off for a whole one, so it is never half written.
    quits = parser.ask("QUIT")
    last = Command(Stage.REPLY, quits, is_last=True, held_bytes=len(quits))
    return _ending_of((yield from _leave(last)))


def _leave(quits: Command) -> Generator[Command, Reply, Reply]:
    """QUIT, and wait until the server closes; its answer, an empty one where it only closed."""
    answer = reply = yield quits
    while not reply.will_close:
        reply = yield Command(Stage.REPLY, b"")
    return answer


def _is_ok(reply: Reply) -> bool:
    return reply.text.startswith("+OK")


def _ending_of(reply: Reply) -> Ending:
    if _is_ok(reply):
        head, blank, body = reply.text.partition("\n\n")
        text = head[: 2 * SHOWN_CHARS_MAX] + blank + body[:SHOWN_CHARS_MAX]
        return Ending(Outcome.OK, Word.ACCEPTED, None, text)
    if not reply.text:
        return Ending(Outcome.UNKNOWN, Word.LINK_LOST, None, "the server closed without an answer to QUIT")
    return _refused(reply)


def _refused(reply: Reply) -> Ending:
    return Ending(Outcome.FAIL, Word.REFUSED, None, reply.text)


def _text(data: bytes) -> str:
    return data.replace(b"\r\n", b"\n").decode(errors="replace").rstrip("\r")
