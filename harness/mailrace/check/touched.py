"""A planned round to the messages that its own operations may delete or retag.

Such a message is judged by serial equivalence only (DESIGN.md, "Anomalies"): whether it should be there
depends on the order, which the promises alone do not know. In doubt a message counts as touched.
"""

import re
from collections.abc import Sequence

from mailrace.check.tags import asked_tags, tag_key
from mailrace.model.attempt import Attempt, RoundRecord
from mailrace.model.operation import (
    EDITS,
    Delete,
    DeleteAll,
    DeleteSearch,
    DeleteTag,
    Message,
    Operation,
    RenameTag,
    ServerOptions,
    SetTags,
    messages_of,
)

_TERM = re.compile(r'(!|-)?(?:([a-z-]+):)?(?:"([^"]*)"|(\S+))')


def acted(record: RoundRecord) -> tuple[Operation, ...]:
    """The operations that can have had an effect: all but those whose last byte was never written."""
    tries: dict[str, list[Attempt]] = {}
    for attempt in record.attempts:
        tries.setdefault(attempt.operation, []).append(attempt)
    return tuple(
        operation
        for operation in record.plan.operations
        if operation.key not in tries or any(a.released_ns is not None for a in tries[operation.key])
    )


def has_edits(record: RoundRecord) -> bool:
    """Whether the round deletes messages or edits tags."""
    return any(isinstance(operation, EDITS) for operation in acted(record))


def deletable(record: RoundRecord, options: ServerOptions) -> frozenset[str]:
    """Keys of the messages that an operation of the round may delete."""
    messages = messages_of(record.plan)
    retags = _tags_given_late(acted(record))
    found: set[str] = set()
    for operation in acted(record):
        match operation:
            case Delete():
                found.update(operation.messages)
            case DeleteAll():
                found.update(messages)
            case DeleteSearch():
                found.update(
                    k for k, m in messages.items() if could_match(operation.query, m, options, retags)
                )
    return _with_shared_ids(found, record, options)


def touched(record: RoundRecord, options: ServerOptions) -> frozenset[str]:
    """Keys of the messages that an operation of the round may delete or retag."""
    found = set(deletable(record, options))
    for operation in acted(record):
        match operation:
            case SetTags():
                found.update(operation.messages)
            case RenameTag() | DeleteTag():
                tag = tag_key(operation.tag)
                found.update(
                    key
                    for key, message in messages_of(record.plan).items()
                    if tag in {t.lower() for t in asked_tags(message, options)}
                )
    return _with_shared_ids(found, record, options)


def could_match(query: str, message: Message, options: ServerOptions, late: Sequence[str] = ()) -> bool:
    """Whether a search could find the message: false only where one of its terms cannot be met.

    `late`: tags that the round itself may put on a message. Terms that are negated, unknown or hold a
    wildcard (`_`, `%`) exclude nothing.
    """
    tags = {t.lower() for t in asked_tags(message, options)} | {tag_key(t) for t in late}
    fields = {
        "to": " ".join(message.to).lower(),
        "bcc": " ".join(message.bcc).lower(),
        "from": message.sender.lower(),
        "subject": message.subject.lower(),
        "message-id": message.message_id.lower(),
    }
    for negated, field, quoted, bare in _TERM.findall(query.lower()):
        value = quoted or bare
        if negated or "_" in value or "%" in value:
            continue
        if field == "tag" and tag_key(value) not in tags:
            return False
        if field in fields and message.file_sha256 is None and value not in fields[field]:
            return False
    return True


def _tags_given_late(operations: Sequence[Operation]) -> tuple[str, ...]:
    late: list[str] = []
    for operation in operations:
        match operation:
            case SetTags():
                late += operation.tags
            case RenameTag():
                late.append(operation.to)
    return tuple(late)


def _with_shared_ids(keys: set[str], record: RoundRecord, options: ServerOptions) -> frozenset[str]:
    """With ignore_duplicate_ids one copy stands for all messages of its Message-ID."""
    if not options.ignore_duplicate_ids:
        return frozenset(keys)
    messages = messages_of(record.plan)
    ids = {messages[key].message_id for key in keys if key in messages}
    return frozenset(keys | {key for key, message in messages.items() if message.message_id in ids})
