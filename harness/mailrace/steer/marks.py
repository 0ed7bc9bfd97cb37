"""A planned round in, the same round with each actor's own spelling of a shared tag out.

Tags are equal without case to the server and distinct to us, so that a statement with a tag in it names its
actor also where two of them share one instance (STEER.md).
"""

from dataclasses import replace

from mailrace.model.operation import Message, Operation, PlannedRound, Read, Send, SetTags


def with_own_spellings(planned: PlannedRound) -> PlannedRound:
    """The round with the tags that two or more operations ask for spelt differently in each of them."""
    asked = [_tags_of(o) for o in planned.operations]
    operations = []
    for index, operation in enumerate(planned.operations):
        others = {tag.lower() for i, tags in enumerate(asked) if i != index for tag in tags}
        spellings = {t: respelt(t, index) for t in asked[index] if t.lower() in others}
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


def respelt(tag: str, number: int) -> str:
    """The tag with its letters' case turned by the bits of `number`; 0 leaves it as it is."""
    letters, turned = "", number
    for letter in reversed(tag):
        if letter.isascii() and letter.isalpha():
            letters += letter.swapcase() if turned & 1 else letter
            turned >>= 1
        else:
            letters += letter
    return letters[::-1]


def _tags_of(operation: Operation) -> tuple[str, ...]:
    if isinstance(operation, Send):
        return operation.message.tags
    return operation.tags if isinstance(operation, SetTags) else ()


def _spelt(operation: Operation, spellings: dict[str, str]) -> Operation:
    if isinstance(operation, Send):
        return replace(operation, message=_spelt_message(operation.message, spellings))
    if isinstance(operation, SetTags):
        return replace(operation, tags=tuple(spellings.get(t, t) for t in operation.tags))
    return operation


def _spelt_message(message: Message, spellings: dict[str, str]) -> Message:
    to = []
    for address in message.to:
        local, at, domain = address.partition("@")
        parts = [spellings.get(part, part) for part in local.split("+")]
        to.append("+".join([parts[0] if len(parts) == 1 else local.split("+")[0], *parts[1:]]) + at + domain)
    return replace(
        message,
        to=tuple(to),
        x_tags=tuple(spellings.get(t, t) for t in message.x_tags),
        plus_tags=tuple(spellings.get(t, t) for t in message.plus_tags),
    )
