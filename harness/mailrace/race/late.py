"""Takes rounds with what the store held for them; gives which accepted mails came only after that look.

Where a relay or a queue stands before a server, its "250" promises a mail that comes later. Such a mail was
late and not lost, and its row is nobody else's. Nothing stands before a server of ours: what is
missing there is missing.
"""

from collections.abc import Sequence

from mailrace.check import touched
from mailrace.model.attempt import Outcome, RoundRecord, Stored, StoredMessage
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Target

LATE_S_MAX, LATE_S_OTHERS, IN_VAIN_MAX = 0.3, 1.0, 3
"""So long a missing mail is waited for: at a server of ours, and at others, unless it never came so often."""


class Late:
    """The accepted mails of one lane that were not there when their round was looked at."""

    def __init__(self, target: Target) -> None:
        self._is_ours = target.is_ours
        self._awaited: dict[tuple[str, int], int] = {}
        """By message and attempt: the round."""
        self._came: list[int] = []
        self._in_vain = 0

    def wait_s(self) -> float:
        """How long a mail that is missing is waited for before its round is judged."""
        return LATE_S_MAX if self._is_ours or self._in_vain >= IN_VAIN_MAX else LATE_S_OTHERS

    def waited_in_vain(self) -> None:
        """It did not come."""
        self._in_vain += 1

    def expect(self, records: Sequence[RoundRecord], parts: Sequence[Stored], options: ServerOptions) -> None:
        """Take down what is missing of these rounds, and is left alone by them."""
        for record, part in zip(records, parts, strict=True):
            held, left = {(row.key, row.attempt) for row in part.messages}, touched(record, options)
            for one in record.attempts if not (self._is_ours or options.ignore_duplicate_ids) else ():
                key = one.message or "", one.number
                if one.message and one.outcome is Outcome.OK and one.message not in left and key not in held:
                    self._awaited[key] = record.index

    def has_come(self, row: StoredMessage) -> bool:
        """Whether the row is one of the mails that were missing; it is told by `rounds` then, once."""
        index = self._awaited.pop((row.key, row.attempt), None)
        if index is not None:
            self._came.append(index)
        return index is not None

    def rounds(self) -> list[int]:
        """The rounds since the last call of which a missing mail came."""
        came, self._came = self._came, []
        return came
