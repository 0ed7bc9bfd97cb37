"""Takes a look at a quiet store; gives the same with what its other views say differently, by round.

Only natively, on servers of ours: when steered, each instance has a memory of its own.
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

    Not on a server that is not ours, for others may change it between two looks; nor while an operation has
    no answer, for it may still take effect.
    """
    return target.is_ours and not any(a.outcome is Outcome.UNKNOWN for r in records for a in r.attempts)


def is_kept_in_memory(planned: PlannedRound) -> bool:
    """Whether newer servers keep a message of the round in memory for some seconds: one with an image."""
    return any(message.image_bytes for message in planned.given)


def is_gone_with_the_next(one: PlannedRound, other: PlannedRound, options: ServerOptions) -> bool:
    """Whether what a round leaves may be gone after another one, so that each has to be looked at alone.

    Its edits delete, retag or mark what other rounds have stored. Or they delete a mail of its own that is
    being sent: a tag that is left on no mail is pruned by the next deletion.
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
    """For each record the newest row of what was over before it began: the rounds follow each other.

    rows, known   of each record the rows that are new, and all of those before. A mail without an answer may
                  arrive later, so such a round gives none
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
    """Take a mail for unread that no operation of its round may mark: others open what they like there."""
    for at, its in rows.items():
        marked = markable(records[at], options)
        rows[at] = [row if row.key in marked else replace(row, read=False) for row in its]


def spread(found: Sequence[Disagreement], parts: list[Stored], records: Sequence[RoundRecord]) -> None:
    """Put each into the part of the round whose message it is about; what is about none into the last."""
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
    """The place of the round whose token stands in a row that no message of ours explains; else the last."""
    text = " ".join((row.message_id, row.subject, *row.to, *row.cc, *row.bcc, *row.tags, row.sender)).lower()
    return next((at for at, r in enumerate(records) if r.plan.token in text), len(records) - 1)


def tags_by_round(whole: Stored, run: str) -> dict[str, list[str]]:
    """Tag names by the round that they name; one that names none says nothing of a single round."""
    tags: dict[str, list[str]] = defaultdict(list)
    for tag in whole.tags:
        for token in _ROUND_TOKEN.findall(tag.lower().replace(run, "")) if run in tag.lower() else ():
            tags[token].append(tag)
    return tags


def is_lacking(records: Sequence[RoundRecord], whole: Stored, options: ServerOptions) -> bool:
    """Whether of an accepted mail that its round leaves alone no row is there with all of its tags."""
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
    """What these rounds stored is not known: the server's doing, unless our own machine failed."""
    loss = Loss.DROPPED if own_trouble(wrong) else Loss.UNVERIFIED
    why = f"the store could not be read or emptied: {wrong}"
    return tuple(r if r.lost else replace(r, lost=why, loss=loss) for r in records)
