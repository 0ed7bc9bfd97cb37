"""Verified rounds of a lane in, judged rounds out: the promises, and the serial outcomes run for real."""

from collections.abc import Sequence

from mailrace.check import (
    SerialOutcome,
    check_round,
    left_open,
    not_looked,
    order_in_words,
    orders,
    outcome_of,
)
from mailrace.history import Journal
from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.attempt import RoundRecord
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.race.lane import Lane
from mailrace.race.tally import Judged
from mailrace.race.verify import SERIAL, Verifier

FIRST_INDEX = 90_000
"""Serial rounds have indices of their own, above every raced one."""
REPEATS = 2
"""Each order runs twice, and both outcomes count (DESIGN.md, "Two oracles")."""


class Judge:
    """Judges the rounds of one lane. An order's serial outcomes are made when first asked for, and kept:
    the rounds of one scenario differ in names only.
    """

    def __init__(
        self, lane: Lane, options: ServerOptions, journal: Journal, *, pruned_from: int | None = None
    ) -> None:
        self._lane = lane
        self._options = options
        self._verifier = Verifier(lane.plan, options, lane.target, journal)
        self._outcomes: dict[tuple[int, ...], tuple[SerialOutcome, ...]] = {}
        self._made = 0
        self._pruned_from = pruned_from
        plan = lane.plan.round(0)
        # One that needs a fresh server for each round may hang it in any order: no serial rounds there.
        self._all_orders = () if lane.plan.scenario.target.fresh else orders(plan)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not looked at, a sentence each: orders that were not run, contents not compared."""
        why = ""
        if self._lane.plan.scenario.target.fresh:
            why = "serial equivalence was not applied: every round needs a fresh server"
        elif not self._all_orders:
            why = "serial equivalence was not applied: more than 120 orders"
        return tuple(note for note in (why, self._verifier.note) if note)

    def judge(self, records: Sequence[RoundRecord], unreadable: int = 0) -> tuple[Judged, ...]:
        """The records with what the store held and with their findings, in the order given.

        The store of the first `unreadable` is gone: their server was started anew.
        """
        seen = self._verifier.look(records[unreadable:], self._lane.name)
        return tuple(self._judged(record) for record in (*records[:unreadable], *seen))

    def _judged(self, record: RoundRecord) -> Judged:
        serial = None
        if record.stored is not None and not record.lost and not record.crashed and not record.hung:
            serial = self._serial(record)
        anomalies = check_round(record, self._options, serial)
        is_pruned = self._pruned_from is not None and record.index >= self._pruned_from
        if is_pruned and any(a.name is AnomalyName.ACCEPTED_BUT_MISSING for a in anomalies):
            return Judged(record, (), f"round {record.index}: what is missing may have been pruned (--max)")
        if any(a.name.weight is Weight.RACE for a in anomalies):
            return Judged(record, anomalies, "")
        unjudged = left_open(record, self._options, serial) if self._all_orders else ""
        return Judged(record, anomalies, not_looked(record) or unjudged)

    def _serial(self, record: RoundRecord) -> tuple[SerialOutcome, ...] | None:
        """The outcomes of the orders that the round allows; None where the oracle is not applied."""
        if not self._all_orders:
            return None
        found: list[SerialOutcome] = []
        for order in orders(record):
            if order not in self._outcomes:
                made = self._run(order)
                if made is None:
                    return None
                self._outcomes[order] = made
            found += self._outcomes[order]
        return tuple(found) or None

    def _run(self, order: tuple[int, ...]) -> tuple[SerialOutcome, ...] | None:
        lane, made = self._lane, []
        for _ in range(REPEATS):
            planned = lane.plan.round(FIRST_INDEX + self._made)
            self._made += 1
            try:
                record = lane.serially(planned, order)
            except TargetError:
                return None
            (seen,) = self._verifier.look([record], SERIAL)
            if seen.stored is None or seen.lost:
                return None
            made.append(outcome_of(seen, order_in_words(planned, order)))
        return tuple(made)
