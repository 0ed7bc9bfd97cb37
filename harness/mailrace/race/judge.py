"""Judges the verified rounds of a lane: by their promises, by serial outcomes, and for what needs no race."""

from collections.abc import Sequence
from dataclasses import replace

from mailrace.check import apart, break_of, check_round, left_open, not_looked
from mailrace.history import Journal
from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.attempt import Loss, Outcome, RoundRecord
from mailrace.model.operation import ServerOptions
from mailrace.race.lane import Lane
from mailrace.race.serially import SerialRounds
from mailrace.race.tally import Judged
from mailrace.race.verify import Verifier
from mailrace.targets.machine import lacking_in


class Judge:
    """Judges the rounds of one lane; `serial` runs its operations one after the other for comparison.

    vacuous   why rounds from `vacuous_from` on cannot show a race, so that they count for nothing
    """

    def __init__(
        self, lane: Lane, options: ServerOptions, journal: Journal, *, pruned_from: int | None = None
    ) -> None:
        self._verifier = Verifier(lane.plan, options, lane.target, journal, lane.closely_max)
        self.serial = SerialRounds(lane, options, self._verifier)
        self._lane = lane
        self._pruned_from = pruned_from
        self.vacuous, self.vacuous_from = "", 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not looked at, a sentence each: orders that were not run, contents not compared."""
        why = ""
        if self._lane.plan.scenario.target.fresh:
            why = (
                "serial equivalence was not applied, because every round needs a fresh server: it was not "
                "judged what deletions and edits came to, nor whether a refusal has a cause"
            )
        elif not self.serial.is_compared:
            why = (
                "serial equivalence was not applied, as there are more than 120 orders: whether a refusal "
                "has a cause was not judged; fewer actors of different kinds have fewer orders"
            )
        return tuple(note for note in (why, self._verifier.note) if note)

    def judge(self, records: Sequence[RoundRecord], unreadable: int = 0) -> tuple[Judged, ...]:
        """The records with what the store held and with their findings, in the order given.

        The store of the first `unreadable` is gone: their server was started anew.
        """
        seen = self._verifier.look(records[unreadable:], self._lane.name)
        return tuple(self._judged(record) for record in (*records[:unreadable], *seen))

    def late(self) -> list[int]:
        """See `Late.rounds`."""
        return self._verifier.late.rounds()

    def emptied(self) -> None:
        """The store was emptied, so nothing that was seen in it is there any more."""
        self._verifier.forget()

    def _judged(self, record: RoundRecord) -> Judged:
        if record.loss is Loss.MACHINE:
            return Judged(record, (), not_looked(record))
        serial, options = None, self.serial.options
        if record.stored is not None and not record.lost and not record.crashed and not record.hung:
            serial = self.serial.outcomes(record)
        anomalies = check_round(record, options, serial)
        is_pruned = self._pruned_from is not None and record.index >= self._pruned_from
        if is_pruned and any(a.name is AnomalyName.ACCEPTED_BUT_MISSING for a in anomalies):
            return Judged(record, (), f"round {record.index}: what is missing may have been pruned (--max)")
        # Before the round's anomalies may be called a race, they are looked for in serial rounds as well.
        kinds = [break_of(a, record.plan) for a in anomalies if a.name.weight is Weight.RACE]
        tried = [self.serial.try_again(kind, record) for kind in kinds]
        if any(tried) and serial is not None:
            serial = self.serial.outcomes(record)
            anomalies = check_round(record, options, serial)
        races, broken = apart(record, anomalies, self.serial.breaks)
        # The log's line about a full disk may come after the answer, so where anything went wrong the log is
        # looked at once more.
        went_wrong = races or any(attempt.outcome is not Outcome.OK for attempt in record.attempts)
        lacking = next(filter(None, (lacking_in(line.text) for line in record.log)), "")
        if went_wrong and lacking and not record.lost:
            record = replace(record, lost=lacking, loss=Loss.MACHINE)
            return Judged(record, (), not_looked(record), broken)
        if any(a.name.weight is Weight.RACE for a in races):
            return Judged(record, races, "", broken)
        if self.vacuous and record.index >= self.vacuous_from and not record.lost:
            # Nothing was wrong with the round, and nothing could have been: it is no evidence of anything.
            record = replace(record, lost=self.vacuous, loss=Loss.DROPPED)
            return Judged(record, races, self.vacuous, broken)
        # Without its serial orders, what a round edits cannot be judged. A scenario that needs a fresh server
        # for each round asks only whether the server survives, and its report says what was not judged.
        unjudged = left_open(record, options, serial) if self.serial.is_possible else ""
        return Judged(record, races, not_looked(record) or unjudged, broken)
