"""Takes a schedule; gives the step after which nothing can end well, and what had to come before it."""

from collections import Counter
from dataclasses import dataclass

from mailrace.steer.causes.view import Label, View, completions


@dataclass(frozen=True, slots=True)
class Decisive:
    """Two steps whose exchange makes the difference: `early` came, and `late` had to come before it.

    Each is (kind of its operation, its step).
    """

    early: tuple[str, Label]
    late: tuple[str, Label]


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a schedule went wrong: how the rest of it may end, seen from each step.

    shares   of bad ones among all completions: before the first step, after the first, …; every completion
             is weighed alike
    drawn    the same as the pool draws: the connection goes to the one who waits; who has not begun yet comes
             in at each step with the same chance as not
    step     index of the step after which the share is 1; -1: never (the schedule ends well)
    """

    shares: tuple[float, ...]
    drawn: tuple[float, ...]
    step: int


def outlook(view: View, order: tuple[int, ...]) -> Outlook | None:
    """The outlook at each step of a schedule; None where it is none of one server."""
    states = view.follow(order)
    if states is None:
        return None
    total, bad = completions(view)
    shares = tuple(bad[s] / total[s] if total[s] else 0.0 for s in states)
    step = next((i - 1 for i, s in enumerate(states) if total[s] and bad[s] == total[s]), -1)
    drawn = _Drawn(view)
    lasts = (-1, *order)
    return Outlook(shares, tuple(drawn.share(s, last) for s, last in zip(states, lasts, strict=True)), step)


class _Drawn:
    """The share of bad ends by the pool's rule, from a state and who ran last."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[tuple[int, int], float] = {}

    def share(self, state: int, last: int) -> float:
        """A walk with a stack of its own: schedules may be longer than Python recurses."""
        stack = [(state, last)]
        while stack:
            here = stack[-1]
            ways = self._ways(*here)
            missing = [way for way in ways if way not in self._known]
            if missing:
                stack += missing
                continue
            stack.pop()
            found = [self._known[way] for way in ways]
            self._known[here] = sum(found) / len(found) if found else float(here[0] in self._view.bad)
        return self._known[state, last]

    def _ways(self, state: int, last: int) -> list[tuple[int, int]]:
        able = self._view.moves[state]
        waiting = [a for a in able if a != last and a in self._view.lasts[state]]
        others = [a for a in able if a not in self._view.lasts[state]]
        # Who waits gets the connection; the holder asks again only where nobody does.
        next_up = [*(waiting or [a for a in able if a == last]), *others]
        return [(able[a], a) for a in next_up or able]


def decisive(view: View, end: int) -> Decisive | None:
    """The two steps that decide on a bad end, of all schedules that come to it; None: nothing else could be.

    Each schedule has one step after which nothing ends well. The pair that most schedules of this end have
    is taken, so that it does not hang on which of them was run; between equals the first by its texts.
    """
    total, bad = completions(view)
    from_root, to_end = _ways_from_root(view), _ways_to(view, end)
    votes: Counter[Decisive] = Counter()
    for state, moves in enumerate(view.moves):
        if not total[state] or bad[state] == total[state]:
            continue
        for actor, after in moves.items():
            if (
                to_end[after]
                and bad[after] == total[after]
                and (pair := _pair(view, bad, total, state, actor))
            ):
                votes[pair] += from_root[state] * to_end[after]
    return min(votes, key=lambda pair: (-votes[pair], pair.early, pair.late), default=None)


def _pair(view: View, bad: list[int], total: list[int], state: int, actor: int) -> Decisive | None:
    """The actor's step at `state` is too early: which step of another one had to come before it?"""
    early = view.nexts[state][actor]
    for other in view.moves[state]:
        here = state
        while other != actor and other in view.moves[here]:
            late = view.nexts[here][other]
            here = view.moves[here][other]
            after = view.moves[here].get(actor, here)
            if bad[after] < total[after]:
                return Decisive((view.kinds[actor], early), (view.kinds[other], late))
    return None


def _ways_from_root(view: View) -> list[int]:
    ways = [0] * len(view.moves)
    ways[0] = 1
    for state, moves in enumerate(view.moves):
        for after in moves.values():
            ways[after] += ways[state]
    return ways


def _ways_to(view: View, end: int) -> list[int]:
    ways = [0] * len(view.moves)
    ways[end] = 1
    for state in reversed(range(end)):
        ways[state] = sum(ways[after] for after in view.moves[state].values())
    return ways
