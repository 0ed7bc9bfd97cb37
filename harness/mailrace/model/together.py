"""Takes the operations of a round; gives whether they can bring a known race about."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from mailrace.model.operation import (
    EDITS,
    Delete,
    DeleteSearch,
    Effect,
    Operation,
    Pop3Delete,
    Read,
    Send,
    SetTags,
    ViewLatest,
)

Together = Callable[[Sequence[Operation]], bool]
"""Whether the operations of a round can bring a race about."""


def shared_tag(operations: Sequence[Operation]) -> bool:
    """Two senders ask for one tag, whatever its case."""
    return _repeats(
        tag
        for one in operations
        if isinstance(one, Send)
        for tag in {name.casefold() for name in one.message.tags}
    )


def shared_id(operations: Sequence[Operation]) -> bool:
    """Two senders give one Message-ID."""
    return _repeats(one.message.message_id for one in operations if isinstance(one, Send))


def tag_beside_edit(operations: Sequence[Operation]) -> bool:
    """A tagged mail is sent while something is deleted or tags are edited."""
    is_tagged = any(isinstance(one, Send) and one.message.tags for one in operations)
    return is_tagged and any(isinstance(one, EDITS) for one in operations)


def two_taggers(operations: Sequence[Operation]) -> bool:
    """Two clients set the tags of one message."""
    return _repeats(key for one in operations if isinstance(one, SetTags) for key in set(one.messages))


def overlapping_deletions(operations: Sequence[Operation]) -> bool:
    """A message is named twice by deletions over the API, or two of them can name the same."""
    over_api = [one for one in operations if not isinstance(one, Pop3Delete)]
    named = [key for one in over_api if isinstance(one, Delete) for key in one.messages]
    return _repeats(named) or (bool(named) and _deletions(over_api) > 1)


def overlapping_over_pop3(operations: Sequence[Operation]) -> bool:
    """A message is named twice by a deletion over POP3, or something else deletes beside it."""
    named = [key for one in operations if isinstance(one, Pop3Delete) for key in one.messages]
    return _repeats(named) or (bool(named) and _deletions(operations) > 1)


def newest_beside_deletion(operations: Sequence[Operation]) -> bool:
    """The newest message is asked for while something is deleted."""
    looks = any(isinstance(one, ViewLatest) for one in operations)
    return looks and any(one.effect & Effect.DELETES for one in operations)


def read_beside_deletion(operations: Sequence[Operation]) -> bool:
    """A message's page is asked for while something is deleted."""
    shows = any(one.effect & (Effect.SHOWS | Effect.POLLS) for one in operations)
    return shows and any(one.effect & Effect.DELETES for one in operations)


def read_beside_search(operations: Sequence[Operation]) -> bool:
    """A message may be marked while what is read or unread is sought and deleted."""
    marks = any(one.effect & Effect.MARKS for one in operations)
    return marks and any(isinstance(one, DeleteSearch) and "is:" in one.query for one in operations)


def leftover(operations: Sequence[Operation]) -> bool:
    """A sender goes on after a mail that was sent before on its connection."""
    return any(isinstance(one, Send) and one.lead is not None for one in operations)


def reader(operations: Sequence[Operation]) -> bool:
    """Somebody polls."""
    return any(isinstance(one, Read) for one in operations)


def _deletions(operations: Sequence[Operation]) -> int:
    return sum(bool(one.effect & Effect.DELETES) for one in operations)


def _repeats(values: Iterable[str]) -> bool:
    return any(count > 1 for count in Counter(values).values())
