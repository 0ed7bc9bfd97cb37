"""A state graph as causes need it: numbered states, whose step leads where, and which ends are bad.

It knows no server, no SQL and no store, so that tests write graphs down by hand; `of_graph` makes one of
what steer explored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Label(NamedTuple):
    """A step by its template, the text of its first statement without arguments, and which of these it is.

    occurrence   1 for the first step of that template in its operation, 2 for the second, …
    """

    template: str
    occurrence: int


@dataclass(frozen=True, slots=True)
class View:
    """States are numbered from 0, the root, so that each step leads to a higher number.

    moves    state → actor → state: the steps that one server allows there; a state in `ends` has none
    nexts    state → actor → the actor's next step, allowed there or not
    lasts    state → actor → the step that the actor ran last; none before its first
    ends     states in which every operation has ended
    bad      end → names of what it breaks; other ends are good
    kinds    actor → kind of its operation; actors of one kind run one program
    """

    moves: tuple[Mapping[int, int], ...]
    nexts: tuple[Mapping[int, Label], ...]
    lasts: tuple[Mapping[int, Label], ...]
    ends: frozenset[int]
    bad: Mapping[int, frozenset[str]]
    kinds: tuple[str, ...]

    def follow(self, order: tuple[int, ...]) -> tuple[int, ...] | None:
        """The states on the way, the root first; None where some step is not allowed."""
        states = [0]
        for actor in order:
            if actor not in self.moves[states[-1]]:
                return None
            states.append(self.moves[states[-1]][actor])
        return tuple(states)


Allows = Callable[[int, int], bool]
"""Whether an actor may go next at a state: a rule on top of the moves."""


def anyone(_state: int, _actor: int) -> bool:
    """The rule that keeps nothing together."""
    return True


def completions(view: View, allows: Allows = anyone) -> tuple[list[int], list[int]]:
    """For each state how many schedules lead from it to an end, and how many of them to a bad one."""
    total, bad = [0] * len(view.moves), [0] * len(view.moves)
    for state in reversed(range(len(view.moves))):
        if state in view.ends:
            total[state], bad[state] = 1, int(state in view.bad)
        for actor, after in view.moves[state].items():
            if allows(state, actor):
                total[state] += total[after]
                bad[state] += bad[after]
    return total, bad
