"""Runs in, findings out: both oracles on every order, the serial ones run for real on the same store."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrace.check import broken_serially, check_round
from mailrace.check.orders import constraints, order_in_words, orders
from mailrace.check.outcome import SerialOutcome, outcome_of
from mailrace.model.anomaly import Anomaly, AnomalyName, Weight
from mailrace.model.attempt import Outcome
from mailrace.model.cause import UNANSWERED
from mailrace.model.errors import ScheduleMissed
from mailrace.model.operation import PlannedRound, Send, ServerOptions
from mailrace.steer.database_proxy.drawn import Drawn
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.programs import told
from mailrace.steer.explore.separate_instances import SeparateInstances

EACH_ORDER_RUNS = 2
"""Both outcomes count: a server need not do the same both times."""


ENDS = (AnomalyName.HANG, AnomalyName.CRASH)
Break = tuple[AnomalyName, str]
"""A broken promise, and whose message it is about: senders that may be exchanged are one."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What a round of this scenario may come to.

    serial   outcomes of all allowed orders; empty: the oracle is not applied, the promises stand alone.
             An order that hangs the server all by itself explains nothing, and is left out
    told     each order in words, with what it came to in words
    broken   promises that serial runs broke, though no edit touched what they were about, and how many runs
             did so. That needs no race, so no schedule is blamed for it, and the scenario is not clean
    """

    options: ServerOptions
    serial: tuple[SerialOutcome, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    broken: Mapping[Break, int] = field(default_factory=dict)

    @property
    def broken_serially(self) -> Mapping[str, int]:
        """The same by the names of the promises alone, as run.json has it."""
        names: Counter[str] = Counter()
        for (name, _), number in self.broken.items():
            names[name.value] += number
        return dict(names)

    @property
    def without_a_race(self) -> str:
        """Which promises break when the operations run one after the other as well; "" where none does."""
        broken = ", ".join(self.broken_serially)
        also = "shows when the operations run one after the other as well"
        return f"{broken} {also}: a broken promise, not a race" if broken else ""

    def findings(self, run: Execution) -> tuple[Anomaly, ...]:
        """All anomalies of a run that the serial runs did not show, those that are only reported too."""
        found = check_round(run.record, self.options, self.serial)
        return tuple(a for a in found if break_of(a, run.record.plan) not in self.broken)

    def races(self, run: Execution) -> tuple[Anomaly, ...]:
        """The anomalies that fail a scenario."""
        return tuple(a for a in self.findings(run) if a.name.weight is Weight.RACE)

    def names(self, run: Execution) -> frozenset[AnomalyName]:
        """The names of what fails a scenario."""
        return frozenset(a.name for a in self.races(run))


def break_of(anomaly: Anomaly, planned: PlannedRound) -> Break:
    """What is broken, and of whom."""
    kinds = constraints(planned).kind
    for index, operation in enumerate(planned.operations):
        if isinstance(operation, Send) and operation.message.key == anomaly.message:
            return anomaly.name, f"sender of kind {kinds[index]}"
    return anomaly.name, anomaly.message or ", ".join(anomaly.tags)


def learn_serial(separate: SeparateInstances, options: ServerOptions) -> tuple[Judge, list[Execution]]:
    """Run every serial order of the round, twice each; the judge, and the executions.

    Where an operation was seen to work on behind its reply, the orders are run again: the next operation
    begins when that work is done, or it would not be one after the other.
    """
    habits = separate.habits
    habits.learn(separate.rig.broadcasts)
    found = _serial(separate, options)
    if not habits.learned():
        habits.learn(separate.rig.broadcasts, calm=True)
        found = _serial(separate, options)
        habits.learned()
    separate.rig.late_s = max(habits.late_s.values(), default=0.0)
    return _serial(separate, options) if habits.late_s else found


def _serial(separate: SeparateInstances, options: ServerOptions) -> tuple[Judge, list[Execution]]:
    planned = separate.round_.planned
    outcomes: dict[SerialOutcome, None] = {}
    orders_told: dict[str, str] = {}
    broken: Counter[Break] = Counter()
    runs: list[Execution] = []
    everyone = tuple(range(len(planned.operations)))
    allowed = orders(planned)
    # Too many orders to compare with: two of them still show what breaks without a race.
    for order in allowed or (everyone, everyone[::-1]):
        words = order_in_words(planned, order)
        for number in range(EACH_ORDER_RUNS):
            separate.rig.may_be_late = number == 0
            run = serial_run(separate, order)
            if runs and runs[-1].schedule == run.schedule:
                learn_drawn(separate.round_.drawn, runs[-1], run)
            runs.append(run)
            may_hang = separate.rig.is_fresh and _is_answered(run, order[0])
            broken.update({break_of(a, planned) for a in _broken(run, options, may_hang=may_hang)})
            if not allowed:
                break
            if not run.record.hung:
                outcomes[outcome_of(run.record, words)] = None
            orders_told[words] = in_words(run)
    separate.rig.may_be_late = False
    # A hang or a crash counts where it came twice: once, it may have been the machine's.
    counted = {one: n for one, n in broken.items() if n > 1 or one[0] not in ENDS}
    return Judge(options, tuple(outcomes), tuple(orders_told.items()), counted), runs


def _broken(run: Execution, options: ServerOptions, *, may_hang: bool) -> tuple[Anomaly, ...]:
    """What a serial run broke. With `may_hang` a hang is none: the operations may hang it in any order."""
    found = broken_serially(run.record, options)
    return tuple(a for a in found if not (may_hang and a.name in ENDS))


def _is_answered(run: Execution, first: int) -> bool:
    """Whether the first operation was answered: one that hangs without any other before it is no race."""
    key = run.record.plan.operations[first].key
    return any(a.operation == key and a.outcome is not Outcome.UNKNOWN for a in run.record.attempts)


def serial_run(separate: SeparateInstances, order: tuple[int, ...]) -> Execution:
    """One operation after the other. Raises ScheduleMissed where that did not work in three tries."""
    for tried in range(3):
        try:
            separate.begin()
            for actor in order:
                separate.alone(actor)
            return separate.finish()
        except ScheduleMissed:
            if tried == 2:
                raise
    raise ScheduleMissed("no serial order could be run")


def learn_drawn(drawn: Drawn, one: Execution, other: Execution) -> None:
    """From two runs of one schedule: what an actor sends differently, though it was told the same."""
    for actor in range(len(one.actors)):
        calls = []
        for run in (one, other):
            statements = [s for step in run.steps if step.actor == actor for s in step.statements]
            calls.append([run.names.plain(call) for s in statements for call in s.calls])
        drawn.compare(*calls)


def class_of(run: Execution) -> tuple[object, ...]:
    """Equal of two schedules in which every actor was told the same, and that left the same in the store."""
    heard: list[list[str]] = [[] for _ in run.actors]
    for step in run.steps:
        heard[step.actor].append(told(step.statements, run.names))
    return (*map(tuple, heard), in_words(run))


def in_words(run: Execution) -> str:
    """What a run came to: each reply, and what the store holds."""
    record = run.record
    keys = {a.operation: f"{a.operation} {a.code if a.code else a.word.value}" for a in record.attempts}
    replies = ", ".join(keys[o.key] for o in record.plan.operations if o.key in keys)
    held = []
    if record.stored is not None:
        for message in reversed(record.stored.messages):
            name = run.names.ids.get(message.id, message.key).strip("<>")
            held.append(f"{name} [{', '.join(message.tags)}]")
    hung = f"{UNANSWERED}{', '.join(record.hung)}" if record.hung else ""
    return f"{replies}; stored: {', '.join(held) or 'nothing'}{hung}"
