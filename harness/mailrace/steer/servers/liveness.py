"""Silent instances in, which of them hang or have ended out; whatever else keeps one silent is not its fault.

A server is called dead only where it had every chance: nothing of it is held any more, our own machine lacked
nothing, no signal from outside stopped or ended it, and all its threads sleep while a request waits.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from mailrace.actors.link import Link
from mailrace.model.errors import ScheduleMissed, TargetError
from mailrace.model.own_trouble import ended_from_outside
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.proxy import DatabaseProxy, pass_all
from mailrace.steer.database_proxy.quiet import Threads, threads_of
from mailrace.steer.database_proxy.rqlite import Answer, Done, Failed, Rows
from mailrace.steer.database_proxy.statement_text import is_background, text_of
from mailrace.steer.servers.instance import Instance

HUNG_S = 0.3
"""Longer than a statement or an answer takes: then it is asked what keeps the server silent."""
HANG_S = 3.5
PROBE_S = 0.06
"""A server that is known to hang is asked for no longer than that, for it has nothing else to do by then."""
ASKED = "asked: "
"""Of a place: there nothing is under way, and what the server was asked waits for its one connection."""
VALUE_CHARS_MAX = 8
STOPPED_S_MAX = 6.0
"""A process that somebody stopped gets that long until it goes on; what it missed is then run again."""


@dataclass(slots=True)
class Silence:
    """How long servers of a kind may be silent while all their threads sleep, before they are said to hang.

    A server that answers late sleeps, too: one that waits for a timer, or tries again after a while. So at
    each place the first silence is waited for in full, and later ones there as long as it takes a server that
    is known by then. That it hangs at one place says nothing of another, where it may only be slow.

    proven      places at which one was waited for in vain for all of `HANG_S`, see `place_of`; where a server
                did not even answer when it was `ASKED`, whatever waits at that place waits in vain
    longest_s   of all waits, after which something came all the same
    """

    proven: set[str] = field(default_factory=set)
    longest_s: float = 0.0

    @property
    def look_s(self) -> float:
        """After so long it is looked at; in seconds."""
        return min(HUNG_S, self._known_s) if self.proven else HUNG_S

    @property
    def _known_s(self) -> float:
        return min(HANG_S, max(PROBE_S, 2 * self.longest_s))

    def is_hang(self, began: float, place: str) -> bool:
        """Whether a silence since then (monotonic) is one, with all threads asleep."""
        waited_s = time.monotonic() - began
        if waited_s >= HANG_S:
            self.proven.add(place)
        is_known = not self.proven.isdisjoint((place, f"{ASKED}{place}"))
        return waited_s >= (self._known_s if is_known else HANG_S)

    def forget(self) -> None:
        """Wait in full again at every place: what is to be shown of a server must not rest on another order.

        Two orders may come to one place, and only one of them hangs.
        """
        self.proven.clear()

    def ended(self, began: float) -> None:
        """Something came after a wait since then."""
        self.longest_s = max(self.longest_s, time.monotonic() - began)


def place_of(proxy: DatabaseProxy, instances: Iterable[Instance]) -> str:
    """Where silent instances are: the last statement of each that ran, and what it was told.

    Long texts and large numbers are left out: an ID or an instant is another one in each run. What came
    before is left out as well, or each class of schedules that hang would be waited for in full.
    """
    places = []
    for instance in instances:
        ran = (s for s in reversed(proxy.journal) if s.instance == instance.index and s.answers)
        last = next((s for s in ran if not is_background(s)), None)
        told = () if last is None else (text_of(last.sql), *map(_in_short, last.answers))
        places.append(repr(told))
    return ", ".join(sorted(places))


def _in_short(answer: Answer) -> object:
    match answer:
        case Rows():
            return [[v if len(str(v)) <= VALUE_CHARS_MAX else "…" for v in row] for row in answer.rows]
        case Done():
            return answer.rows_affected
        case Failed():
            return answer.text


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
    until = began + HANG_S
    stopped_until = time.monotonic() + STOPPED_S_MAX
    while not loop.pump(lambda: all(k.is_idle for k in links), PROBE_S):
        silent = [i for i, k in probes if k is not None and not k.is_idle]
        states = {threads_of(i.pid) for i in silent}
        place = f"{ASKED}{place_of(proxy, silent)}"
        # A stopped process gets more time: whoever stopped it may let it go on.
        if (states == {Threads.ASLEEP} and silence.is_hang(began, place)) or time.monotonic() > (
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
