"""Takes a round that was run; gives the same round and, where it went wrong, who is to blame.

Before the server is blamed, its machine and ours are looked at: a full disk, a signal from outside or too few
file descriptors say nothing about its races.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from mailrace.check import unanswered
from mailrace.model.attempt import Attempt, Loss, Outcome, RoundRecord, Word
from mailrace.model.target import Liveness, Target
from mailrace.race.hang import hangs, is_frozen
from mailrace.race.patience import Waited
from mailrace.targets.machine import FOR_MEMORY
from mailrace.targets.process import IN_ORDER

_WONDER = {Word.LINK_LOST, Word.CUT_SHORT, Word.CONNECT_REFUSED, Word.TIMED_OUT, Word.SHUT_DOWN}
_END_S_MAX = 2.0
_IN_ORDER = f"its process ended in order ({IN_ORDER}), as it does when it is told to (SIGTERM)"
_WENT_AWAY = "it refuses connections, or its process ended, which cannot be seen from here"
FROZEN = (
    "it answers nothing at all, not even /livez: it is stopped, overloaded or hangs, which cannot be told "
    "from outside"
)


def ended_round(
    record: RoundRecord, attempts: Sequence[Attempt], waits: Sequence[Waited], target: Target
) -> RoundRecord:
    """The record with its attempts, and with `lost`, `loss`, `hung`, `crashed` as they must be told.

    waits   waits for replies that did not come
    """
    record = replace(record, attempts=tuple(attempts))
    lacking = next((a.text for a in attempts if a.word is Word.OWN_TROUBLE), "")
    if lacking and not record.lost:
        record = replace(record, lost=lacking, loss=Loss.DROPPED)
    if not waits and not record.lost and all(a.outcome is Outcome.OK for a in attempts):
        return record
    wonders = any(a.word in _WONDER for a in attempts) or bool(record.lost or waits)
    how = _how_it_ended(target) if wonders else ""
    # Something went wrong. First what the machine did to the server: nothing of such a round is judged.
    stopped = next((w.why for w in waits if w.is_machines), "")
    trouble = stopped or target.trouble(min((a.invoked_ns for a in attempts), default=0))
    if trouble:
        # Memory may have run out because of a race: then the round is no clean one.
        loss = Loss.UNVERIFIED if FOR_MEMORY in trouble else Loss.MACHINE
        return replace(record, lost=trouble, loss=loss, hung=(), crashed="")
    # Then what its own process shows. Where the server is not ours, we never see it end, only go away.
    if how == IN_ORDER:
        return replace(record, lost=_IN_ORDER, loss=Loss.UNVERIFIED, hung=())
    if how:
        return replace(record, crashed=how, hung=())
    if wonders and not target.is_ours and target.liveness() is Liveness.DEAD:
        return replace(record, lost=_WENT_AWAY, loss=Loss.REFUSED, hung=())
    found = _hung(record, attempts, waits, target)
    return found if found.hung or found.lost else replace(found, against=found.against + unanswered(found))


def _how_it_ended(target: Target) -> str:
    """How a process of ours ended; its connections end an instant before it does, so that is waited for."""
    ends = time.monotonic() + _END_S_MAX
    while not (how := target.how_it_ended()):
        if time.monotonic() > ends or not target.is_ours or target.liveness() is not Liveness.DEAD:
            return ""
        time.sleep(0.01)
    return how


def _hung(
    record: RoundRecord, attempts: Sequence[Attempt], waits: Sequence[Waited], target: Target
) -> RoundRecord:
    """The record with the requests that hang, if it is the server that does."""
    busy = next((w.why for w in waits if w.why), "")
    if not any(w.is_hang for w in waits):
        return replace(record, lost=busy, loss=Loss.UNVERIFIED, hung=()) if busy else record
    if not target.is_ours and is_frozen(target):
        return replace(record, lost=FROZEN, loss=Loss.REFUSED, hung=())
    late = [a.operation for a in attempts if a.word is Word.TIMED_OUT and a.released_ns is not None]
    if late:
        return replace(record, hung=tuple(dict.fromkeys(late)))
    # Nobody was released. The server may live, and have left only one session without an answer.
    return replace(record, hung=("a command before the release",)) if hangs(target) else record
