"""Who is told of what is found, as soon as it is found: a person in sentences, and the journal on disk."""

from collections.abc import Callable
from dataclasses import dataclass

from mailrace.history import Journal, Realisation, ScheduleRun
from mailrace.model.result import Violation, Witness
from mailrace.steer.database_proxy.executions import Execution, stretches_in_words
from mailrace.steer.explore.judge import Judge, in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Hands on what is found. What is in the journal survives whatever ends the run.

    progress   is told in sentences what goes on
    journal    None: nothing is kept
    """

    progress: Callable[[str], None] = lambda _: None
    journal: Journal | None = None

    def executed(self, number: int, execution: Execution, judge: Judge) -> None:
        """The `number`th schedule was explored."""
        if self.journal is not None:
            shown = stretches_in_words(execution.schedule, execution.actors)
            names = tuple(sorted(judge.names(execution)))
            self.journal.schedule(
                ScheduleRun(number=number, schedule=shown, outcome=in_words(execution), anomalies=names)
            )
        if number % 25 == 0:
            self.progress(f"{number} schedules explored")

    def decided(self, violation: Violation) -> None:
        """It was decided what becomes of a violating class."""
        if self.journal is not None:
            self.journal.realisation(
                Realisation(
                    schedule=violation.schedule,
                    anomalies=violation.anomalies,
                    fate=violation.fate,
                    tries=violation.tries,
                    why=violation.why,
                )
            )

    def witnessed(self, witness: Witness) -> None:
        """A race was shown."""
        if self.journal is not None:
            self.journal.witness(witness)


NOBODY = Observer()
