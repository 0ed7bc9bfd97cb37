"""One attempt on one connection, without IO: takes bytes and instants; gives bytes to write, and an Attempt.

The engines own sockets and clock. A conversation tells them what to write, when it is prepared (all but the
held byte is written), and how it ended. States: opened → prepared (held is set) → released → ended.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from mailrace.actors.script import Command, Ending, Garbage, Reply, Script
from mailrace.model.attempt import Attempt, Outcome, Stage, Word


class Parser(Protocol):
    """Takes bytes; gives whole replies. Each protocol has one."""

    @property
    def is_midway(self) -> bool:
        """Whether part of a reply is there."""

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that `data` completes, one by one; raises Garbage."""

    def finish(self) -> Iterator[Reply]:
        """The replies that the end of the connection completes; raises Garbage."""


class Conversation:
    """Drives a script over a parser, holding back the end (one byte mostly) of the command at `hold_at`.

    hold_at       the stage whose command waits for `release`; None: nothing is held
    let_go_ns     the held byte was written (the release, whose spread is the skew)
    released_ns   the operation's own last byte was written: from here on a lost link means unknown
    """

    def __init__(
        self,
        script: Script,
        parser: Parser,
        *,
        hold_at: Stage | None,
    ) -> None:
        self._script = script
        self._parser = parser
        self._hold_at = hold_at
        self._command: Command | None = None
        self._held = b""
        self.marks: list[tuple[Stage, int]] = []
        self.invoked_ns = 0
        self.let_go_ns: int | None = None
        self.released_ns: int | None = None
        self.completed_ns = 0
        self.ending: Ending | None = None
        self.will_close = self.has_more = False

    @property
    def is_prepared(self) -> bool:
        """Everything before the held byte was handed out for writing."""
        return bool(self._held)

    @property
    def is_over(self) -> bool:
        """An ending is there."""
        return self.ending is not None

    def open(self, t_ns: int) -> bytes:
        """The first bytes to write."""
        self.invoked_ns = t_ns
        try:
            return self._next(next(self._script), t_ns)
        except StopIteration as stop:
            self._end(stop.value, t_ns)
            return b""

    def release(self) -> bytes:
        """The held bytes; the caller writes it at once and then calls `released`."""
        held, self._held = self._held, b""
        return held

    def released(self, t_ns: int) -> None:
        """The held byte was written at that instant; nothing where the link was lost instead."""
        if self.ending is not None:
            return
        self.marks.append((Stage.RELEASED, t_ns))
        self.let_go_ns = t_ns
        if self._command is not None and self._command.is_last:
            self.released_ns = t_ns

    def feed(self, data: bytes, t_ns: int) -> bytes:
        """What to write next, given bytes that were read at that instant.

        Bytes beyond the ending answer nothing of ours: they are dropped, and `will_close` says that the
        connection must not be used again.
        """
        out = b"" if self.is_over else self._take(self._parser.feed(data), t_ns)
        if self.ending is not None and self._parser.is_midway:
            # What is left of a garbled reply was asked for.
            self.has_more, self.will_close = self.ending.word is not Word.GARBAGE, True
        return out

    def closed(self, t_ns: int) -> None:
        """The server closed the connection in order: that completes a response, or else the link is lost."""
        if not self.is_over:
            self._take(self._parser.finish(), t_ns)
        self.will_close = True
        self.lost(Word.LINK_LOST, t_ns)

    def _take(self, replies: Iterable[Reply], t_ns: int) -> bytes:
        out = b""
        try:
            for reply in replies:
                if self._command is None:
                    break
                self.will_close = reply.will_close
                self.marks.append((self._command.stage, t_ns))
                try:
                    out += self._next(self._script.send(reply), t_ns)
                except StopIteration as stop:
                    self._end(stop.value, t_ns)
                    break
        except Garbage as wrong:
            self.lost(Word.GARBAGE, t_ns, str(wrong))
        return out

    def lost(self, word: Word, t_ns: int, text: str = "") -> None:
        """The link ended, or time ran out, before the ending: unknown once the last byte was written."""
        if self.ending is not None:
            return
        if word is Word.LINK_LOST and self._parser.is_midway:
            word = Word.CUT_SHORT
        self.will_close = True
        outcome = Outcome.UNKNOWN if self.released_ns is not None else Outcome.FAIL
        self._end(Ending(outcome, word, None, text), t_ns)

    def attempt(
        self, *, round_: int, actor: int, operation: str, message: str | None, number: int
    ) -> Attempt:
        """The frozen record of this conversation, once it is over."""
        ending = self.ending or Ending(Outcome.FAIL, Word.NOT_SENT, None, "")
        stage = self.marks[-1][0] if self.marks else Stage.CONNECT
        return Attempt(
            round=round_,
            actor=actor,
            operation=operation,
            message=message,
            number=number,
            outcome=ending.outcome,
            word=ending.word,
            code=ending.code,
            text=ending.text,
            stage=stage,
            marks=tuple(self.marks),
            invoked_ns=self.invoked_ns,
            released_ns=self.released_ns,
            completed_ns=self.completed_ns,
        )

    def _next(self, command: Command, t_ns: int) -> bytes:
        self._command = command
        if command.stage is self._hold_at and command.data:
            self._hold_at = None
            self._held = command.data[-command.held_bytes :]
            self.marks.append((Stage.HELD, t_ns))
            return command.data[: -command.held_bytes]
        if command.is_last:
            self.released_ns = t_ns
        return command.data

    def _end(self, ending: Ending, t_ns: int) -> None:
        self.ending = ending
        self.completed_ns = t_ns
        self._held = b""
