"""Takes the table of operations; gives three of them at a time in every relation, those worth most first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, combinations_with_replacement, product

from mailrace.studies.survey.operations import TABLE, Surveyed
from mailrace.studies.survey.relations import MEETINGS, refused_by_right, relation_of, scenario_data

GIVEN, *_SIDES = MEETINGS[4]
"""One message holds the tag, another one does not. One side acts on the first, the other on the second."""


@dataclass(frozen=True, slots=True)
class Triple:
    """Three operations. `sides`: which of `_SIDES` each one takes, and so what it acts on."""

    operations: tuple[Surveyed, Surveyed, Surveyed]
    sides: tuple[int, int, int]
    relation: str

    @property
    def name(self) -> str:
        """`send ∥ delete ∥ rename tag, the tag's last holder`."""
        return f"{' ∥ '.join(one.name for one in self.operations)}, {self.relation}"

    @property
    def scenario(self) -> dict[str, object]:
        """The data of a scenario file that holds just this."""
        title = f"{', '.join(one.name for one in self.operations)} beside each other: {self.relation}"
        sides = [_SIDES[side] for side in self.sides]
        return scenario_data(self.operations, self.relation, title, GIVEN, sides)

    @property
    def refused_by_right(self) -> frozenset[str]:
        """See `refused_by_right`."""
        return refused_by_right(self.operations)


def triples() -> Iterator[Triple]:
    """Three of the operations at a time, in every different relation. At most one of them only reads."""
    known = [one for one in TABLE if one.is_known]
    for three in ((a, b, c) for a, b, c in combinations_with_replacement(known, 3)):
        if sum(one.only_reads for one in three) > 1:
            continue
        seen: set[object] = set()
        for sides in product((0, 1), (0, 1), (0, 1)):
            said = [_relation(*one) for one in combinations(zip(three, sides, strict=True), 2)]
            triple = Triple(three, sides, "; ".join(dict.fromkeys(said)))
            # Equal operations may be exchanged, so of triples that differ only by that one is enough.
            same = tuple(sorted((one.name, side) for one, side in zip(three, sides, strict=True)))
            if not seen & {same, triple.name}:
                seen |= {same, triple.name}
                yield triple


@cache
def _relation(one: tuple[Surveyed, int], other: tuple[Surveyed, int]) -> str:
    mine, its = (operation.form(_SIDES[side]) for operation, side in (one, other))
    return relation_of(GIVEN, mine, its)


def worth_looking_at(
    every: Sequence[Triple], only: Sequence[str], conflicts: Mapping[tuple[str, str], int]
) -> tuple[list[Triple], int]:
    """The triples that may show more than their pairs do, the best first; and how many others there are.

    conflicts   how many pairs of statements conflict, for each two operations, by their names

    Where one operation shares nothing with the other two, the pair of these shows everything. Where each of
    the three shares something with the other two, there is most to find; those with the fewest conflicts are
    done soonest.
    """
    found: list[tuple[int, int, Triple]] = []
    apart = 0
    for triple in every:
        names = [one.name for one in triple.operations]
        if only and not set(names) <= set(only):
            continue
        each = [conflicts.get((a, b), conflicts.get((b, a), 0)) for a, b in combinations(names, 2)]
        if sum(number > 0 for number in each) < 2:
            apart += 1
        else:
            found.append((sum(number == 0 for number in each), sum(each), triple))
    return [triple for _, _, triple in sorted(found, key=lambda one: one[:2])], apart
