"""Runs in, findings out: both oracles on every order, the serial ones run for real on the same store."""

from dataclasses import dataclass

from mailrace.check import check_round
from mailrace.check.orders import order_in_words, orders
from mailrace.check.outcome import SerialOutcome, outcome_of
from mailrace.model.anomaly import Anomaly, AnomalyName, Weight
from mailrace.model.errors import ScheduleMissed
from mailrace.model.operation import ServerOptions
from mailrace.steer.blocks import Run
from mailrace.steer.twins import Twins

EACH_ORDER_RUNS = 2
"""Both outcomes count (DESIGN.md, "Two oracles")."""


@dataclass(slots=True)
class Judge:
    """What a round of this scenario may come to.

    serial   outcomes of all allowed orders; empty: the oracle is not applied, the promises stand alone.
             An order that hangs the server all by itself explains nothing, and is left out
    told     each order in words, with what it came to in words
    """

    options: ServerOptions
    serial: tuple[SerialOutcome, ...] = ()
    told: tuple[tuple[str, str], ...] = ()

    def findings(self, run: Run) -> tuple[Anomaly, ...]:
        """All anomalies of a run, those that are only reported too."""
        return check_round(run.record, self.options, self.serial)

    def races(self, run: Run) -> tuple[Anomaly, ...]:
        """The anomalies that fail a scenario."""
        return tuple(a for a in self.findings(run) if a.name.weight is Weight.RACE)

    def names(self, run: Run) -> frozenset[AnomalyName]:
        """The names of what fails a scenario."""
        return frozenset(a.name for a in self.races(run))


def learn_serial(twins: Twins, options: ServerOptions) -> tuple[Judge, list[Run]]:
    """Run every serial order of the rig's round, twice each; the judge, and the runs.

    One that hangs runs once: its server has to be replaced, and another time would tell no more.
    """
    planned = twins.rig.planned
    outcomes: dict[SerialOutcome, None] = {}
    told: dict[str, str] = {}
    runs = []
    for order in orders(planned):
        words = order_in_words(planned, order)
        for _ in range(EACH_ORDER_RUNS):
            run = serial_run(twins, order)
            runs.append(run)
            if not run.record.hung:
                outcomes[outcome_of(run.record, words)] = None
            told[words] = in_words(run)
            if run.record.hung:
                break
    return Judge(options, tuple(outcomes), tuple(told.items())), runs


def serial_run(twins: Twins, order: tuple[int, ...]) -> Run:
    """One operation after the other. Raises ScheduleMissed where that did not work in three tries."""
    for tried in range(3):
        try:
            twins.begin()
            for actor in order:
                twins.alone(actor)
            return twins.finish()
        except ScheduleMissed:
            if tried == 2:
                raise
    raise ScheduleMissed("no serial order could be run")


def in_words(run: Run) -> str:
    """What a run came to: each reply, and what the store holds."""
    record = run.record
    keys = {a.operation: f"{a.operation} {a.code if a.code else a.word.value}" for a in record.attempts}
    replies = ", ".join(keys[o.key] for o in record.plan.operations if o.key in keys)
    held = []
    if record.stored is not None:
        for message in reversed(record.stored.messages):
            name = run.names.ids.get(message.id, message.key).strip("<>")
            held.append(f"{name} [{', '.join(message.tags)}]")
    hung = f"; unanswered: {', '.join(record.hung)}" if record.hung else ""
    return f"{replies}; stored: {', '.join(held) or 'nothing'}{hung}"
