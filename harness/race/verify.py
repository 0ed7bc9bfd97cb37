"""Rounds of a lane whose traffic is quiet in, the same rounds with what the store held out.

The store is read in pages, once for a block of rounds: a few requests a thousand messages, never one a
message. What one round may have left is told by its messages' keys and its part of the tag names.
"""

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from harness.history import Journal
from harness.model.attempt import LogLine, Outcome, RoundRecord, Stored, StoredMessage
from harness.model.errors import TargetError
from harness.model.operation import messages_of
from harness.model.target import Liveness, Target

SETTLE_S_MAX = 2.0
LOOK_S = 1.0
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
    if target.liveness(LOOK_S) is Liveness.HUNG:
        last = records[-1]
        return (*records[:-1], replace(last, hung=last.hung or ("a look at the store",)))
    try:
        whole = _settled(records, target, domain)
    except TargetError:
        return tuple(records)
    owner = {key: record.index for record in records for key in messages_of(record.plan)}
    copies: dict[int, list[StoredMessage]] = defaultdict(list)
    held: dict[str, set[int]] = defaultdict(set)
    for copy in whole.messages:
        index = owner.get(copy.key, -1)
        copies[index].append(copy)
        for tag in copy.tags:
            held[tag.lower()].add(index)
    asked = {r.index: {t.lower() for m in messages_of(r.plan).values() for t in m.tags} for r in records}
    asked_by_any = set().union(*asked.values())
    numbered: dict[str, list[str]] = defaultdict(list)
    unnumbered: list[str] = []
    for tag in whole.tags:
        tokens = _ROUND_TOKEN.findall(tag.lower().replace(run, "")) if run in tag.lower() else []
        for token in tokens:
            numbered[token].append(tag)
        if not tokens and tag.lower() in asked_by_any:
            unnumbered.append(tag)
    found = []
    for record in records:
        # A listed tag without a round's number may be judged with a round only if no other holds it.
        mine = {record.index}
        shared = (t for t in unnumbered if t.lower() in asked[record.index] and held[t.lower()] <= mine)
        tags = (*numbered[record.plan.token], *shared)
        stored = Stored(messages=tuple(copies[record.index]), tags=tags)
        journal.stored(lane, record.index, stored)
        found.append(replace(record, stored=stored, log=_log_of(record, target)))
    if target.is_ours and len(whole.messages) > EMPTY_ABOVE:
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
