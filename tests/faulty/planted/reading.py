"""Faults of lists and searches themselves: the store is right, and what is read of it is not."""

from typing import Any

from mailrace.embedded import listing, searching
from planting import Meet, around, fault


@fault
def oldest_first(meet: Meet) -> None:
    """Lists show the oldest mail first, always."""

    @around(listing, "list_messages")
    async def list_messages(inner: Any, *given: Any) -> Any:
        return (await inner(*given))[::-1]


@fault
def search_misses_the_newest(meet: Meet) -> None:
    """A search does not find the newest mail that matches, always."""

    @around(searching, "find")
    async def find(inner: Any, *given: Any, **named: Any) -> Any:
        return (await inner(*given, **named))[1:]


@fault
def lists_are_empty(meet: Meet) -> None:
    """Lists and searches show nothing, always; what is stored is there."""

    @around(listing, "list_messages")
    async def list_messages(inner: Any, *given: Any) -> Any:
        return (await inner(*given))[:0]

    @around(searching, "find")
    async def find(inner: Any, *given: Any, **named: Any) -> Any:
        return (await inner(*given, **named))[:0]


@fault
def newest_listed_without_tags(meet: Meet) -> None:
    """Lists show the newest mail without its tags, always."""

    @around(listing, "list_messages")
    async def list_messages(inner: Any, *given: Any) -> Any:
        first, *others = await inner(*given) or [{}]
        return [{**first, "Tags": []}, *others] if first else []


@fault
def half_a_source_beside_a_deletion(meet: Meet) -> None:
    """Who retrieves or releases a mail that is deleted meanwhile gets its header without its body."""

    @around(listing, "raw_message")
    async def raw_message(inner: Any, *given: Any) -> Any:
        whole = await inner(*given)
        # It is read in two statements, and what the second one does not find any more is left out.
        is_there = whole is not None and await inner(*given) is not None
        return whole if is_there or whole is None else whole[: whole.index(b"\r\n\r\n") + 4]
