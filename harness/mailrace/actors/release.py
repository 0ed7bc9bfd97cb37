"""Takes links whose actors are held; lets all of them go together, with one synchronous `send` each."""

import time
from collections.abc import Callable, Iterable

from mailrace.actors.link import Link

LEAD_NS = 20_000


def release_together(links: list[Link], offsets_us: list[float]) -> tuple[int, float]:
    """Release every link's held byte at a common instant plus its offset, in one loop of this thread.

    Returns the common instant (monotonic ns) and the skew: the spread, in µs, of the real releases around
    their planned instants. The lead before the first release is short: while this thread spins, the server
    has one processor fewer to begin on (ARCHITECTURE.md).
    """
    order = sorted(range(len(links)), key=offsets_us.__getitem__)
    start_ns = time.monotonic_ns() + LEAD_NS - int(min(offsets_us) * 1000)
    due = [start_ns + int(offsets_us[i] * 1000) for i in range(len(links))]
    stamps = [0] * len(links)
    clock = time.monotonic_ns
    for i in order:
        at = due[i]
        while clock() < at:
            pass
        stamps[i] = links[i].release()
    for i in order:
        conversation = links[i].conversation
        if conversation is not None:
            conversation.released(stamps[i])
    late = [stamps[i] - due[i] for i in order]
    return start_ns, (max(late) - min(late)) / 1000


def all_idle(links: Iterable[Link]) -> Callable[[], bool]:
    """Whether the conversation of each link is over, for `Loop.run`."""
    return _all(links, lambda link: link.is_idle)


def all_prepared(links: Iterable[Link]) -> Callable[[], bool]:
    """Whether each link is prepared, or its conversation ended before that, for `Loop.run`."""
    return _all(links, lambda link: link.is_prepared or link.is_idle)


def _all(links: Iterable[Link], is_there: Callable[[Link], bool]) -> Callable[[], bool]:
    """Asked often, so a link that is there is not asked again."""
    waiting = list(links)

    def are_there() -> bool:
        while waiting and is_there(waiting[-1]):
            waiting.pop()
        return not waiting

    return are_there
