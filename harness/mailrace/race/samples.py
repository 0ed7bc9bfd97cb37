"""Takes stored rows; compares their sources with what was sent, and searches for their words.

Each source takes a request, where the list shows thousands of messages with one, so their total size is
limited. Above the limit only a sample is read, drawn with the plan's seed: a run that is repeated reads the
same ones. One search finds the messages of one sender in all rounds; only what it finds wrong is searched for
by itself.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mailrace.actors import render
from mailrace.check import compare_source, words_of
from mailrace.model.attempt import Search, Source, Stored, StoredMessage
from mailrace.model.operation import Message, PlannedRound, Send, messages_of
from mailrace.model.target import Target
from mailrace.race.retry import resent
from mailrace.scenario import Plan
from mailrace.targets.views import GONE_MAX, READ_MAX, TAGS_MAX

SOURCE_BYTES_MAX = 8 * 1024 * 1024
"""How much of all sources a look reads; the message that passes it is the last."""
SEARCHES_MAX = 20
"""How many messages a look searches for one by one, where they cannot share a search."""

ASKED_MAX = {
    "that are gone": (GONE_MAX, "by their page"),
    "that are read": (READ_MAX, "by their page"),
    "tags": (TAGS_MAX, "searched for"),
}
"""What other views are asked for one by one: how many in a look, and how."""

_TOKEN_CHARS = len("r00041")
"""The part of a message's key that names its round."""
Identity = tuple[str, str, int]
"""A row's server ID (another row may get it after a deletion), its message and its attempt."""
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

    def closely(self, rows: Sequence[StoredMessage], most: int) -> frozenset[str]:
        """The IDs of the rows that are looked at closely: all, or a sample of `most`."""
        return frozenset(row.id for row in self._few(rows, most))

    def sources(
        self, rows: Sequence[StoredMessage], origins: Mapping[str, Origin], most: int | None = None
    ) -> dict[str, Source]:
        """The sources of the rows (of a sample of at most `most`) beside what was sent, by row ID.

        `origins` by message key. Of large messages a sample: 8 MiB in all, and one at least.
        """
        found: dict[str, Source] = {}
        few = self._few(rows, len(rows) if most is None else most)
        if sum(row.size for row in few) > SOURCE_BYTES_MAX:
            few = self._random.sample(few, len(few))
        size_bytes = 0
        for row in few:
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

    def searches(self, rows: Sequence[StoredMessage], origins: Mapping[str, Origin]) -> dict[str, Search]:
        """What searches for their own words found of the rows' messages, by key.

        The words that all messages of one sender share are searched for once for all rounds. Where that
        misses a message, or finds another one of its round, the message's own words are searched for, and
        that is told.
        """
        copies: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            copies[row.key].add(row.id)
        alike: dict[str, list[Message]] = defaultdict(list)
        for key in copies:
            message = origins[key].message
            words = words_of(message).strip('"')
            alike[words.removeprefix(key[:_TOKEN_CHARS]) if " " in words else ""].append(message)
        alone = list(self._few(alike.pop("", []), SEARCHES_MAX))
        found: dict[str, Search] = {}
        keys = {row.id: row.key for row in rows}
        for words, messages in alike.items():
            if len(messages) == 1:
                alone += messages
                continue
            query = self._query(f'"{words}"', messages[0])
            ids = set(self._target.search(query))
            own = {message.key for message in messages}
            # In these rounds a message of another sender has the words of one that it raced with.
            mixed = {keys[i][:_TOKEN_CHARS] for i in ids if i in keys and keys[i] not in own}
            for message in messages:
                if copies[message.key] <= ids and message.key[:_TOKEN_CHARS] not in mixed:
                    held = tuple(sorted(copies[message.key]))
                    found[message.key] = Search(key=message.key, query=query, ids=held)
                else:
                    alone.append(message)
        for message in alone:
            query = self._query(words_of(message), message)
            found[message.key] = Search(key=message.key, query=query, ids=self._target.search(query))
        return found

    def _query(self, words: str, message: Message) -> str:
        return words if self._target.is_ours else f"{words} to:@{message.domain}"

    def _few(self, of: Sequence[_T], most: int) -> Sequence[_T]:
        return of if len(of) <= most else self._random.sample(of, most)


def count(counts: Counter[str], parts: Sequence[Stored]) -> None:
    """Count what the parts hold, and how much of that was looked at closely."""
    rows = [row for part in parts for row in part.messages]
    searched = {search.key for part in parts for search in part.searches}
    counts["stored"] += len(rows)
    counts["compared"] += sum(row.source is not None for row in rows)
    counts["searched"] += sum(row.key in searched for row in rows)


def count_asked(counts: Counter[str], gone: int, rows: Sequence[StoredMessage]) -> None:
    """Count what the other views of the rows, and of messages that are gone, are asked for."""
    tags = {tag.lower() for row in rows for tag in row.tags}
    for what, number in zip(ASKED_MAX, (gone, sum(row.read for row in rows), len(tags)), strict=True):
        counts[what] += number
        counts[f"{what}, asked"] += min(number, ASKED_MAX[what][0])


def counted_words(counts: Mapping[str, int]) -> str:
    """Which contents were not compared, and how many were; "" where nothing was stored."""
    if not counts["stored"]:
        return ""
    stored, asked = counts["stored"], {what: counts[f"{what}, asked"] for what in ASKED_MAX}
    few = "".join(
        f", of {counts[what]} {what} {asked[what]} {how}"
        for what, (_, how) in ASKED_MAX.items()
        if asked[what] < counts[what]
    )
    of_others = (
        "what other views show of them and what became of older ones was not compared, for others use "
    )
    again = f"; {of_others}this server, too"
    if "again" in counts:
        again = f", {counts['again']} looked at again after later rounds, "
        again += f"{counts['compared again']} by their source"
    is_all = min(counts["compared"], counts["searched"]) >= stored
    others = "" if is_all else "; of the others only what the list shows was compared"
    return (
        f"what POP3 alone shows of a mail. Of {stored} stored mails {counts['compared']} were compared with "
        f"what was sent by their source (/raw), {counts['searched']} searched for{again}{few}{others}"
    )
