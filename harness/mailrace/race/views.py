"""Takes a look at a quiet store; gives the same with what its other views show differently, by round.

This is for native rounds on servers of ours only: when steered, each instance has a memory of its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mailrace.actors import relayed_of
from mailrace.check import markable, may_touch, tags_it_may_hold, touched
from mailrace.check.tags import asked_tags, tag_keys
from mailrace.model.attempt import Disagreement, Loss, Outcome, RoundRecord, Stored, StoredMessage
from mailrace.model.errors import TargetError
from mailrace.model.operation import (
    Effect,
    Message,
    Operation,
    PlannedRound,
    Send,
    ServerOptions,
    messages_of,
)
from mailrace.model.own_trouble import own_trouble
from mailrace.model.target import Target

_EDITS = Effect.DELETES | Effect.TAGS | Effect.MARKS
_ROUND_TOKEN = re.compile(r"r\d{5}")


def gone_of(whole: Stored, records: Sequence[RoundRecord]) -> dict[str, str]:
    """Server IDs of the rounds' messages that the list `whole` no longer has, with their keys."""
    there = {row.id for row in whole.messages}
    known = {row_id: key for record in records for key, row_id in record.ids.items()}
    known |= {a.queued_as: a.message or "" for r in records for a in r.attempts if a.queued_as}
    return {row_id: key for row_id, key in known.items() if row_id not in there}


def is_comparable(target: Target, records: Sequence[RoundRecord]) -> bool:
    """Whether two views of the target have to agree after these rounds.

    They need not on a server that is not ours, which others may change between two looks, or while an
    operation without an answer may still take effect.
    """
    return target.is_ours and not any(a.outcome is Outcome.UNKNOWN for r in records for a in r.attempts)


def is_kept_in_memory(planned: PlannedRound) -> bool:
    """Whether the round has a message with an image, which newer servers keep in memory for some seconds."""
    return any(message.image_bytes for message in planned.given)


def is_gone_with_the_next(one: PlannedRound, other: PlannedRound, options: ServerOptions) -> bool:
    """Whether what a round leaves may be gone after another one, so that each has to be looked at alone.

    Its edits may delete, retag or mark what other rounds have stored. Or they delete a mail of its own that
    is being sent: then the next deletion prunes the tag that no mail holds any more.
    """
    edits = [o for o in one.operations if o.effect & _EDITS and not o.effect & (Effect.SHOWS | Effect.POLLS)]

    def touches(edit: Operation, planned: PlannedRound, messages: Iterable[Message]) -> bool:
        return any(may_touch(edit, m, tags_it_may_hold(m, planned.operations, options)) for m in messages)

    sent = [o.message for o in one.operations if isinstance(o, Send)]
    return any(
        touches(edit, other, messages_of(other).values())
        or (bool(edit.effect & Effect.DELETES) and touches(edit, one, sent))
        for edit in edits
    )


def arrived_before(
    records: Sequence[RoundRecord],
    rows: Mapping[int, Sequence[StoredMessage]],
    known: Sequence[StoredMessage],
) -> list[StoredMessage | None]:
    """For each record, the newest row of the rounds that were over before it began.

    rows, known   for each record its new rows, and all rows from before. A mail without an answer may arrive
                  later, so a round with one counts for nothing here
    """
    seen, found = list(known), list[StoredMessage | None]()
    for at, record in enumerate(records):
        seen = [max(seen, key=lambda row: row.created_ms)] if seen else []
        found.append(seen[0] if seen else None)
        if not any(a.outcome is Outcome.UNKNOWN for a in record.attempts):
            seen += rows.get(at, ())
    return found


def without_strangers_marks(
    rows: dict[int, list[StoredMessage]], records: Sequence[RoundRecord], options: ServerOptions
) -> None:
    """Count a mail as unread where no operation of its round may mark it: strangers may have opened it."""
    for at, its in rows.items():
        marked = markable(records[at], options)
        rows[at] = [row if row.key in marked else replace(row, read=False) for row in its]


def spread(found: Sequence[Disagreement], parts: list[Stored], records: Sequence[RoundRecord]) -> None:
    """Put each into the part of the round whose message it is about, or into the last one if about none."""
    owner = {key: at for at, record in enumerate(records) for key in messages_of(record.plan)}
    for two in found:
        at = owner.get(two.key, len(parts) - 1)
        parts[at] = replace(parts[at], disagreeing=(*parts[at].disagreeing, two))


def with_relayed(
    records: Sequence[RoundRecord],
    parts: Sequence[Stored],
    mails: Sequence[bytes],
    contents: Mapping[str, bytes],
) -> list[Stored]:
    """Each part with what the relay has got of the round's messages since the last look."""
    return [
        replace(part, relayed=relayed_of(mails, messages_of(record.plan), contents))
        for record, part in zip(records, parts, strict=True)
    ]


def named_by(row: StoredMessage, records: Sequence[RoundRecord]) -> int:
    """For a row that is no planned copy, the place of the round whose token it holds; else the last place."""
    text = " ".join((row.message_id, row.subject, *row.to, *row.cc, *row.bcc, *row.tags, row.sender)).lower()
    return next((at for at, r in enumerate(records) if r.plan.token in text), len(records) - 1)


def tags_by_round(whole: Stored, run: str) -> dict[str, list[str]]:
    """Tag names by the round whose token they hold; names without one are left out."""
    tags: dict[str, list[str]] = defaultdict(list)
    for tag in whole.tags:
        for token in _ROUND_TOKEN.findall(tag.lower().replace(run, "")) if run in tag.lower() else ():
            tags[token].append(tag)
    return tags


def is_lacking(records: Sequence[RoundRecord], whole: Stored, options: ServerOptions) -> bool:
    """Whether an accepted mail that its round does not edit lacks a row with all of its tags."""
    if options.ignore_duplicate_ids:
        return False  # one of several may stand for the others
    rows: dict[str, list[StoredMessage]] = defaultdict(list)
    for row in whole.messages:
        rows[row.key].append(row)
    for record in records:
        accepted = {a.message for a in record.attempts if a.outcome is Outcome.OK and a.message}
        messages = messages_of(record.plan)
        for key in accepted - touched(record, options):
            asked = tag_keys(asked_tags(messages[key], options))
            # One that was refused and stored all the same is there twice, the first time without its tags.
            if not any(asked <= tag_keys(row.tags) for row in rows[key]):
                return True
    return False


def not_read(records: Sequence[RoundRecord], wrong: TargetError) -> tuple[RoundRecord, ...]:
    """The records as unreadable: the server is to blame, unless our own machine failed."""
    loss = Loss.DROPPED if own_trouble(wrong) else Loss.UNVERIFIED
    why = f"the store could not be read or emptied: {wrong}"
    return tuple(r if r.lost else replace(r, lost=why, loss=loss) for r in records)
