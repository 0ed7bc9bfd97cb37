"""Takes an executed round; gives its outcome in a form that can be compared with rounds of any other run.

It holds each operation's reply class, and over HTTP its error; each message's copies with tags, envelope and
read flag; the round's tag names with their counts; what a relay got; whether the server lives. It leaves out
IDs, times, order, counters, logs and other rounds (docs/glossary.md). Only first attempts count, because
serial runs retry nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from mailrace.check.orders import first_attempts
from mailrace.check.tags import tag_key, tag_keys, tags_named
from mailrace.model.attempt import Attempt, Outcome, RoundRecord, StoredMessage
from mailrace.model.operation import (
    Effect,
    Message,
    PlannedRound,
    Send,
    messages_of,
    protocol_of,
)

SHARED = -1
"""Stands for the actor where a part belongs to no operation: given messages, tags, the server."""
NOT_RUN = "not run"
"""The reply of an operation that was left out, or whose last byte was never written."""
_SHORT_ID = re.compile(r"\b[A-Za-z0-9]{20,}\b")
_VIEWED = re.compile(r"/view/([\w-]+)")
_MARK = re.compile(r"^X-Mailrace: run=.*; message=(\w+)", re.MULTILINE)
"""Our mark in a source; every message of ours has it."""
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One thing that an outcome says: `reply` of actor 0 is `4xx`; `tag ROUND` of no actor has `1 copy`."""

    actor: int
    what: str
    value: str

    def __str__(self) -> str:
        return f"{self.what}: {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialOutcome:
    """What a round came to, in normal form: two that are equal are the same to every client.

    parts     sorted
    seen      what each poll of its readers showed, in normal form; judged as `torn_read` only
    order     the order in words, e.g. `send.1, delete`; "" for a round that was not serial
    """

    parts: tuple[Part, ...]
    seen: tuple[str, ...] = field(default=(), compare=False)
    order: str = field(default="", compare=False)


def outcome_of(record: RoundRecord, order: str = "") -> SerialOutcome:
    """The outcome of a round, concurrent or serial. Raises ValueError where its store was not read."""
    if record.stored is None:
        raise ValueError(f"round {record.index}: its store was not read")
    plain = _Plain(record)
    parts = [
        *_replies(record, plain),
        *_copies(record, plain),
        *_tags(record, plain),
        *_relayed(record, plain),
        Part(SHARED, "server", "ended" if record.crashed else "hangs" if record.hung else "lives"),
    ]
    return SerialOutcome(parts=tuple(sorted(parts)), seen=tuple(_seen(record, plain)), order=order)


def copies_part(record: RoundRecord, key: str) -> str:
    """The `what` of the part that holds the copies of that message."""
    return f"copies of {_Plain(record).message(key)}"


def tag_part(record: RoundRecord, tag: str) -> str:
    """The `what` of the part that counts that tag's copies."""
    return f"tag {_Plain(record).text(tag)}"


def shown_key(record: RoundRecord, attempt: Attempt) -> str:
    """The key of the message that a reply shows: by sender or mark where they are shown, else by its ID."""
    document, mark = _document(attempt.text), _MARK.search(attempt.text)
    if key := _sender_of(document) if isinstance(document, dict) else mark[1] if mark else "":
        return key
    ids = {server_id: key for key, server_id in record.ids.items()}
    ids |= {row.id: row.key for row in (record.stored.messages if record.stored else ())}
    ids |= {one.queued_as: one.message for one in record.attempts if one.message and one.queued_as}
    return next((ids[i] for i in _VIEWED.findall(attempt.text) if i in ids), "")


def owner_of(plan: PlannedRound, key: str) -> int:
    """The index of the operation that sends the message; SHARED for a given or unknown one."""
    for index, operation in enumerate(plan.operations):
        if isinstance(operation, Send) and key in (
            operation.message.key,
            operation.lead and operation.lead.key,
        ):
            return index
    return SHARED


class _Plain:
    """The names of one round, replaced by what does not change from run to run."""

    def __init__(self, record: RoundRecord) -> None:
        self._record = record
        self._messages = messages_of(record.plan)
        domain = next((m.domain for m in self._messages.values()), "")
        self._token = record.plan.token.lower()
        pairs = [(domain, "DOMAIN"), (domain.partition(".")[0], "RUN"), (record.plan.token, "ROUND")]
        self._names = [(name.lower(), plain) for name, plain in pairs if name]

    def text(self, text: str, own: str = "") -> str:
        """The text in lower case; the addresses of `own`, a message, become OWN (`r00041.s02`)."""
        text = text.lower()
        if own:
            mark = own.lower().removeprefix(self._token)
            text = text.replace(f"{self._token}.{mark}", "OWN").replace(own.lower(), "OWN")
        for name, plain in self._names:
            text = text.replace(name, plain)
        return text

    def message(self, key: str) -> str:
        """How a message is called: `its message`, `its lead message`, or a given one by its number."""
        owner = owner_of(self._record.plan, key)
        if owner == SHARED:
            return self.text(key)
        operation = self._record.plan.operations[owner]
        is_lead = isinstance(operation, Send) and operation.message.key != key
        return "its lead message" if is_lead else "its message"

    def copy(self, copy: StoredMessage) -> str:
        tags = ", ".join(sorted(self.text(tag) for tag in copy.tags))
        envelope = ", ".join(sorted(self.text(a, copy.key) for a in copy.to + copy.cc + copy.bcc))
        return f"tags [{tags}] to [{envelope}] {'read' if copy.read else 'unread'}"

    def shown(self, attempt: Attempt) -> str:
        """Which message a reply shows, and which part of it."""
        key = shown_key(self._record, attempt)
        if key not in self._messages:
            return "no message of the round"
        document, mark = _document(attempt.text), _MARK.search(attempt.text)
        if isinstance(document, dict) and "Text" in document:
            subject = self.text(str(document.get("Subject")), key)
            return f"{self.message(key)}, {subject}, {self._body(str(document['Text']), key)}"
        body = attempt.text.partition("\n\n")[2]
        return f"{self.message(key)}, {self._body(body, key)}" if mark else self.message(key)

    def _body(self, body: str, key: str) -> str:
        """A body's description that tells half a body, or another message's, from the whole, in any round."""
        text = self.text(body, key).rstrip()
        return f"{len(text)} characters of body, digest {sha256(text.encode()).hexdigest()[:8]}"

    def error(self, text: str) -> str:
        """An HTTP error without its IDs and numbers."""
        return " ".join(_NUMBER.sub("N", self.text(_SHORT_ID.sub("ID", text))).split())[:300]


def _replies(record: RoundRecord, plain: _Plain) -> Iterator[Part]:
    firsts = first_attempts(record)
    for actor, operation in enumerate(record.plan.operations):
        if operation.effect & Effect.POLLS:
            continue
        first = firsts.get(actor)
        if first is None or first.released_ns is None:
            yield Part(actor, "reply", NOT_RUN)
        elif first.outcome is Outcome.UNKNOWN:
            yield Part(actor, "reply", first.word.value)
        else:
            is_told = protocol_of(operation) != "smtp" and first.outcome is Outcome.FAIL
            error = f" {plain.error(first.text)}" if is_told else ""
            yield Part(actor, "reply", f"{first.reply_class or first.word.value}{error}")
            if operation.effect & Effect.SHOWS and first.outcome is Outcome.OK:
                yield Part(actor, "shown", plain.shown(first))


def _copies(record: RoundRecord, plain: _Plain) -> Iterator[Part]:
    assert record.stored is not None
    found: dict[str, list[str]] = {key: [] for key in messages_of(record.plan)}
    for copy in record.stored.messages:
        if copy.attempt <= 1:
            found.setdefault(copy.key, []).append(plain.copy(copy))
    for key, copies in found.items():
        value = "; ".join(sorted(copies)) if copies else "none"
        yield Part(owner_of(record.plan, key), f"copies of {plain.message(key)}", value)


def _tags(record: RoundRecord, plain: _Plain) -> Iterator[Part]:
    assert record.stored is not None
    named = tag_keys(tags_named(record.plan))
    token = record.plan.token.lower()
    listed = {t.lower() for t in record.stored.tags if token in t.lower() or tag_key(t) in named}
    held = [tag.lower() for copy in record.stored.messages for tag in copy.tags]
    for tag in sorted(listed):
        yield Part(SHARED, f"tag {plain.text(tag)}", f"on {held.count(tag)}")


def _relayed(record: RoundRecord, plain: _Plain) -> Iterator[Part]:
    """What the relay got of each message that an operation releases, and any other mail that it got."""
    assert record.stored is not None
    asked = [key for one in record.plan.operations if one.effect & Effect.RELAYS for key in one.named]
    for key in dict.fromkeys((*asked, *(copy.key for copy in record.stored.relayed))):
        copies = [copy.difference or "whole" for copy in record.stored.relayed if copy.key == key]
        yield Part(SHARED, f"relayed {plain.message(key)}", ", ".join(sorted(copies)) or "none")


def _seen(record: RoundRecord, plain: _Plain) -> Iterator[str]:
    """What readers were shown of this round: its messages with their tags, or its tag names."""
    shows = Effect.POLLS | Effect.SHOWS
    readers = {i for i, operation in enumerate(record.plan.operations) if operation.effect & shows}
    own = messages_of(record.plan)
    token = record.plan.token.lower()
    for attempt in record.attempts:
        if attempt.actor not in readers or attempt.outcome is not Outcome.OK:
            continue
        shown = _document(attempt.text)
        if isinstance(shown, list):
            names = sorted(plain.text(t) for t in shown if isinstance(t, str) and token in t.lower())
            yield f"tags [{', '.join(names)}]"
        elif isinstance(shown, dict) and isinstance(shown.get("messages"), list):
            rows = [_row(row, own, plain) for row in shown["messages"]]
            yield " ".join(sorted(row for row in rows if row)) or "nothing"
        elif row := _row(shown, own, plain):
            yield row


def _document(text: str) -> object:
    """The JSON of a reply; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _sender_of(row: Mapping[str, object]) -> str:
    """The key of the message that a row or page shows; "" where it names no sender."""
    sender = row.get("From")
    address = sender.get("Address") if isinstance(sender, dict) else ""
    return str(address or "").partition("@")[0].lower()


def _row(row: object, own: Mapping[str, Message], plain: _Plain) -> str:
    key = _sender_of(row) if isinstance(row, dict) else ""
    if not isinstance(row, dict) or key not in own:
        return ""
    tags = row.get("Tags") or ()
    listed = tags if isinstance(tags, list | tuple) else (tags,)  # a server may send anything for a list
    return f"{plain.text(key)} [{', '.join(sorted(plain.text(str(t)) for t in listed))}]"
