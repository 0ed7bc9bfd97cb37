"""Takes a round; gives the messages that its own operations may delete, retag or mark.

Such a message is judged by serial equivalence only: whether it should be there depends on the order of the
operations, which the promises do not know. Where it is not sure whether a search finds a message, the message
counts as touched: the serial orders are run for real, and show it.
"""

import re
from collections.abc import Sequence, Set

from mailrace.check.tags import asked_tags, tag_key, tag_keys
from mailrace.model.attempt import Attempt, Outcome, RoundRecord
from mailrace.model.operation import (
    EDITS,
    FILLER,
    DeleteTag,
    Effect,
    Message,
    Operation,
    RenameTag,
    ServerOptions,
    SetTags,
    messages_of,
)

_NO_WORD = re.compile(r"[<>\",;()]")
"""Characters that Mailpit takes out of both the searched text and the search."""
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
    return _of_edits(record, options, Effect.DELETES)


def markable(record: RoundRecord, options: ServerOptions) -> frozenset[str]:
    """Keys of the messages that an operation of the round may mark read or unread."""
    return _of_edits(record, options, Effect.MARKS)


def touched(record: RoundRecord, options: ServerOptions) -> frozenset[str]:
    """Keys of the messages that an operation of the round may delete or retag."""
    return _of_edits(record, options, Effect.DELETES | Effect.TAGS)


def touched_tags(record: RoundRecord, options: ServerOptions) -> frozenset[str]:
    """Tags, as `tag_key` writes them, that an operation of the round may leave without a message."""
    messages = messages_of(record.plan)
    found = {tag for key in touched(record, options) for tag in asked_tags(messages[key], options)}
    for operation in acted(record):
        match operation:
            case SetTags():
                found.update(operation.tags)
            case RenameTag():
                found.update((operation.tag, operation.to))
            case DeleteTag():
                found.add(operation.tag)
    return tag_keys(found)


def may_touch(operation: Operation, message: Message, held: frozenset[str]) -> bool:
    """Whether the operation may delete, retag or mark the message if it is stored already.

    `held`: keys of all tags that the message may hold. A rename touches only what holds the old name, because
    Mailpit refuses a new name that is in use.
    """
    if isinstance(operation, RenameTag | DeleteTag):
        return tag_key(operation.tag) in held
    if operation.search:
        return could_match(operation.search, message, held)
    reads_any = bool(operation.effect & (Effect.POLLS | Effect.SHOWS)) and not operation.named
    return operation.is_on_all or reads_any or message.key in operation.named


def tags_it_may_hold(
    message: Message, operations: Sequence[Operation], options: ServerOptions
) -> frozenset[str]:
    """Keys of the tags that the message asks for, and that the operations may give it in any order."""
    held = set(tag_keys(asked_tags(message, options)))
    # One rename may lead to the next, so this goes on as long as it finds more.
    while True:
        more = {
            tag_key(tag)
            for operation in operations
            for tag in _given_to(message, operation, held)
            if tag_key(tag) not in held
        }
        if not more:
            return frozenset(held)
        held |= more


def _given_to(message: Message, operation: Operation, held: Set[str]) -> tuple[str, ...]:
    match operation:
        case SetTags() if message.key in operation.messages:
            return operation.tags
        case RenameTag() if tag_key(operation.tag) in held:
            return (operation.to,)
        case _:
            return ()


def _of_edits(record: RoundRecord, options: ServerOptions, effect: Effect) -> frozenset[str]:
    """Keys of the messages that an operation with that effect may have touched."""
    operations = acted(record)
    edits = [operation for operation in operations if operation.effect & effect]
    found: set[str] = set()
    for key, message in messages_of(record.plan).items() if edits else ():
        held = tags_it_may_hold(message, operations, options)
        if any(may_touch(edit, message, held) and not _ended_before(edit, key, record) for edit in edits):
            found.add(key)
    return _with_shared_ids(found, record, options)


def _ended_before(operation: Operation, key: str, record: RoundRecord) -> bool:
    """Whether the edit had its answer before the message was wholly sent, so that it cannot have touched it.

    Where some of the message's attempts were accepted, only those count.
    """
    sent = [a.released_ns for a in record.attempts if a.message == key and a.actor >= 0]
    accepted = [
        a.released_ns
        for a in record.attempts
        if a.message == key and a.actor >= 0 and a.outcome is Outcome.OK
    ]
    sent_ns = max((ns for ns in accepted or sent if ns is not None), default=None)
    edits = [a for a in record.attempts if a.operation == operation.key]
    if sent_ns is None or not edits or any(a.outcome is Outcome.UNKNOWN for a in edits):
        return False
    return max(a.completed_ns for a in edits) < sent_ns


def terms(query: str) -> tuple[tuple[bool, str, str], ...]:
    """The terms of a search in lower case: (is negated, field or "" for any, value)."""
    return tuple(
        (bool(no), field, quoted or bare) for no, field, quoted, bare in _TERM.findall(query.lower())
    )


def could_match(query: str, message: Message, held: frozenset[str]) -> bool:
    """Whether a search could find the message: false only where one of its terms cannot be met.

    `held`: keys of all tags that the message may hold. A term counts as met where it is negated, is of an
    unknown field or holds a wildcard (`_`, `%`). Of a user's own message only the tags are known, so every
    other term counts as met as well.
    """
    fields = {
        "to": " ".join(message.to).lower(),
        "bcc": " ".join(message.bcc).lower(),
        "from": message.sender.lower(),
        "subject": message.shown_subject.lower(),
        "message-id": message.message_id.lower(),
    }
    # All terms have to be met, so the first one that cannot be decides.
    for negated, field, value in terms(query):
        if negated or "_" in value or "%" in value:
            continue
        if field == "tag" and tag_key(value) not in held:
            return False
        if message.file_sha256 is not None:
            continue
        if field in fields and value not in fields[field]:
            return False
        if not field and not _is_in_text(value, message):
            return False
    return True


def _is_in_text(words: str, message: Message) -> bool:
    """Whether a search without a field could find those words: each stands somewhere in the message."""
    text = " ".join(
        (
            message.sender,
            message.shown_subject,
            *message.recipients,
            message.reply_to(1),
            message.first_words,
            FILLER,
            *(value for _, value in message.headers),
        )
    ).lower()
    return all(word in text for word in _NO_WORD.sub(" ", words).split())


def _with_shared_ids(keys: set[str], record: RoundRecord, options: ServerOptions) -> frozenset[str]:
    """With ignore_duplicate_ids one copy stands for all messages of its Message-ID."""
    if not options.ignore_duplicate_ids:
        return frozenset(keys)
    messages = messages_of(record.plan)
    ids = {messages[key].message_id for key in keys if key in messages}
    return frozenset(keys | {key for key, message in messages.items() if message.message_id in ids})
