"""A system of actors in, every order of their blocks out, up to exchanging independent neighbours.

Stateless depth-first search with sleep sets (Godefroid, "Partial-Order Methods for the Verification of
Concurrent Systems", 1996, chapter 5): each order is run from the start, and an order is left out when an
exchange of neighbouring independent blocks makes it one that was run before. Independence is asked for at
the very state where both blocks wait, so it may depend on what the store holds there.

Nothing here knows a server: `System` is all it asks for, so that tests compare it with brute force.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from mailrace.model.errors import ScheduleDiverged, ScheduleMissed

Leaf_co = TypeVar("Leaf_co", covariant=True)
Leaf = TypeVar("Leaf")

TRIES_MAX = 3
"""Runs of one order before it counts as missed."""


class System(Protocol[Leaf_co]):
    """Actors that run one block at a time; the same choices from the start give the same blocks."""

    def restart(self) -> None:
        """Put everything back to the start, each actor's first block waiting."""

    def enabled(self) -> tuple[int, ...]:
        """Actors that have a block waiting, ascending; none: the order is complete."""

    def waiting(self, actor: int) -> str:
        """The block that waits, in a text that is the same in each run."""

    def commute(self, one: int, other: int) -> bool:
        """Whether the waiting blocks of two actors are independent at this state."""

    def step(self, actor: int) -> None:
        """Run the actor's waiting block, until its next one waits or it has ended."""

    def finish(self) -> Leaf_co:
        """What the complete order gave."""


@dataclass(slots=True)
class _Node:
    """One state on the way: who could run, who was tried, and who need not be."""

    enabled: tuple[int, ...]
    texts: tuple[str, ...]
    sleep: frozenset[int]
    chosen: int
    done: set[int] = field(default_factory=set)
    child_sleep: frozenset[int] | None = None


@dataclass(slots=True)
class Exploration(Generic[Leaf]):
    """What was looked at. `explored` orders were complete; `cut` ones ended where only sleepers could run.

    diverged   runs in which the same choices led to other blocks: of such a system no order stands for others
    bound      context switches that were allowed beyond the necessary ones (`bounded`); None: any number
    within     the number up to which every order was run; -1: none
    """

    explored: int = 0
    cut: int = 0
    missed: int = 0
    diverged: int = 0
    bound: int | None = None
    within: int = -1
    is_complete: bool = False
    why_not: str = ""


def explore(
    system: System[Leaf],
    found: Exploration[Leaf],
    *,
    orders_max: int,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[tuple[int, ...], Leaf]]:
    """Each order that represents a class, as (actors in order of their blocks, what it gave).

    `found` is counted up on the way. The search ends when all classes were run (`is_complete`, unless some
    order was missed or diverged), after `orders_max` runs, or when `is_out_of_time()`.
    """
    stack: list[_Node] = []
    runs = tries = 0
    while True:
        if runs >= orders_max or is_out_of_time():
            found.why_not = f"its budget of {orders_max} orders" if runs >= orders_max else "its time"
            return
        runs += 1
        try:
            leaf = _run(system, stack)
        except ScheduleMissed as missed:
            tries += 1
            if isinstance(missed, ScheduleDiverged):
                found.diverged += 1
                found.why_not = f"the same choices did not give the same statements ({missed})"
            if tries < TRIES_MAX:
                continue
            found.missed += 1
            found.why_not = str(missed)
            leaf = None
        else:
            if leaf is None:
                found.cut += 1
        tries = 0
        if leaf is not None:
            found.explored += 1
            yield tuple(node.chosen for node in stack), leaf[0]
        if not _backtrack(stack):
            found.is_complete = found.missed == 0 and found.diverged == 0
            return


def _run(system: System[Leaf], stack: list[_Node]) -> tuple[Leaf] | None:
    """Run the stack's choices, then on to the end; None: only sleepers were left."""
    system.restart()
    sleep: frozenset[int] = frozenset()
    known = len(stack)
    for depth, node in enumerate(stack):
        enabled = system.enabled()
        texts = tuple(system.waiting(a) for a in enabled)
        if enabled != node.enabled or texts != node.texts:
            raise ScheduleDiverged(f"block {depth + 1}: {_difference(node, enabled, texts)}")
        _step(system, node)
        sleep = node.child_sleep or frozenset()
    while enabled := system.enabled():
        awake = [a for a in enabled if a not in sleep]
        if not awake:
            return None
        previous = stack[-1].chosen if stack else -1
        chosen = previous if previous in awake else awake[0]
        texts = tuple(system.waiting(a) for a in enabled)
        node = _Node(enabled, texts, sleep, chosen)
        stack.append(node)
        try:
            _step(system, node)
        except ScheduleMissed:
            del stack[known:]
            raise
        sleep = node.child_sleep or frozenset()
    return (system.finish(),)


def _step(system: System[Leaf], node: _Node) -> None:
    if node.child_sleep is None:
        asleep = node.sleep | node.done
        node.child_sleep = frozenset(u for u in asleep if system.commute(u, node.chosen))
    system.step(node.chosen)


def _backtrack(stack: list[_Node]) -> bool:
    """Set the deepest open choice; False: everything was tried."""
    while stack:
        node = stack[-1]
        node.done.add(node.chosen)
        left = [a for a in node.enabled if a not in node.done and a not in node.sleep]
        if left:
            node.chosen, node.child_sleep = left[0], None
            return True
        stack.pop()
    return False


def _difference(node: _Node, enabled: tuple[int, ...], texts: tuple[str, ...]) -> str:
    planned, got = dict(zip(node.enabled, node.texts, strict=True)), dict(zip(enabled, texts, strict=True))
    for actor in sorted(planned.keys() | got.keys()):
        if planned.get(actor) != got.get(actor):
            return f"actor {actor + 1} waits with {got.get(actor)!r} and had {planned.get(actor)!r} before"
    return "the same blocks in another order"
