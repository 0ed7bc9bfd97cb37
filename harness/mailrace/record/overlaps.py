"""Takes the recorded operations; gives every pair that overlapped in time, and what the two have in common.

Two operations are compared by what the traffic itself tells: server IDs, Message-IDs and tags. Their relation
has a name only where the traffic shows it; otherwise it is "other".
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mailrace.check.tags import tag_keys
from mailrace.record.recorded import Recorded

WRITERS = frozenset(
    [
        *("send", "release", "delete", "delete_search", "delete_all"),
        *("set_tags", "rename_tag", "delete_tag", "set_read", "read_message"),
    ]
)
"""Kinds that change the store. Reading a message marks it as read."""
EXAMPLES_MAX = 5


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of overlap: two kinds of operation, in alphabetical order, and what they have in common."""

    first: str
    second: str
    relation: str

    @property
    def is_tagged(self) -> bool:
        """Whether they have tags in common."""
        return self.relation in ("the same tag", "other messages, tagged", "everything")

    def __str__(self) -> str:
        return f"{self.first} ∥ {self.second}, {self.relation}"


@dataclass(frozen=True, slots=True)
class Seen:
    """How often a shape occurred, and the first few of its pairs."""

    shape: Shape
    times: int
    examples: tuple[tuple[Recorded, Recorded], ...]


def overlapping(operations: Iterable[Recorded]) -> Iterator[tuple[Recorded, Recorded]]:
    """Every pair that was under way at the same time, one of them a writer, by the later's start."""
    under_way: list[tuple[int, int, Recorded]] = []
    for place, later in enumerate(sorted(operations, key=lambda one: one.invoked_ns)):
        while under_way and under_way[0][0] <= later.invoked_ns:
            heapq.heappop(under_way)
        for _, _, earlier in under_way:
            if earlier.kind in WRITERS or later.kind in WRITERS:
                yield earlier, later
        heapq.heappush(under_way, (later.completed_ns, place, later))


def shapes(operations: Sequence[Recorded]) -> tuple[Seen, ...]:
    """The shapes that occurred, the most frequent first."""
    subjects = Subjects(operations)
    pairs: dict[Shape, list[tuple[Recorded, Recorded]]] = defaultdict(list)
    times: dict[Shape, int] = defaultdict(int)
    for one, other in overlapping(operations):
        shape = subjects.shape(one, other)
        times[shape] += 1
        if len(pairs[shape]) < EXAMPLES_MAX:
            pairs[shape].append((one, other))
    found = (Seen(shape, times[shape], tuple(pairs[shape])) for shape in times)
    return tuple(sorted(found, key=lambda seen: (-seen.times, str(seen.shape))))


class Subjects:
    """Which messages and tags each operation is about, as far as the whole record tells."""

    def __init__(self, operations: Iterable[Recorded]) -> None:
        self.id_of: dict[str, str] = {}
        """Message-ID to server ID, from replies that queued a mail and from rows that were shown."""
        self.tags_of: dict[str, frozenset[str]] = defaultdict(frozenset)
        """Server ID to the tags that its mail asked for or was given."""
        for one in operations:
            self.id_of.update({message_id: server_id for server_id, message_id in one.found if message_id})
            if one.kind == "send" and one.queued_as:
                self.tags_of[one.queued_as] |= tag_keys(one.tags)
                if one.message_id:
                    self.id_of[one.message_id] = one.queued_as
            elif one.kind == "set_tags":
                for server_id in one.ids:
                    self.tags_of[server_id] |= tag_keys(one.tags)

    def messages(self, one: Recorded) -> frozenset[str]:
        """Server IDs of the messages that the operation writes or reads."""
        if one.kind == "send":
            known = one.queued_as or self.id_of.get(one.message_id, "")
            return frozenset([known] if known else [])
        return frozenset(one.ids) | frozenset(server_id for server_id, _ in one.found)

    def tags(self, one: Recorded) -> frozenset[str]:
        """Tags that the operation sets, renames or removes, or that its messages hold."""
        held = (self.tags_of.get(server_id, frozenset()) for server_id in self.messages(one))
        return tag_keys(one.tags).union(*held)

    def shape(self, one: Recorded, other: Recorded) -> Shape:
        """The kinds of the two and their relation, the closest that the traffic shows."""
        first, second = sorted((one, other), key=lambda each: each.kind)
        return Shape(first.kind, second.kind, self._relation(first, second))

    def _relation(self, one: Recorded, other: Recorded) -> str:
        if "delete_all" in (one.kind, other.kind):
            return "everything"
        if one.kind == other.kind == "send":
            if one.message_id and one.message_id == other.message_id:
                return "the same Message-ID"
        elif self.messages(one) & self.messages(other):
            return "the same message"
        if self.tags(one) & self.tags(other):
            return "the same tag"
        if self.tags(one) or self.tags(other):
            return "other messages, tagged"
        return "other messages"
