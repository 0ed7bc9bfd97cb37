"""Takes a statement; gives its text as it is compared and shown, and whether that is one of the server's own.

Two runs of one schedule have other server IDs and other drawn values, so these are called by names (`Names`).
Background statements match by their exact text, for a prefix is not enough: `SELECT COUNT(*) FROM mailbox
WHERE MessageID = ?` is the check whose race is S6. They are let go at once and count for no actor.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mailrace.model.operation import Effect, Operation, PlannedRound, Send
from mailrace.steer.database_proxy.drawn import DIGITS_MIN, MASK, Drawn, tokens_of
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.rqlite import Call, Value

COUNT_ALL = "SELECT COUNT(*) FROM mailbox"
BROADCAST_END = "SELECT COUNT(*) FROM mailbox WHERE Read = ?"
"""The last statement of a broadcast of the statistics."""
BROADCAST = (COUNT_ALL, BROADCAST_END)
"""All of a broadcast: it comes 250 ms after a store or a deletion, once for all until then."""
BACKGROUND = frozenset(
    {
        *BROADCAST,
        "SELECT Value FROM settings WHERE Key = ? LIMIT ?",
    }
)
"""The statistics that some stores and deletions broadcast 250 ms later, and the settings that are read.

An operation on all messages begins with one of these statements too, and a reader of the list sends both of
the statistics: there they are the actor's own (`may_be_own`).
"""

DECOY = "SELECT DISTINCT Name FROM tags ORDER BY Name"
"""The one statement of `GET /api/v1/tags`."""

_BLOB = re.compile(r"x'[0-9a-fA-F]*'")
_BLANK = re.compile(r"\s+")


@lru_cache(maxsize=1024)
def text_of(sql: str) -> str:
    """A statement's text as it is compared and shown: one line, no blob."""
    return _BLOB.sub("x'…'", _BLANK.sub(" ", sql)).strip()


def may_be_own(operation: Operation, sent: int, text: str) -> bool:
    """Whether a text of `BACKGROUND` can be the next statement of an operation that has sent `sent` of them.

    Where a broadcast sends the same text first, that is taken for the operation's, and the operation's for
    the broadcast's. It makes no difference, for both only read.
    """
    counted = COUNT_ALL if operation.effect & Effect.DELETES else BROADCAST_END
    is_first = operation.is_on_all and sent == 0 and text == counted
    return is_first or bool(operation.effect & Effect.POLLS)


def is_background(statement: Statement) -> bool:
    """Whether the server sends it of its own accord, by its exact text."""
    return text_of(statement.sql) in BACKGROUND


@dataclass(slots=True)
class Names:
    """What server IDs and drawn values are called, so that two runs of one order read the same.

    ids      server ID to name: `<send.1>` for the message that an actor stores, its key for a given one
    drawn    what the server draws anew in each run
    values   names of what it drew in this run: `<send.1~2>` for the second value of an actor's
    """

    by_sender: Mapping[str, str]
    ids: dict[str, str] = field(default_factory=dict)
    drawn: Drawn = field(default_factory=Drawn)
    values: dict[Value, str] = field(default_factory=dict)

    @classmethod
    def of(cls, planned: PlannedRound, given_ids: Mapping[str, str]) -> "Names":
        """For one run of `planned` over a store that holds the given messages under those IDs."""
        senders = {}
        for operation in planned.operations:
            if isinstance(operation, Send):
                senders[operation.message.sender.lower()] = f"<{operation.key}>"
        return cls(senders, {server_id: f"<{key}>" for key, server_id in given_ids.items()})

    def learn(self, statement: Statement) -> None:
        """Note the server ID that a message is stored under."""
        for sql, args in statement.calls:
            if text_of(sql).startswith("INSERT INTO mailbox ") and len(args) > 4:
                lowered = str(args[4]).lower()
                for sender, name in self.by_sender.items():
                    if f'"{sender}"' in lowered:
                        self.ids[str(args[1])] = name

    def shown(self, value: Value) -> str:
        """A value as it is compared and shown: IDs, drawn values by name, instants and long texts masked."""
        if value in self.values and len(str(value)) >= DIGITS_MIN:
            return self.values[value]
        if isinstance(value, str):
            return self.ids.get(value) or (value if len(value) <= 80 else f"{value[:60]}…")
        if isinstance(value, int | float) and value > 1e12:
            return "<time>"
        if isinstance(value, bytes):
            return "<bytes>"
        return "NULL" if value is None else str(value)

    def whole(self, value: Value) -> str:
        """A value as states are told apart by it: as `shown`, with a digest where that cuts something off."""
        shown = self.shown(value)
        cut = isinstance(value, str) and shown.endswith("…") and shown != value
        return f"{shown}{hashlib.sha256(str(value).encode()).hexdigest()[:12]}" if cut else shown

    def call(self, statement: Statement) -> str:
        """The whole statement as it is compared between runs; drawn values masked while no actor is known."""
        parts = []
        for sql, args in statement.calls:
            text = text_of(sql)
            if self.drawn.patterns and (drawn := self._with_drawn(text, args, statement.actor)):
                parts.append(drawn)
            elif text.startswith("INSERT INTO mailbox ") and len(args) > 4:
                shown = f"<time>, {self.shown(args[1])}, {self.shown(args[2])}, …"
                parts.append(f"{text} [{shown}]")
            else:
                parts.append(f"{text} [{', '.join(self.shown(a) for a in args)}]")
        return "; ".join(parts)

    def plain(self, call: Call) -> Call:
        """A statement with all that is named or masked in any case: what is left of it may be drawn."""
        sql, args = call
        if text_of(sql).startswith("INSERT INTO mailbox "):
            return text_of(sql), ()
        kept = (a if self.shown(a) == str(a) else self.shown(a) for a in args)
        return text_of(sql), tuple(kept)

    def _with_drawn(self, text: str, args: Sequence[Value], actor: str) -> str:
        """A statement with its drawn values named or masked; "" where it has none."""
        tokens = tokens_of(text)
        pattern = self.drawn.pattern_of(tokens, args)
        if pattern is None:
            return ""

        def name(value: Value, is_drawn: bool, fixed: str) -> str:
            return self._named(value, actor, text) if is_drawn else fixed

        words = [name(t, known is None, t) for t, known in zip(tokens, pattern.tokens, strict=True)]
        shown = [
            name(a, is_drawn, self.shown(a)) for a, is_drawn in zip(args, pattern.arguments, strict=True)
        ]
        return f"{''.join(words)} [{', '.join(shown)}]"

    def _named(self, value: Value, actor: str, text: str) -> str:
        if not actor:
            return MASK
        if value not in self.values:
            number = 1 + sum(name.startswith(f"<{actor}~") for name in self.values.values())
            self.values[value] = f"<{actor}~{number}>"
            self.drawn.literals.setdefault(self.values[value], value)
            self.drawn.note(value, self, text)
        return self.values[value]

    def in_graph(self, call: Call) -> Call:
        """A statement as the graph of states runs it: drawn values are replaced by those of the first run.

        A given message keeps its server ID, which is the same in every run; what a run stores gets a name.
        """
        sql, args = call
        own = self.by_sender.values()
        names = [self.ids.get(a) if isinstance(a, str) else None for a in args]
        found: list[Value] = [
            n if n is not None and n in own else a for n, a in zip(names, args, strict=True)
        ]
        tokens = tokens_of(text_of(sql)) if self.drawn.patterns else []
        pattern = self.drawn.pattern_of(tokens, args)
        if pattern is None:
            return sql, tuple(found)
        literal = {value: self.drawn.literals[name] for value, name in self.values.items()}
        words = [
            str(literal.get(t, t)) if known is None else t
            for t, known in zip(tokens, pattern.tokens, strict=True)
        ]
        drawn = zip(found, pattern.arguments, strict=True)
        return "".join(words), tuple(literal.get(a, a) if is_drawn else a for a, is_drawn in drawn)
