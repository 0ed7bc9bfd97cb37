"""The one place where an actor meets a socket: a `Link` carries one conversation after the other.

Bytes get the time at which they were read before anybody judges them. Nothing here decides what an operation
means; a `Loop` says when there is something to read or write, and `mailrace.actors.release` lets held
operations go.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping

from mailrace.actors.conversation import Conversation, Parser
from mailrace.actors.http import ResponseParser
from mailrace.actors.loop import Loop
from mailrace.actors.pop3 import Pop3Parser
from mailrace.actors.script import Ending, Garbage, Reply
from mailrace.actors.smtp import ReplyParser, opening
from mailrace.model.asked import Spoken
from mailrace.model.attempt import Outcome, Word
from mailrace.model.dial import dial
from mailrace.model.own_trouble import own_trouble

_READ_BYTES = 256 * 1024
_PARSERS: Mapping[Spoken, Callable[[], Parser]] = {
    "smtp": ReplyParser,
    "http": ResponseParser,
    "pop3": Pop3Parser,
}


class Link:
    """One connection to a target, kept between rounds; at most one conversation on it at a time.

    was_dropped   the server closed the connection between two conversations, without having announced that;
                  set until the next connection is made
    was_unasked   the server sent bytes that nobody asked for, which could pass for the next answer
    """

    def __init__(
        self,
        loop: Loop,
        host: str,
        port: int,
        *,
        protocol: Spoken,
        tls: str = "",
        tls_context: ssl.SSLContext | None = None,
        auth: tuple[str, str] | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        self._loop = loop
        self._address = (host, port)
        self.protocol: Spoken = protocol
        """What it speaks."""
        self._tls = tls
        self._tls_context = tls_context
        self._auth = auth
        self._timeout_s = timeout_s
        # There is no connection yet: `connect` makes it, and a new parser with each.
        self._sock: socket.socket | None = None
        self._out = bytearray()
        self.parser: Parser = _PARSERS[protocol]()
        self.conversation: Conversation | None = None
        self.was_dropped = self.was_unasked = False
        self._connects_at_release = False

    @property
    def is_smtp(self) -> bool:
        """Whether it speaks SMTP."""
        return self.protocol == "smtp"

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._sock is not None

    def connect(self) -> Ending | None:
        """Connect, and open the SMTP session; how it failed, or None. Blocking, within the limit.

        The socket turns non-blocking afterwards and is followed by the loop.
        """
        failed = self.connect_bare()
        if failed is None and self.is_smtp:
            failed = self._open_session()
        if failed is None:
            self.follow()
        else:
            self.close()
        return failed

    def ensure(self) -> Ending | None:
        """Connect unless there is a connection; how that failed, or None."""
        return None if self._sock is not None else self.connect()

    def connect_bare(self) -> Ending | None:
        """Connect only (release at `connect` goes on by itself); how it failed, or None."""
        self.close()
        self.was_dropped = self.was_unasked = False
        try:
            self._sock = dial(self._address, self._timeout_s)
            if self._tls == "tls":
                self._turn_tls()
        except OSError as wrong:
            return _ending_of(wrong)
        return None

    def follow(self) -> None:
        """Hand the connected socket to the loop."""
        if self._sock is not None:
            self._sock.setblocking(False)
            self._loop.watch(self._sock, self, write=False)

    def begin(self, conversation: Conversation) -> None:
        """Start a conversation: its first bytes go out."""
        self.conversation = conversation
        self.write(conversation.open(time.monotonic_ns()))

    def write(self, data: bytes) -> None:
        """Write now what the socket takes; the rest goes out as the loop runs."""
        if data:
            self._out += data
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        sock = self._sock
        if sock is None:
            self._out.clear()
            return
        try:
            while self._out:
                del self._out[: sock.send(self._out[:_READ_BYTES])]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            self._lose(Word.LINK_LOST)
            return
        self._loop.watch(sock, self, write=bool(self._out))

    def release(self) -> int:
        """Write the held byte, or make the held connection, at once; the instant after it, monotonic ns."""
        conversation, sock = self.conversation, self._sock
        if conversation is None:
            return time.monotonic_ns()
        if sock is None and self._connects_at_release:
            self._connects_at_release = False
            failed = self.connect_bare()
            t_ns = time.monotonic_ns()
            if failed is not None:
                conversation.lost(failed.word, t_ns, failed.text)
                return t_ns
            self.follow()
            self.write(conversation.open(t_ns))
            return t_ns
        if sock is not None:
            try:
                held = conversation.release()
                sent = sock.send(held)
                if sent < len(held):
                    self.write(held[sent:])
            except OSError:
                self._lose(Word.LINK_LOST)
        return time.monotonic_ns()

    def begin_at_connect(self, conversation: Conversation) -> None:
        """Hold the connection itself: it is made, and the conversation opened, by `release`."""
        self.close()
        self.conversation = conversation
        self._connects_at_release = True

    @property
    def is_prepared(self) -> bool:
        """Only the release is missing: all before the held byte is written."""
        if self._connects_at_release:
            return True
        return self.conversation is not None and self.conversation.is_prepared and not self._out

    @property
    def is_idle(self) -> bool:
        """Its conversation, if it has one, is over."""
        return self.conversation is None or self.conversation.is_over

    def receive(self) -> None:
        """Read what is there, stamp it, and hand it to the conversation."""
        sock = self._sock
        if sock is None:
            return
        try:
            data = sock.recv(_READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            self._lose(Word.LINK_LOST)
            return
        t_ns = time.monotonic_ns()
        conversation = self.conversation
        if not data:
            self.was_dropped = conversation is None or (conversation.is_over and not conversation.will_close)
            if conversation is not None:
                conversation.closed(t_ns)
            self.close()
            return
        if conversation is None or conversation.is_over:
            self.was_unasked = not _is_farewell(data)
            self.close()  # bytes that nobody asked for: the next conversation gets a new connection
            return
        # The bytes are for the conversation, which may answer; a last reply may also end the connection.
        self.write(conversation.feed(data, t_ns))
        if conversation.is_over and conversation.will_close:
            self.was_unasked = conversation.has_more and not _is_farewell(data)
            self.close()

    def give_up(self) -> None:
        """End the conversation as timed out, and close: a late reply must not answer the next one."""
        self._lose(Word.TIMED_OUT)

    def close(self) -> None:
        """Close the connection; may be called twice."""
        sock, self._sock = self._sock, None
        self._out.clear()
        self.parser = _PARSERS[self.protocol]()
        if sock is not None:
            self._loop.forget(sock)
            sock.close()

    def _lose(self, word: Word) -> None:
        if self.conversation is not None:
            self.conversation.lost(word, time.monotonic_ns())
        self.close()

    def _turn_tls(self) -> None:
        assert self._sock is not None
        context = self._tls_context or ssl.create_default_context()
        self._sock = context.wrap_socket(self._sock, server_hostname=self._address[0])

    def _open_session(self) -> Ending | None:
        """Drive the opening script over the blocking socket, turning to TLS after STARTTLS."""
        script = opening(starttls=self._tls == "starttls", auth=self._auth)
        try:
            command = next(script)
            while True:
                assert self._sock is not None
                if command.data:
                    self._sock.sendall(command.data)
                reply = self._blocking_reply()
                if command.data == b"STARTTLS\r\n" and reply.code == 220:
                    self._turn_tls()
                command = script.send(reply)
        except StopIteration as stop:
            ending: Ending = stop.value
            return None if ending.outcome is Outcome.OK else ending
        except Garbage as wrong:
            return Ending(Outcome.FAIL, Word.GARBAGE, None, str(wrong))
        except OSError as wrong:
            if self.parser.is_midway and not isinstance(wrong, TimeoutError):
                return Ending(Outcome.FAIL, Word.CUT_SHORT, None, str(wrong))
            return _ending_of(wrong)

    def _blocking_reply(self) -> Reply:
        # The limit is for the whole reply: a server that sends a byte a second must not stretch it.
        deadline = time.monotonic() + self._timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            assert self._sock is not None
            self._sock.settimeout(left_s)
            data = self._sock.recv(_READ_BYTES)
            if not data:
                raise ConnectionResetError("closed by the server")
            replies = list(self.parser.feed(data))
            if len(replies) > 1:
                raise Garbage("two replies to one command")
            if replies:
                return replies[0]
        raise TimeoutError("no whole reply within the limit")


def _is_farewell(data: bytes) -> bool:
    """Whether it ends with a 421, which a server may say at any time before it closes (RFC 5321 4.2.5)."""
    return data.rstrip().rpartition(b"\n")[2].startswith(b"421")


def _ending_of(wrong: OSError) -> Ending:
    """How an attempt ended that got no session. A lack on our own machine says nothing of the server."""
    if lacked := own_trouble(wrong):
        return Ending(Outcome.FAIL, Word.OWN_TROUBLE, None, lacked)
    word = Word.TIMED_OUT if isinstance(wrong, TimeoutError) else Word.LINK_LOST
    if isinstance(wrong, ConnectionRefusedError):
        word = Word.CONNECT_REFUSED
    return Ending(Outcome.FAIL, word, None, str(wrong))
