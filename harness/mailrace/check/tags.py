"""Takes tag names as messages spell them; gives the form in which they are compared."""

import re
from collections.abc import Iterable
from functools import lru_cache

from mailrace.model.operation import (
    DeleteTag,
    Message,
    PlannedRound,
    RenameTag,
    ServerOptions,
    SetTags,
    messages_of,
)

TAG_LENGTH_MAX = 100
"""Newer releases of Mailpit cut a longer tag."""

_NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9 ._-]+")
_SPACES = re.compile(r" {2,}")


@lru_cache(4_096)
def clean_tag(tag: str) -> str:
    """The tag as Mailpit stores it, by the strictest rule of all releases; "" where nothing of it is left.

    Characters that are not `[A-Za-z0-9 ._-]` become one space, and what is past 100 characters is cut. Some
    releases keep `@`, and older ones cut nothing. Both the tag that was asked for and the stored one are
    cleaned, so the two compare whatever the release. Case is kept; `tag_key` is what is compared.
    """
    spaced = _SPACES.sub(" ", _NOT_IN_A_TAG.sub(" ", tag)).strip()
    return spaced[:TAG_LENGTH_MAX].strip()


def tag_key(tag: str) -> str:
    """Equal for two tags exactly when they are one tag to Mailpit: cleaned and in lower case."""
    return clean_tag(tag).lower()


def tag_keys(tags: Iterable[str]) -> frozenset[str]:
    """The keys of all those tags that are not empty once cleaned."""
    return frozenset(key for key in map(tag_key, tags) if key)


def asked_tags(message: Message, options: ServerOptions) -> tuple[str, ...]:
    """The tags that a server with these options must give the message, cleaned, in order, each once.

    `X-Tags` is split at commas and a plus-address at each `+`, as the server does; what `--tags-disable`
    switches off is not asked for.
    """
    asked: list[str] = []
    if "x-tags" not in options.tags_disable:
        asked += [part for tag in message.x_tags for part in tag.split(",")]
    if "plus-addresses" not in options.tags_disable:
        asked += [part for tag in message.plus_tags for part in tag.split("+")]
    first_spelling: dict[str, str] = {}
    for tag in asked:
        if cleaned := clean_tag(tag):
            first_spelling.setdefault(cleaned.lower(), cleaned)
    return tuple(first_spelling.values())


def tags_named(plan: PlannedRound) -> tuple[str, ...]:
    """Every tag that a message or an operation of the round names, as it spells it."""
    names = [part for m in messages_of(plan).values() for tag in m.tags for part in re.split("[,+]", tag)]
    for operation in plan.operations:
        match operation:
            case SetTags():
                names += operation.tags
            case RenameTag():
                names += [operation.tag, operation.to]
            case DeleteTag():
                names.append(operation.tag)
    return tuple(names)
