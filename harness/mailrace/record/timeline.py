"""Takes the operations of a finding; gives what is drawn: these, and what ran beside them."""

from dataclasses import dataclass

from mailrace.record.recorded import Recorded
from mailrace.record.suite import Suite

BESIDE_NS = 50_000_000
"""How much time is drawn before and after each operation of a finding."""
DRAWN_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One bar of a timeline, seconds since the record began.

    process     "12 (python)", or "" where it is not known
    is_guilty   it is part of the finding; else it only ran beside it
    """

    label: str
    process: str
    connection: int
    begun_s: float
    ended_s: float
    is_guilty: bool


def timeline(suite: Suite, guilty: tuple[Recorded, ...]) -> tuple[Drawn, ...]:
    """The operations of a finding and what ran beside them, in the order of their starts.

    Where not all others fit, those that overlapped with an operation of the finding are preferred to those
    near one.
    """
    ours = {one.number for one in guilty}
    spans = [(one.invoked_ns - BESIDE_NS, one.completed_ns + BESIDE_NS) for one in guilty]
    near = [
        one
        for one in suite.operations
        if any(one.invoked_ns < until and one.completed_ns > since for since, until in spans)
        and one.number not in ours
    ]
    near.sort(key=lambda one: not any(one.overlaps(each) for each in guilty))
    shown = guilty[:DRAWN_MAX]
    chosen = sorted((*shown, *near[: DRAWN_MAX - len(shown)]), key=lambda one: one.invoked_ns)
    return tuple(_drawn(suite, one, one.number in ours) for one in chosen)


def _drawn(suite: Suite, one: Recorded, is_guilty: bool) -> Drawn:
    connected = suite.connections.get(one.connection)
    return Drawn(
        label=f"{one.kind} {one.code or 'no reply'}",
        process=f"{connected.pid} ({connected.process})" if connected and connected.pid else "",
        connection=one.connection,
        begun_s=(one.invoked_ns - suite.begun.t_ns) / 1e9,
        ended_s=(one.completed_ns - suite.begun.t_ns) / 1e9,
        is_guilty=is_guilty,
    )
