"""A system of actors in, its orders with few context switches out, those with the fewest first.

Iterative context bounding (Musuvathi, Qadeer, "Iterative context bounding for systematic testing of
multithreaded programs", PLDI 2007): a switch away from an actor that could have gone on counts, one from an
actor that has ended does not. First every order without such a switch is run, then every one with one, and
so on up to the bound: for n actors of k blocks their number grows with (n·k)^bound, not with its factorial.

Nothing is exchanged here: the order that would stand for another may have more switches than the bound
allows (Coons, Musuvathi, McKinley, "Bounded partial-order reduction", OOPSLA 2013).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mailrace.model.errors import ScheduleDiverged, ScheduleMissed
from mailrace.steer.explore.depth_first import TRIES_MAX, Exploration, Leaf, System


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The first choices of an order, and the text of the block that each of them ran."""

    order: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()


def within_context_bound(
    system: System[Leaf],
    found: Exploration[Leaf],
    *,
    bound: int,
    orders_max: int,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[tuple[int, ...], Leaf]]:
    """Each order with at most `bound` context switches beyond the necessary ones, as (actors, what it gave).

    `found.within` is the number of switches up to which every order was run; `found` is never complete,
    for what lies beyond the bound was not looked at.
    """
    found.bound, found.within = bound, -1
    left: list[list[_Prefix]] = [[] for _ in range(bound + 1)]
    left[0].append(_Prefix())
    runs = 0
    for switches in range(bound + 1):
        while left[switches]:
            if runs >= orders_max or is_out_of_time():
                found.why_not = f"its budget of {orders_max} orders" if runs >= orders_max else "its time"
                return
            prefix = left[switches].pop()
            for tried in range(TRIES_MAX):
                runs += 1
                try:
                    order, others, leaf = _run(system, prefix)
                except ScheduleMissed as missed:
                    if isinstance(missed, ScheduleDiverged):
                        found.diverged += 1
                    found.why_not = str(missed)
                    found.missed += tried == TRIES_MAX - 1
                    continue
                for more, other in others:
                    if switches + more <= bound:
                        left[switches + more].append(other)
                found.explored += 1
                yield order, leaf
                break
        if found.missed or found.diverged:
            return
        found.within = switches
    found.why_not = f"its bound of {bound} context switches"


def _run(system: System[Leaf], prefix: _Prefix) -> tuple[tuple[int, ...], list[tuple[int, _Prefix]], Leaf]:
    """The order that goes on from the prefix without a switch; the other choices on its way, and its leaf.

    Each other choice comes with the context switches that it adds: 0 where an actor had ended.
    """
    system.restart()
    order: list[int] = []
    texts: list[str] = []
    for chosen, text in zip(prefix.order, prefix.texts, strict=True):
        if chosen not in system.enabled() or system.waiting(chosen) != text:
            raise ScheduleDiverged(f"block {len(order) + 1}: actor {chosen + 1} does not wait with {text!r}")
        system.step(chosen)
        order.append(chosen)
        texts.append(text)
    others = []
    while enabled := system.enabled():
        goes_on = bool(order) and order[-1] in enabled
        chosen = order[-1] if goes_on else enabled[0]
        waiting = {actor: system.waiting(actor) for actor in enabled}
        for actor in enabled:
            if actor != chosen:
                others.append((int(goes_on), _Prefix((*order, actor), (*texts, waiting[actor]))))
        system.step(chosen)
        order.append(chosen)
        texts.append(waiting[chosen])
    return tuple(order), others, system.finish()


def alternating(
    system: System[Leaf], found: Exploration[Leaf], *, is_out_of_time: Callable[[], bool] = lambda: False
) -> Iterator[tuple[tuple[int, ...], Leaf]]:
    """Of two actors the schedules that one shared instance chooses by itself, as (actors, what it gave).

    One actor runs so many steps alone; then they alternate, for the pool gives its connection to the one who
    waits. They need no luck to be realised, so they are worth more than any others when time is short.
    """
    for first in (0, 1):
        alone, is_within = 0, True
        while is_within:
            if is_out_of_time():
                return
            order: list[int] = []
            try:
                system.restart()
                while enabled := system.enabled():
                    goes = first if len(order) < alone or not order else 1 - order[-1]
                    order.append(goes if goes in enabled else enabled[0])
                    system.step(order[-1])
                leaf = system.finish()
            except ScheduleMissed as missed:
                found.missed += 1
                found.why_not = str(missed)
                return
            found.explored += 1
            yield tuple(order), leaf
            is_within = order[:alone].count(first) == alone
            alone += 1
