"""One executed schedule: the steps in the order in which they were taken, and the record of the round."""

from dataclasses import dataclass

from mailrace.model.attempt import RoundRecord
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.statement_text import Names

Schedule = tuple[int, ...]
"""Whose step is next, from the first step to the last: actors by their index in the round."""


@dataclass(frozen=True, slots=True)
class TakenStep:
    """What was released at once: one statement, or those of one transaction; and what they were told.

    call      the statements as they compare between executions
    after_s   so long after its actor was told something, or was released, the first of them came
    """

    actor: int
    statements: tuple[Statement, ...]
    call: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Execution:
    """One complete schedule as a server executed it: its steps, the round's record, what names were given."""

    steps: tuple[TakenStep, ...]
    record: RoundRecord
    names: Names
    seconds: float

    @property
    def schedule(self) -> Schedule:
        """The actor of each step."""
        return tuple(step.actor for step in self.steps)

    @property
    def has_ended_badly(self) -> bool:
        """Whether a server hung or crashed in it."""
        return bool(self.record.hung or self.record.crashed)

    @property
    def actors(self) -> tuple[str, ...]:
        """The actors' names, by index."""
        return tuple(operation.key for operation in self.record.plan.operations)


def stretches_in_words(schedule: Schedule, names: tuple[str, ...]) -> str:
    """`send.1:1-4 send.2:1-8`: whose statements came one after the other, numbered from 1."""
    stretches: list[tuple[int, int, int]] = []  # the actor, and its first and last step of the stretch
    count: dict[int, int] = {}
    for actor in schedule:
        count[actor] = count.get(actor, 0) + 1
        if stretches and stretches[-1][0] == actor:
            stretches[-1] = (actor, stretches[-1][1], count[actor])
        else:
            stretches.append((actor, count[actor], count[actor]))
    return " ".join(f"{names[actor]}:{first}-{last}" for actor, first, last in stretches)
