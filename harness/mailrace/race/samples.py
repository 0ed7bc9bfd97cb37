"""Takes stored rows; compares some with what was sent and searches for some: costly looks, so a sample.

Every such look is a request for one message, where the list shows thousands with one. The sample is drawn
with the plan's seed, so a run that is repeated looks at the same messages. The first mails are all looked at,
and then a tenth.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mailrace.actors import render
from mailrace.check import compare_source, words_of
from mailrace.model.attempt import Search, Source, StoredMessage
from mailrace.model.operation import Message, PlannedRound, Send, messages_of
from mailrace.model.target import Target
from mailrace.race.retry import resent
from mailrace.scenario import Plan

SOURCES_FIRST, SEARCHES_FIRST = 60, 20
"""So many are looked at before there is any sampling; from then on of a block of rounds one source in ten
and three searches, for a search makes the server read its whole mailbox."""
OF_A_BLOCK_LEAST = 3
SOURCE_BYTES_MAX = 8 * 1024 * 1024

Identity = tuple[str, str, int]
"""A row's server ID, which another may get once it is deleted, its message and its attempt."""
_T = TypeVar("_T")


def identity(row: StoredMessage) -> Identity:
    """What makes a row the one that was seen before."""
    return row.id, row.key, row.attempt


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row came from: the message that it is a copy of, and whether `POST /send` took it."""

    message: Message
    is_posted: bool


def origins_of(planned: PlannedRound) -> Mapping[str, Origin]:
    """The origin of every row that the round may leave, by the message's key."""
    posted = {o.message.key for o in planned.operations if isinstance(o, Send) and o.via == "rest"}
    return {key: Origin(message, key in posted) for key, message in messages_of(planned).items()}


class Sampler:
    """Draws what is looked at closely, and looks."""

    def __init__(self, plan: Plan, target: Target) -> None:
        self._plan = plan
        self._target = target
        self._random = random.Random(f"sample/{plan.seed}")

    def sources(
        self, rows: Sequence[StoredMessage], origins: Mapping[str, Origin], most: int
    ) -> dict[str, Source]:
        """The sources of at most this many rows beside what was sent, by row ID; `origins` by message key.

        Large messages are fewer: 8 MiB in all, and one at least.
        """
        found: dict[str, Source] = {}
        size_bytes = 0
        for row in self._few(rows, most):
            if found and size_bytes + row.size > SOURCE_BYTES_MAX:
                continue
            origin = origins[row.key]
            message = resent(origin.message, row.attempt, self._plan.scenario.retry.policy)
            sent = render(message, row.attempt, self._plan.contents)
            raw = self._target.source(row.id)
            if raw is None:
                found[row.id] = Source(size_bytes=0, difference="the server has none for this row")
                continue
            size_bytes += len(raw)
            found[row.id] = compare_source(sent, raw, is_posted=origin.is_posted)
        return found

    def searches(self, messages: Sequence[Message], most: int) -> dict[str, Search]:
        """What a search for its own words found, for at most this many of the messages, by key."""
        found: dict[str, Search] = {}
        for message in self._few(messages, most):
            query = words_of(message)
            if not self._target.is_ours:
                query = f"{query} to:@{message.domain}"
            found[message.key] = Search(key=message.key, query=query, ids=self._target.search(query))
        return found

    def _few(self, of: Sequence[_T], most: int) -> Sequence[_T]:
        return of if len(of) <= most else self._random.sample(of, most)


def counted_words(counts: Mapping[str, int]) -> str:
    """How much of the contents was compared, in a sentence; "" where nothing was stored."""
    if not counts["stored"]:
        return ""
    asked, gone = counts["gone and asked for"], counts["gone"]
    pages = f", and of {gone} that are gone {asked} by their page" if asked < gone else ""
    again = f", {counts['again']} looked at again after later rounds" if "again" in counts else ""
    return (
        f"contents: of {counts['stored']} stored mails {counts['compared']} were compared with what was "
        f"sent by their source (/raw), {counts['searched']} searched for{again}{pages}; "
        "of the others only what the list shows was compared, and of none what POP3 alone shows"
    )
