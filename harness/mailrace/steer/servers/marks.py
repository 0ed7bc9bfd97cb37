"""A planned round in, the same round with each actor's own spelling of a shared tag out.

Tags are equal without case to the server and distinct to us, so that a statement with a tag in it names its
actor also where two of them share one instance.
"""

from dataclasses import replace

from mailrace.model.operation import Operation, PlannedRound, Read, Send, SetTags, respelt


def with_own_spellings(planned: PlannedRound) -> PlannedRound:
    """The round with the tags that two or more operations ask for spelt differently in each of them."""
    asked = [tags_of(o) for o in planned.operations]
    # Spellings begin from one of the tag, for each actor's is another turn of the same letters.
    written = {tag.lower(): tag for tags in reversed(asked) for tag in reversed(tags)}
    operations = []
    for index, operation in enumerate(planned.operations):
        others = {tag.lower() for i, tags in enumerate(asked) if i != index for tag in tags}
        spellings = {t: respelt(written[t.lower()], index) for t in asked[index] if t.lower() in others}
        operations.append(_spelt(operation, spellings))
    return replace(planned, operations=tuple(operations))


BODY_BYTES_MAX = 2_000
"""A longer body is sent as one of that length: natively it widens a window, an order it does not change."""


def plain(planned: PlannedRound) -> PlannedRound:
    """The round as it is steered: short mail, and each reader polls once, for no poll depends on another."""
    return replace(planned, operations=tuple(map(_plain, planned.operations)))


def _plain(operation: Operation) -> Operation:
    if isinstance(operation, Read):
        return replace(operation, times=1)
    if isinstance(operation, Send) and operation.message.body_bytes > BODY_BYTES_MAX:
        return replace(operation, message=replace(operation.message, body_bytes=BODY_BYTES_MAX))
    return operation


def tags_of(operation: Operation) -> tuple[str, ...]:
    """The tags that the operation gives a message, as written."""
    if isinstance(operation, Send):
        return operation.message.tags
    return operation.tags if isinstance(operation, SetTags) else ()


def _spelt(operation: Operation, spellings: dict[str, str]) -> Operation:
    if isinstance(operation, Send):
        return replace(operation, message=operation.message.with_tags(spellings))
    if isinstance(operation, SetTags):
        return replace(operation, tags=tuple(spellings.get(t, t) for t in operation.tags))
    return operation
