"""Every schedule of a system, up to the exchange of independent neighbours, depth first.

Stateless search with sleep sets (Godefroid, "Partial-Order Methods for the Verification of Concurrent
Systems", 1996, chapter 5): each schedule is run from the start, and one is left out when an exchange of
neighbouring independent steps makes it one that was run before. Independence is asked for at the very state
where both steps wait, so it may depend on what the store holds there.
"""

from dataclasses import dataclass, field

from mailrace.model.errors import ScheduleDiverged
from mailrace.steer.database_proxy.executions import Schedule
from mailrace.steer.explore.strategy import System


@dataclass(slots=True)
class _Choice:
    """One state on the way of the schedule in hand.

    enabled       the actors that had a step waiting, and `texts`: what waited
    sleep         actors that need not be chosen: what they lead to was run before
    done          actors that were chosen before
    child_sleep   `sleep` of the next state; None: not worked out yet for the actor that is chosen now
    """

    enabled: tuple[int, ...]
    texts: tuple[str, ...]
    sleep: frozenset[int]
    chosen: int
    done: set[int] = field(default_factory=set)
    child_sleep: frozenset[int] | None = None


class DepthFirst:
    """See `Strategy`. `_known` choices of the schedule in hand were made before this run of it."""

    def __init__(self) -> None:
        self._choices: list[_Choice] = []
        self._known = 0
        self._is_begun = False

    def begin(self) -> bool:
        """Change the deepest choice that has another actor left; False: everything was tried."""
        if not self._is_begun:
            self._is_begun = True
            return True
        del self._choices[self._known :]  # of a schedule that was missed
        while self._choices:
            last = self._choices[-1]
            last.done.add(last.chosen)
            left = [a for a in last.enabled if a not in last.done and a not in last.sleep]
            if left:
                last.chosen, last.child_sleep = left[0], None
                self._known = len(self._choices)
                return True
            self._choices.pop()
        self._known = 0
        return False

    def choose(self, system: System[object], schedule: Schedule) -> int | None:
        """What was chosen here before; beyond that the actor that went last goes on, unless it sleeps."""
        depth = len(schedule)
        if depth == 0:
            del self._choices[self._known :]  # of a run of this schedule that was missed
        enabled = system.enabled()
        texts = tuple(system.waiting(actor) for actor in enabled)
        if depth < self._known:
            choice = self._choices[depth]
            if (enabled, texts) != (choice.enabled, choice.texts):
                raise ScheduleDiverged(f"step {depth + 1}: {_difference(choice, enabled, texts)}")
        else:
            sleep = (self._choices[-1].child_sleep or frozenset()) if self._choices else frozenset()
            awake = [actor for actor in enabled if actor not in sleep]
            if not awake:
                self._known = depth
                return None
            chosen = schedule[-1] if schedule and schedule[-1] in awake else awake[0]
            choice = _Choice(enabled, texts, sleep, chosen)
            self._choices.append(choice)
        if choice.child_sleep is None:
            # Whoever sleeps here goes on sleeping for as long as it commutes with what is run.
            asleep = choice.sleep | choice.done
            choice.child_sleep = frozenset(a for a in asleep if system.commute(a, choice.chosen))
        return choice.chosen

    def end(self, schedule: Schedule) -> None:
        """See `Strategy`."""
        if len(schedule) < self._known:
            raise ScheduleDiverged(f"it ended after {len(schedule)} steps, and had {self._known} before")
        self._known = len(self._choices)


def _difference(choice: _Choice, enabled: tuple[int, ...], texts: tuple[str, ...]) -> str:
    before = dict(zip(choice.enabled, choice.texts, strict=True))
    now = dict(zip(enabled, texts, strict=True))
    for actor in sorted(before.keys() | now.keys()):
        if before.get(actor) != now.get(actor):
            return f"actor {actor + 1} waits with {now.get(actor)!r} and had {before.get(actor)!r} before"
    return "the same steps in another order"
