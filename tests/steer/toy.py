"""Small systems for tests: actors that read and write variables, stepped one step at a time."""

from dataclasses import dataclass, field
from itertools import permutations

from mailrace.steer.database_proxy.independence import Footprint

Step = tuple[str, str]
"""("read", variable), ("write", variable) or ("add", variable); adding commutes with adding."""


@dataclass
class Toy:
    """An explorer's `System`; a read stops its actor early when it sees an odd number."""

    programs: tuple[tuple[Step, ...], ...]
    is_brute: bool = False
    starts: int = 0
    values: dict[str, int] = field(default_factory=dict)
    at: list[int] = field(default_factory=list)
    seen: list[list[int]] = field(default_factory=list)
    order: list[int] = field(default_factory=list)

    def restart(self) -> None:
        self.starts += 1
        self.values, self.order = {}, []
        self.at = [0] * len(self.programs)
        self.seen = [[] for _ in self.programs]

    def enabled(self) -> tuple[int, ...]:
        return tuple(i for i, p in enumerate(self.programs) if self.at[i] < len(p))

    def waiting(self, actor: int) -> str:
        return str(self.programs[actor][self.at[actor]])

    def commute(self, one: int, other: int) -> bool:
        if self.is_brute:
            return False
        (what, mine), (does, its) = self.programs[one][self.at[one]], self.programs[other][self.at[other]]
        return mine != its or (what == does and what in ("read", "add"))

    def touches(self, actor: int) -> Footprint:
        what, variable = self.programs[actor][self.at[actor]]
        reads, writes = (variable, "") if what == "read" else ("", variable)
        return Footprint(frozenset({reads} - {""}), frozenset({writes} - {""}))

    def step(self, actor: int) -> None:
        what, variable = self.programs[actor][self.at[actor]]
        self.at[actor] += 1
        self.order.append(actor)
        now = self.values.get(variable, 0)
        if what == "read":
            self.seen[actor].append(now)
            if now % 2:
                self.at[actor] = len(self.programs[actor])
        else:
            self.values[variable] = now + 1 if what == "add" else 10 * (actor + 1) + self.at[actor]

    def finish(self) -> tuple[object, ...]:
        return (tuple(sorted(self.values.items())), tuple(map(tuple, self.seen)))


def interleavings(lengths: tuple[int, ...]) -> set[tuple[int, ...]]:
    """Every schedule of actors with so many steps each."""
    return set(permutations([i for i, n in enumerate(lengths) for _ in range(n)]))
