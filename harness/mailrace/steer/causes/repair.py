"""A view in, the smallest repairs out: which steps, kept together, leave no bad schedule.

A run of one operation's steps is kept together by closing the gaps between them: no other operation's step
comes in there. That is a statement about the order of SQL statements, not a patch; how a server does
it (one statement, a transaction, a lock that both sides take) is its authors' choice.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailrace.steer.causes.view import Allows, Label, View, completions

SECONDS_MAX = 2.0
"""Of looking for the repairs of one view; what was not tried by then is said."""


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A run of an operation's steps, from `first` to `last`, with all that comes between in any of its ways.

    steps   how many steps that is where there are most
    """

    steps: int
    kind: str
    first: Label
    last: Label


@dataclass(frozen=True, slots=True)
class Repair:
    """Stretches that, kept together, leave `bad` of `schedules`: 0 for a repair."""

    stretches: tuple[Stretch, ...]
    schedules: int
    bad: int

    @property
    def steps(self) -> int:
        """How much is kept together in all."""
        return sum(s.steps for s in self.stretches)


@dataclass(frozen=True, slots=True)
class Repairs:
    """What was found for one view.

    smallest   each leaves no bad schedule, and no shorter one of its operation does; the shortest first
    no_help    whole operations that, kept together alone, still leave bad schedules
    today      (all, bad) schedules as the server is
    is_whole   everything was tried within the time
    """

    smallest: tuple[Repair, ...]
    no_help: tuple[Repair, ...]
    today: tuple[int, int]
    is_whole: bool


Gap = tuple[str, Label, Label]
"""Between two steps of an operation of a kind, the second right after the first."""


def gaps_of(view: View, stretches: Iterable[Stretch]) -> frozenset[Gap]:
    """The gaps that the stretches close."""
    ways = ways_of(view)
    return frozenset(
        (stretch.kind, one, other)
        for stretch in stretches
        for actor, kind in enumerate(view.kinds)
        for way in (ways[actor] if kind == stretch.kind else ())
        if stretch.first in way and stretch.last in way
        for one, other in pairwise(way[way.index(stretch.first) : way.index(stretch.last) + 1])
    )


def rule_of(view: View, gaps: frozenset[Gap]) -> Allows:
    """The rule that nobody comes in where a gap is closed."""
    # Whose turn it has to be, worked out once for each state: the rule is asked for each of its steps.
    held: list[int | None] = []
    for nexts, lasts in zip(view.nexts, view.lasts, strict=True):
        closed = (a for a in nexts if a in lasts and (view.kinds[a], lasts[a], nexts[a]) in gaps)
        held.append(next(closed, None))
    return lambda state, actor: held[state] is None or held[state] == actor


def ways_of(view: View) -> tuple[tuple[tuple[Label, ...], ...], ...]:
    """For each actor every sequence of steps that its operation goes through, on any schedule."""
    # A state knows the last and the next step of each actor, so the sequences are paths over these labels.
    following: list[dict[Label | None, set[Label]]] = [{} for _ in view.kinds]
    for nexts, lasts in zip(view.nexts, view.lasts, strict=True):
        for actor, label in nexts.items():
            following[actor].setdefault(lasts.get(actor), set()).add(label)
    return tuple(tuple(sorted(_paths(one))) for one in following)


WAYS_MAX = 200


def _paths(following: dict[Label | None, set[Label]]) -> Iterator[tuple[Label, ...]]:
    """Every longest path, at most `WAYS_MAX`; a label comes at most once in each."""
    stack: list[tuple[Label, ...]] = [()]
    number = 0
    while stack and number < WAYS_MAX:
        way = stack.pop()
        after = [label for label in following.get(way[-1] if way else None, ()) if label not in way]
        if not after:
            number += 1
            yield way
        stack += [(*way, label) for label in sorted(after)]


def find_repairs(view: View, seconds_max: float = SECONDS_MAX) -> Repairs:
    """The smallest repairs of the view; empty where no schedule is bad."""
    search = _Search(view, time.monotonic() + seconds_max)
    total, bad = completions(view)
    today = total[0], bad[0]
    if not bad[0]:
        return Repairs((), (), today, True)
    programs = _programs(view)
    alone = [search.tried(_whole(program)) for program in programs]
    found: list[Repair] = []
    for program in programs:
        found += search.shortest(program, ())
    if not found and len(programs) == 2:
        # No run of one operation is enough. The shortest of one beside the whole other, then of the other.
        for first in search.shortest(programs[0], _whole(programs[1])):
            found += search.shortest(programs[1], first.stretches[:1])
        least = min((repair.steps for repair in found), default=0)
        found = [repair for repair in found if repair.steps == least]
    no_help = tuple(repair for repair in alone if repair.bad)
    unique = sorted(dict.fromkeys(found), key=lambda repair: (repair.steps, repair.stretches))
    return Repairs(tuple(unique), no_help, today, not search.is_late)


@dataclass(frozen=True, slots=True)
class _Program:
    """The ways that one operation goes, or several operations whose ways are the same."""

    kind: str
    ways: tuple[tuple[Label, ...], ...]


def _programs(view: View) -> list[_Program]:
    """Each program once: two senders of one tag have the same, setting and clearing tags have not."""
    each = (_Program(kind, ways_of(view)[actor]) for actor, kind in enumerate(view.kinds))
    return list(dict.fromkeys(each))


def _whole(program: _Program) -> tuple[Stretch, ...]:
    """The operation from its first step to its last, in each of its ways."""
    ends = {(way[0], way[-1]): way for way in sorted(program.ways, key=len) if len(way) > 1}
    return tuple(Stretch(len(way), program.kind, *first_last) for first_last, way in ends.items())


class _Search:
    def __init__(self, view: View, until: float) -> None:
        self._view = view
        self._until = until
        self.is_late = False

    def tried(self, stretches: tuple[Stretch, ...]) -> Repair:
        """What is left with the stretches kept together."""
        total, bad = completions(self._view, rule_of(self._view, gaps_of(self._view, stretches)))
        return Repair(stretches, total[0], bad[0])

    def shortest(self, program: _Program, beside: tuple[Stretch, ...]) -> list[Repair]:
        """Its shortest runs that are a repair, together with what is kept `beside` them."""
        found: list[Repair] = []
        for stretch in _stretches(program):
            if found and stretch.steps > found[0].stretches[0].steps:
                break
            if time.monotonic() > self._until:
                self.is_late = True
                break
            repair = self.tried((stretch, *beside))
            if repair.schedules and not repair.bad:
                found.append(repair)
        return found


def _stretches(program: _Program) -> list[Stretch]:
    """All its runs of two or more steps, the shortest first."""
    length: dict[tuple[Label, Label], int] = {}
    for way in program.ways:
        for i, first in enumerate(way):
            for j in range(i + 1, len(way)):
                key = first, way[j]
                length[key] = max(length.get(key, 0), j - i + 1)
    return sorted(Stretch(steps, program.kind, *ends) for ends, steps in length.items())
