"""Rounds of a lane whose traffic is quiet in, the same rounds with what the store held out.

The store is read in pages, once for a block of rounds: a few requests a thousand messages, never one a
message. What one round may have left is told by its messages' keys and its part of the tag names.
"""

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from mailrace.history import Journal
from mailrace.model.attempt import LogLine, Loss, Outcome, RoundRecord, Stored, StoredMessage
from mailrace.model.errors import TargetError
from mailrace.model.operation import messages_of
from mailrace.model.own_trouble import own_trouble
from mailrace.model.target import Target
from mailrace.race.hang import hangs

SETTLE_S_MAX = 2.0
EMPTY_ABOVE = 400
"""A store of ours that holds more messages than this is emptied: pages stay short, memory flat."""
_LOG_BEFORE_NS = 2_000_000
_LOG_AFTER_NS = 50_000_000
_ROUND_TOKEN = re.compile(r"r\d{5}")


def verified(
    records: Sequence[RoundRecord], target: Target, domain: str, run: str, lane: str, journal: Journal
) -> tuple[RoundRecord, ...]:
    """The records with `stored` and `log`; unchanged where the store could not be read.

    A server that answers nobody although nothing is under way hangs since the last of the rounds: those
    before it were each followed by requests that were answered.
    """
    if not records:
        return ()
    if target.is_ours and hangs(target):
        last = records[-1]
        return (*records[:-1], replace(last, hung=last.hung or ("a look at the store",)))
    try:
        whole = _settled(records, target, domain)
    except TargetError as wrong:
        # What these rounds stored is not known. That is the server's doing, unless our own machine failed.
        loss = Loss.DROPPED if own_trouble(wrong) else Loss.UNVERIFIED
        why = f"the store could not be read: {wrong}"
        return tuple(r if r.lost else replace(r, lost=why, loss=loss) for r in records)
    owner = {key: record.index for record in records for key in messages_of(record.plan)}
    copies: dict[int, list[StoredMessage]] = defaultdict(list)
    for copy in whole.messages:
        copies[owner.get(copy.key, -1)].append(copy)
    tags: dict[str, list[str]] = defaultdict(list)
    for tag in whole.tags:  # one without a round's number says nothing of a single round
        for token in _ROUND_TOKEN.findall(tag.lower().replace(run, "")) if run in tag.lower() else ():
            tags[token].append(tag)
    found = []
    for record in records:
        stored = Stored(messages=tuple(copies[record.index]), tags=tuple(tags[record.plan.token]))
        journal.stored(lane, record.index, stored)
        found.append(replace(record, stored=stored, log=_log_of(record, target)))
    if target.is_ours and len(whole.messages) > EMPTY_ABOVE:
        with suppress(TargetError):  # the next block's look says what is wrong
            target.empty()
    return tuple(found)


def _settled(records: Sequence[RoundRecord], target: Target, domain: str) -> Stored:
    """What is stored; after an unknown outcome, once two looks 0.1 s apart agree."""
    stored = target.stored(domain)
    if not any(a.outcome is Outcome.UNKNOWN for r in records for a in r.attempts):
        return stored
    deadline = time.monotonic() + SETTLE_S_MAX
    while time.monotonic() < deadline:
        time.sleep(0.1)
        before, stored = stored, target.stored(domain)
        if before == stored:
            break
    return stored


def _log_of(record: RoundRecord, target: Target) -> tuple[LogLine, ...]:
    if not record.released_ns:
        return ()
    last_ns = max((a.completed_ns for a in record.attempts), default=record.released_ns) + _LOG_AFTER_NS
    lines = target.log_since(record.released_ns - _LOG_BEFORE_NS)
    return tuple(line for line in lines[:200] if line.t_ns <= last_ns)
