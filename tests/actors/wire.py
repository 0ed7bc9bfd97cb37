"""A conversation driven by hand: what the server says in, what was written and the attempt out; no socket."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mailrace.actors import Conversation, Script, transaction
from mailrace.actors.conversation import Parser
from mailrace.actors.smtp import ReplyParser
from mailrace.model.attempt import Attempt, Stage, Word
from mailrace.model.operation import Message

DOMAIN = "mrk3f9x2ab.test"
MAIL = Message(
    key="r00041s01",
    domain=DOMAIN,
    message_id=f"r00041s01@{DOMAIN}",
    to=(f"r00041.s01@{DOMAIN}",),
    bcc=(f"r00041.b01@{DOMAIN}",),
)
CONTENT = b"From: <a@b>\r\n\r\none\r\n.two\r\n"
ACCEPTS = (
    b"250 2.1.0 Ok\r\n",
    b"250 2.1.5 Ok\r\n",
    b"250 2.1.5 Ok\r\n",
    b"354 go on\r\n",
    b"250 2.0.0 Ok: queued\r\n",
)
"""What a server says to MAIL, both RCPT, DATA and the final dot."""


@dataclass
class Talk:
    """A conversation with a clock that ticks once an event; the held byte is let go as soon as it is held."""

    script: Script
    parser: Parser = field(default_factory=ReplyParser)
    hold_at: Stage | None = Stage.REPLY
    written: list[bytes] = field(default_factory=list)
    now: int = 0

    def __post_init__(self) -> None:
        self.conversation = Conversation(self.script, self.parser, hold_at=self.hold_at)
        self._write(self.conversation.open(self._tick()))

    def hears(self, chunks: Iterable[bytes]) -> "Talk":
        """The server says these, one read each; a chunk of no bytes is the end of the connection."""
        for data in chunks:
            if data:
                self._write(self.conversation.feed(data, self._tick()))
            else:
                self.conversation.closed(self._tick())
        return self

    def loses(self, word: Word) -> "Talk":
        """The link is lost, or time runs out."""
        self.conversation.lost(word, self._tick())
        return self

    @property
    def attempt(self) -> Attempt:
        return self.conversation.attempt(
            round_=41, actor=0, operation="send.1", message="r00041s01", number=1
        )

    @property
    def timeless(self) -> Attempt:
        """The attempt with the stages of its marks, and without their instants."""
        whole = self.attempt
        return replace(
            whole,
            marks=tuple((stage, 0) for stage, _ in whole.marks),
            invoked_ns=0,
            released_ns=None if whole.released_ns is None else 0,
            completed_ns=0,
        )

    def _write(self, data: bytes) -> None:
        self.written.append(data)
        if self.conversation.is_prepared:
            self.written.append(self.conversation.release())
            self.conversation.released(self._tick())

    def _tick(self) -> int:
        self.now += 1
        return self.now


def send_talk(hold_at: Stage | None = Stage.REPLY, content: bytes = CONTENT, message: Message = MAIL) -> Talk:
    """A sender in its transaction, on an SMTP session that is open."""
    return Talk(transaction(message, content), hold_at=hold_at)
