"""What became of the violating classes of one round, and the numbers of all that was looked at in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrace.model.anomaly import AnomalyName
from mailrace.model.cause import Cause
from mailrace.model.result import Violation, Witness
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Follows
from mailrace.steer.explore.state_space import StateSpace, why_not_put_to_the_test
from mailrace.steer.one_instance.words import counted


@dataclass(slots=True)
class Realisations:
    """What became of the violating classes, each counted in one of the first three, or left out."""

    realised: int = 0
    split_only: int = 0
    unrealised: int = 0
    unrealised_names: set[AnomalyName] = field(default_factory=set)
    realised_names: set[AnomalyName] = field(default_factory=set)
    left_out: int = 0
    """Classes of causes or anomalies that another class had shown, where one of each was enough."""
    causes: list[Cause] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    classes: list[Execution] = field(default_factory=list)
    """The classes that were realised, as they were explored."""
    beyond: list[Execution] = field(default_factory=list)
    """What one instance did at a release point, and no explored schedule does."""
    doubt: str = ""
    tries: list[int] = field(default_factory=list)
    same: int = 0
    repeats: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """The numbers of one walk.

    instances    asked for by the scenario; actors in the round
    orders       (all, bad) of those that keep together what one instance keeps together
    all_orders   (all, bad) of those on one instance an actor
    points       release points run ("0 deviations"), how many were bad, and how many missed
    """

    space: StateSpace
    shown: Realisations
    instances: int
    actors: int
    seconds: dict[str, float]
    orders: tuple[int, int] = (0, 0)
    all_orders: tuple[int, int] = (0, 0)
    orders_by_name: Mapping[str, int] = field(default_factory=dict)
    points: int = 0
    points_bad: int = 0
    points_missed: int = 0
    locks: int = 0
    runs_single: int = 0
    unattributed: int = 0

    def count(self, allowed: Follows) -> None:
        """Count the orders that are `allowed`, and all of them."""
        total, bad, self.orders_by_name = self.space.count(allowed)
        self.orders = (total, bad)
        self.all_orders = self.space.count()[:2]

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
            return f"{counted(self.points_missed, 'release point')} missed"
        return why_not_put_to_the_test(self.space)

    @property
    def orders_run(self) -> int:
        """Orders that were run on separate instances, those of which an end was enough among them."""
        found = self.space.coverage
        return found.explored + found.cut + found.missed

    @property
    def ms_per_order(self) -> float:
        """Of wall time, the start of the servers included once."""
        spent_s = self.seconds.get("start", 0.0) + self.seconds.get("explore", 0.0)
        return 1e3 * spent_s / self.orders_run if self.orders_run else 0.0
