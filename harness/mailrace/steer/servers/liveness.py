"""Silent instances in, which of them hang or have ended out; whatever else keeps one silent is not its fault.

A server is called dead only where it had every chance: nothing of it is held any more, our own machine lacked
nothing, no signal from outside stopped or ended it, and all its threads sleep while a request waits.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from mailrace.actors.link import Link
from mailrace.model.errors import ScheduleMissed, TargetError
from mailrace.model.own_trouble import ended_from_outside
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.proxy import DatabaseProxy, pass_all
from mailrace.steer.database_proxy.quiet import Threads, threads_of
from mailrace.steer.servers.instance import Instance

HUNG_S = 0.3
"""Longer than a statement or an answer takes: then it is asked what keeps the server silent."""
HANG_S = 3.5
PROBE_S = 0.06
"""A server that is known to hang is asked for no longer than that, for it has nothing else to do by then."""
PROBE_S_MAX = 2.0
STOPPED_S_MAX = 6.0
"""A process that somebody stopped gets that long until it goes on; what it missed is then run again."""


@dataclass(slots=True)
class Silence:
    """How long servers of a kind may be silent while all their threads sleep, before they are said to hang.

    A server that answers late sleeps, too: one that waits for a timer, or tries again after a while. So the
    first silence is waited for in full, and later ones as long as it takes a server that is known by then.

    is_proven   one was waited for in vain for all of `HANG_S`
    longest_s   of all waits, after which something came all the same
    """

    is_proven: bool = False
    longest_s: float = 0.0

    @property
    def hang_s(self) -> float:
        """So long it takes to be called a hang; in seconds."""
        return min(HANG_S, max(PROBE_S, 2 * self.longest_s)) if self.is_proven else HANG_S

    @property
    def look_s(self) -> float:
        """After so long it is looked at; in seconds."""
        return min(HUNG_S, self.hang_s)

    def is_hang(self, began: float) -> bool:
        """Whether a silence since then (monotonic) is one, with all threads asleep."""
        is_over = time.monotonic() - began >= self.hang_s
        self.is_proven = self.is_proven or is_over
        return is_over

    def ended(self, began: float) -> None:
        """Something came after a wait since then."""
        self.longest_s = max(self.longest_s, time.monotonic() - began)


def let_go(proxy: DatabaseProxy) -> None:
    """Hold nothing any more, and run whatever waits."""
    proxy.gate = pass_all
    for statement in list(proxy.waiting):
        proxy.release(statement)


def why_silent(instances: Iterable[Instance]) -> str:
    """What keeps instances silent, apart from a hang of their own, in words; "" where all sleep."""
    for instance in instances:
        threads = threads_of(instance.pid)
        if threads is not Threads.ASLEEP:
            return f"the process of {instance.target.name} is {threads}"
    return ""


def dead_among(
    loop: Loop, proxy: DatabaseProxy, instances: Iterable[Instance], silence: Silence
) -> list[Instance]:
    """Those of the instances that do not answer a request that needs their one connection.

    Dead is one whose process has ended, or whose `silence` is a hang while all its threads sleep. What is
    held is let go first. Raises ScheduleMissed where one is silent, or has ended, for another reason: that
    says nothing of the server, so the schedule is run again.
    """
    # Nothing is held any more, so whoever is alive can answer; each is asked something cheap.
    let_go(proxy)
    probes: list[tuple[Instance, Link | None]] = []
    for instance in instances:
        try:
            probes.append((instance, instance.get("/readyz", "probe")))
        except TargetError:
            probes.append((instance, None))
    links = [k for _, k in probes if k is not None]
    began = time.monotonic()
    until = began + max(PROBE_S_MAX, silence.hang_s)
    stopped_until = time.monotonic() + STOPPED_S_MAX
    while not loop.pump(lambda: all(k.is_idle for k in links), PROBE_S):
        silent = [i for i, k in probes if k is not None and not k.is_idle]
        states = {threads_of(i.pid) for i in silent}
        # A stopped process gets more time: whoever stopped it may let it go on.
        if (states == {Threads.ASLEEP} and silence.is_hang(began)) or time.monotonic() > (
            stopped_until if Threads.STOPPED in states else until
        ):
            break
    else:
        silence.ended(began)
    # Silent are those that have ended, or did not answer. It is theirs only if nothing else explains it.
    dead = [i for i, link in probes if link is None or not link.is_idle or i.how_it_ended]
    why = why_silent(dead)
    for link in links:
        if not link.is_idle:
            link.give_up()
    if proxy.trouble or why:
        raise ScheduleMissed(proxy.trouble or why)
    for instance in dead:
        if outside := ended_from_outside(instance.how_it_ended):
            raise ScheduleMissed(f"the process of {instance.target.name} was ended {outside}")
    return dead
