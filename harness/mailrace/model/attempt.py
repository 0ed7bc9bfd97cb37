"""What happened: attempts with their outcomes, and the record of one executed round.

Times are monotonic nanoseconds of the one process that drives the run (`time.monotonic_ns`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailrace.model.operation import PlannedRound
from mailrace.model.secrets import without_secrets

_QUEUED_AS = re.compile(r'queued as (\S+)|"ID": ?"([^"]+)"')


class Outcome(StrEnum):
    """What a completion promises about the store (RFC 5321 4.2.1, 4.1.1.4)."""

    OK = "ok"
    """Accepted: exactly one copy."""
    FAIL = "fail"
    """Refused, or lost before the final dot was complete: no copy."""
    UNKNOWN = "unknown"
    """Link lost or timed out after the final dot was written: no copy or one."""


class Word(StrEnum):
    """How an attempt ended, in one word; it goes with the attempt's `Outcome`."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """A 4yz or 5yz reply (HTTP: 4xx, 5xx)."""
    CONNECT_REFUSED = "connect-refused"
    TIMED_OUT = "timed-out"
    LINK_LOST = "link-lost"
    """Closed or reset by the server without a (whole) reply."""
    CUT_SHORT = "cut-short"
    """Closed in the middle of a reply."""
    SHUT_DOWN = "shut-down"
    """421: the server closes."""
    GARBAGE = "garbage"
    """Bytes that are no reply of the protocol."""
    GATEWAY = "gateway"
    """HTTP 429 or 502 to 504: a proxy answered, and what the server did is not known."""
    NOT_SENT = "not-sent"
    """Given up on before anything was sent: the run ended, or `reconcile` found a copy."""
    OWN_TROUBLE = "own-trouble"
    """mailrace's own machine lacked file descriptors, ports or memory: it says nothing of the server."""


class Loss(StrEnum):
    """Who caused it that a round cannot be counted."""

    DROPPED = "dropped"
    """Ours: its releases were too far apart, or our machine was in trouble. It says nothing of the server."""
    MACHINE = "machine"
    """The machine's: a full disk, a signal from outside. Nothing of the round is judged."""
    REFUSED = "refused"
    """The server's: it refused, or did not answer, before the operations were released. Never PASS then."""
    UNVERIFIED = "unverified"
    """The server did not show, or no longer holds, what the round stored. Never PASS then."""


class Stage(StrEnum):
    """How far an attempt had come when it ended, and the marks of its timeline."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    LOGIN = "login"
    """POP3: the login, the list and each DELE."""
    HELD = "held"
    """Everything but the last byte is written."""
    RELEASED = "released"
    """The last byte is written."""
    REPLY = "reply"
    """The last byte of the answer to the operation itself was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of one operation.

    round, actor     index of the round, and of the actor in its `operations` (-1: a given message)
    operation        the operation's key; `message` the message's key where the operation sends one
    number           1 for the raced attempt, 2 … for its retries
    code, text       the last reply: SMTP code (POP3: none) or HTTP status; its text, lines joined by "\\n"
    stage            the last stage reached
    marks            (stage, monotonic ns) in order; MAIL, RCPT, … stamp the reply to that command
    invoked_ns       the first byte of the operation was written
    released_ns      its last byte was written; None: it never was
    completed_ns     its last reply byte was read, or it was given up; over POP3, the server closed the link
    """

    round: int
    actor: int
    operation: str
    message: str | None
    number: int
    outcome: Outcome
    word: Word
    code: int | None
    text: str
    stage: Stage
    marks: tuple[tuple[Stage, int], ...]
    invoked_ns: int
    released_ns: int | None
    completed_ns: int

    def __post_init__(self) -> None:
        # Our login is taken out of the reply first, because quoting may cut the reply within it.
        object.__setattr__(self, "text", without_secrets(self.text))

    @property
    def reply_class(self) -> str:
        """ "2xx", "4xx", "5xx"; "" where no reply came."""
        return f"{self.code // 100}xx" if self.code else ""

    @property
    def queued_as(self) -> str:
        """The server ID that an accepting reply names; "" where it names none (Mailpit before 1.18.1)."""
        found = _QUEUED_AS.search(self.text) if self.outcome is Outcome.OK and self.message else None
        return (found[1] or found[2]) if found else ""

    @property
    def refused_at_dot(self) -> bool:
        """Whether the refusal answers the whole operation (for SMTP: the final dot)."""
        return self.outcome is Outcome.FAIL and self.released_ns is not None and bool(self.said)

    @property
    def said(self) -> str:
        """What the server said last: `451 4.3.5 Unable to process mail`; "" where it said nothing."""
        if self.code is None:
            is_said = self.word in (Word.ACCEPTED, Word.REFUSED)
            return self.text.partition("\n")[0].rstrip() if is_said else ""
        text = self.text.removeprefix(str(self.code)).lstrip()
        return f"{self.code} {text}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A stored message's source (`/raw`), compared with the bytes that its attempt sent.

    size_bytes   length of the source as stored
    difference   where it differs from what was sent, in words; "": only in the header fields that Mailpit
                 adds itself (`mailrace.check.source`)
    """

    size_bytes: int
    difference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """One row of the target's list or search, as REST shows it. Addresses are bare, lower case.

    snippet      the beginning of its text; None: not shown, as by a server that is too old
    attachments, names   how many files it has (None: not shown), names of addresses: ours have none
    created_ms   when the server stored it by its own clock, Unix milliseconds; 0: not shown
    source       its source beside what was sent; None: not compared
    """

    id: str
    message_id: str
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    reply_to: tuple[str, ...]
    subject: str
    tags: tuple[str, ...]
    read: bool
    size: int
    snippet: str | None = None
    attachments: int | None = None
    names: tuple[str, ...] = ()
    created_ms: int = 0
    source: Source | None = None

    @property
    def key(self) -> str:
        """The key of the `Message` that this is a copy of."""
        return self.sender.partition("@")[0]

    @property
    def attempt(self) -> int:
        """The number of the attempt that sent this copy; 0 where the mark is not ours."""
        mark = self.reply_to[0].partition("@")[0] if self.reply_to else ""
        return int(mark[1:]) if mark[:1] == "a" and mark[1:].isdigit() else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search for words that stand in one planned message only, and the server IDs that it found."""

    key: str
    query: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A row that differs from before although nothing was allowed to touch it; `after` None: it is gone."""

    before: StoredMessage
    after: StoredMessage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Where two views of a quiet store contradict each other; each in a clause.

    key   the message that it is about; "" where it is about a number
    """

    key: str
    one: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """One mail that the server's relay got.

    key          key of the message that it is a copy of
    difference   where its body is not what was sent, in words; "": it is what was sent
    """

    key: str
    difference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a target held for one run when its traffic was quiet.

    messages   rows, newest first; on a server that is not ours those with a recipient in the run's domain
    tags       tag names as `GET /tags` lists them; on a server that is not ours, only this run's own
    searches   what the search found, for each message that was searched for
    changed    rows of earlier rounds that are no longer what they were
    disagreeing  where another view of the store differs from this one
    relayed    what the server's relay got of the messages, in the order in which it came
    earlier    the newest row of rounds that were over before this one began; None: there is none
    """

    messages: tuple[StoredMessage, ...]
    tags: tuple[str, ...]
    searches: tuple[Search, ...] = ()
    changed: tuple[Changed, ...] = ()
    earlier: StoredMessage | None = None
    disagreeing: tuple[Disagreement, ...] = ()
    relayed: tuple[Relayed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the server's log, stamped when it was read (the server's own times are whole seconds)."""

    t_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """One executed round: plan, attempts, and the copies that were found of its messages.

    ids          server IDs of the given messages, by key
    attempts     in order of completion; raced attempts, retries and leads alike
    offsets_us   planned release offset of each actor, µs after the common instant
    skew_us      spread of the raced attempts' releases around their planned offsets, measured, µs
    decoys       decoy readers that ran beside it
    stored       this round's copies, and its tags as listed; None: not verified (said, never clean)
    lost         why the round could not be exercised, in words; "" if it was
    loss         who caused that; None if it was exercised
    against      what the server did wrong beside the raced operations, such as refusing a RSET; see `Loss`
    hung         requests that stayed unanswered although the server did nothing, or past their limit
    crashed      how the server's process ended in or after this round; "" if it lives
    verified_ns  when the store was read for `stored`, monotonic ns; None: not noted
    """

    index: int
    plan: PlannedRound
    ids: Mapping[str, str]
    attempts: tuple[Attempt, ...]
    offsets_us: tuple[float, ...]
    skew_us: float
    decoys: int
    released_ns: int
    stored: Stored | None = None
    log: tuple[LogLine, ...] = ()
    lost: str = ""
    loss: Loss | None = None
    against: tuple[str, ...] = ()
    hung: tuple[str, ...] = ()
    crashed: str = ""
    verified_ns: int | None = None
