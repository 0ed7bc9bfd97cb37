"""Mails of ours that race with nothing, on a server that others use too: if they vanish, others deleted.

One is stored before a block of rounds and one after it. Whoever empties the store, deletes the newest page,
prunes the oldest mail or restarts the server with another store takes one of the two with it. Then no race
may be blamed for anything that is missing beside them.
"""

from collections.abc import Sequence

from mailrace.check import may_touch
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import TargetError
from mailrace.model.operation import EDITS, Message
from mailrace.race.lane import Lane

EXCUSED = frozenset(
    {
        AnomalyName.ACCEPTED_BUT_MISSING,
        AnomalyName.TAG_LOST,
        AnomalyName.TAG_GHOST,
        AnomalyName.NOT_SERIALIZABLE,
        AnomalyName.SPURIOUS_REJECTION,
        AnomalyName.SEARCH_WRONG,
        AnomalyName.ID_MIXED,
    }
)
"""The anomalies that a stranger's deletion beside the race may cause; it never causes a mail too many."""


PRUNED = EXCUSED | {AnomalyName.OLDER_CHANGED}
"""The anomalies of a server that keeps only so many mails."""
_TELLING = "mailrace's own mails, which tell whether others deleted,"


def sentinel_domain(run: str) -> str:
    """The recipient domain of a run's sentinels: no search for the run's own mail finds them."""
    return f"s.{run}.test"


def why_pruned(lane: Lane) -> str:
    """In a sentence, that a server of ours drops a mail when another one comes alone; "" where it does not.

    Raises TargetError. The store is empty afterwards.
    """
    target, domain = lane.target, sentinel_domain(lane.plan.run)
    before = len(target.stored(domain).messages)
    if not lane.send_alone(_mail("watch", domain)):
        return ""
    after = len(target.stored(domain).messages)
    target.empty()
    if after > before:
        return ""
    return f"it keeps no more than {after} mails: one that came alone cost another its place (--max)"


class Sentinel:
    """The sentinels of one lane; none (`is_used` false) on a server of ours, which nobody else uses."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._stored: list[str] = []
        self._made = 0
        edits = [o for o in lane.plan.round(0).operations if isinstance(o, EDITS)]
        touched = any(may_touch(edit, self._message(), frozenset()) for edit in edits)
        self.is_used = not lane.target.is_ours and not touched

    def store(self) -> None:
        """Store another one; where the server refuses it there is one less to look for."""
        if self.is_used and self._lane.send_alone(message := self._message()):
            self._stored.append(message.key)
        self._made += 1

    def missing(self) -> str:
        """In a sentence, that mails which nothing touched are gone or not shown; "" where all are there."""
        if not self.is_used:
            return ""
        try:
            held = self._lane.target.stored(sentinel_domain(self._lane.plan.run))
        except TargetError as wrong:
            return f"{_TELLING} could not be looked for: {wrong}"
        is_read = {row.key: row.read for row in held.messages}
        gone = [key for key in self._stored if key not in is_read]
        read = [key for key in self._stored if is_read.get(key)]
        is_told = len(self._stored) > 1
        # The newest sentinel that is still as it was stored serves for the next block; else that gets a new
        # one.
        self._stored = [key for key in self._stored if key not in (*gone, *read)][-1:]
        if not self._stored:
            self.store()
        if gone:
            return (
                f"{_many(gone)} of mailrace's own, which no round touches, vanished from the server "
                "meanwhile: somebody deleted or emptied it, it was started anew, or it prunes (--max, "
                "--max-age)"
            )
        if read:
            return f"{_many(read)} of mailrace's own, which no round touches, was marked read by somebody"
        return "" if is_told else f"{_TELLING} were not accepted"

    def _message(self) -> Message:
        return _mail(f"watch{self._made:04d}", sentinel_domain(self._lane.plan.run))


def _mail(key: str, domain: str) -> Message:
    return Message(
        key=key,
        domain=domain,
        message_id=f"{key}@{domain}",
        to=(f"{key}@{domain}",),
        subject="mailrace looks whether this stays",
    )


def _many(gone: Sequence[str]) -> str:
    return "a mail" if len(gone) == 1 else f"{len(gone)} mails"
