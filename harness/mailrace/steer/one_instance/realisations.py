"""What became of the violating classes of one round, and the numbers of all that was looked at in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mailrace.model.anomaly import AnomalyName
from mailrace.model.cause import Cause
from mailrace.model.result import Violation, Witness
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.put_to_the_test import why_not_put_to_the_test
from mailrace.steer.explore.state_space import Counted, StateSpace
from mailrace.steer.one_instance.told_causes import First


@dataclass(frozen=True, slots=True, kw_only=True)
class Realisation:
    """What became of violating classes that end alike.

    said        as the report has it
    classes     one explored execution of each of these classes
    tries       that the first execution took, then those of each repeat; `repeats`: how many repeats came,
                `same`: how many of them to the same anomalies
    first       the first execution, where the classes were realised
    is_beyond   one instance did it at a release point, and no explored schedule does
    is_part     it is of a smaller round, so the classes of the round in question are not these
    """

    said: Violation
    classes: tuple[Execution, ...] = ()
    tries: tuple[int, ...] = ()
    repeats: int = 0
    same: int = 0
    first: First | None = None
    witnesses: tuple[Witness, ...] = ()
    notes: tuple[str, ...] = ()
    is_beyond: bool = False
    is_part: bool = False

    @property
    def is_realised(self) -> bool:
        """Whether it was shown on as many instances as were asked for."""
        return self.said.fate == "realised"

    @property
    def names(self) -> frozenset[AnomalyName]:
        """What its classes show."""
        return frozenset(name for name in AnomalyName if name.value in self.said.anomalies)


@dataclass(frozen=True)
class Realisations:
    """Of all violating classes of a round.

    witnesses   one of each anomaly and message, of the round itself or of a smaller one that shows the same
    also        explored executions of classes whose anomalies a smaller round was seen to have
    doubt       why what was seen may not be all there is, in words
    """

    each: tuple[Realisation, ...] = ()
    causes: tuple[Cause, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    also: tuple[Execution, ...] = ()
    notes: tuple[str, ...] = ()
    doubt: str = ""

    def classes_that(self, fate: str) -> int:
        """How many classes came to that, each to one fate only."""
        own = (one for one in self.each if one.is_realised or not one.is_part)
        return sum(one.said.classes for one in own if one.said.fate == fate)

    @property
    def realised(self) -> int:
        """Classes that were shown on as many instances as were asked for."""
        return self.classes_that("realised")

    @property
    def split_only(self) -> int:
        """Classes that would need to split what one instance keeps together."""
        return self.classes_that("split_only")

    @property
    def unrealised(self) -> int:
        """Classes that were not shown, and may be possible all the same."""
        return self.classes_that("unrealised")

    @cached_property
    def realised_names(self) -> frozenset[AnomalyName]:
        """What the realised classes show."""
        return frozenset().union(*(one.names for one in self.each if one.is_realised))

    @cached_property
    def unrealised_names(self) -> frozenset[AnomalyName]:
        """What the classes show that were not realised, and may be possible all the same."""
        left = (one for one in self.each if one.said.fate == "unrealised" and not one.is_part)
        return frozenset().union(*(one.names for one in left))

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What became of each, as the report has it."""
        return tuple(one.said for one in self.each)

    @property
    def classes(self) -> tuple[Execution, ...]:
        """Explored executions of the classes that are races."""
        return (*(run for one in self.each if one.is_realised for run in one.classes), *self.also)

    @property
    def elsewhere(self) -> tuple[Realisation, ...]:
        """What was realised and is no explored class of the round in question."""
        return tuple(one for one in self.each if one.is_realised and (one.is_beyond or one.is_part))

    @property
    def tries(self) -> tuple[int, ...]:
        """Of every realisation, and of every repeat."""
        return tuple(number for one in self.each for number in one.tries)

    @property
    def same(self) -> int:
        """Repeats that came to the same anomalies, of `repeats`."""
        return sum(one.same for one in self.each)

    @property
    def repeats(self) -> int:
        """Repeats of realised schedules that came."""
        return sum(one.repeats for one in self.each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All that was looked at of one round, and its numbers.

    instances    asked for by the scenario
    schedules    those that keep together what one instance keeps together; `all_schedules`: on one instance
                 an actor
    points       release points run ("0 preemptions"), how many were bad, and how many missed, and why
    """

    space: StateSpace
    shown: Realisations
    instances: int
    schedules: Counted
    all_schedules: Counted
    points: int = 0
    points_bad: int = 0
    points_missed: int = 0
    why_points_missed: str = ""
    unattributed: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def actors(self) -> int:
        """How many actors the round has."""
        return len(self.space.actors)

    @property
    def is_exhaustive(self) -> bool:
        """All classes explored, none missed, no budget hit: computed, never asserted."""
        return self.space.is_exhaustive and not self.shown.doubt

    @property
    def doubt(self) -> str:
        """Why what was looked at may not be all of it, though nothing ran out; "" if nothing says so."""
        if doubt := self.space.doubt or self.shown.doubt:
            return doubt
        if self.points_missed and self.space.graph.is_whole:
            return self.why_points_missed
        return why_not_put_to_the_test(self.space)

    @property
    def ms_per_schedule(self) -> float:
        """Of wall time, the start of the servers included once."""
        spent_s = self.seconds.get("start", 0.0) + self.seconds.get("explore", 0.0)
        return 1e3 * spent_s / self.space.coverage.runs if self.space.coverage.runs else 0.0
