"""A class of the graph in, the same outcome on ONE unmodified instance out, and then again ten times.

First the schedule that is easiest to repeat is planned, of all that give every actor the same answers and the
store the same contents; where that does not come, any of them is taken. What came is then the recorded
schedule, and each later run has to equal it. A try ends at its first wrong draw, so that thousands are cheap.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mailrace.model.choices import OneOfEach
from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Follows, Node
from mailrace.steer.one_instance.planned_schedule import Draws, PlannedSchedule
from mailrace.steer.one_instance.routes import likely_schedules
from mailrace.steer.one_instance.shared_instance import SharedInstance

TRIES_MAX = 20_000
"""Of a realisation, and of all its repeats together; the time ends most before."""
REPEATS = 10
SCHEDULES = 8
"""So many schedules of a class are weighed against each other."""
SURE = 7.0
"""Tries times chance after which a class is given up: 1 of 1,100 would not have come by then."""
CHUNK = 25
"""Tries after which what was seen of the draws is taken into summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is realised.

    until         monotonic seconds after which no try begins
    one_of_each   of each anomaly, root cause or class one is realised, the easiest
    replay        the command that replays a witness, but for its round
    """

    until: float
    one_of_each: OneOfEach = "cause"
    replay: str = "mailrace replay reports/latest"


@dataclass(frozen=True, slots=True)
class Realised:
    """How it went. `runs`: the first, then its repeats, each of the recorded schedule.

    tries         it took to come to the class the first time (or that were spent in vain)
    repeat_tries  of each repeat; the last may be one that did not come
    chance        of a try, by the pool's rule and what was seen of it
    """

    runs: tuple[Execution, ...]
    tries: int
    repeat_tries: tuple[int, ...]
    seconds: float
    chance: float = 1.0

    @property
    def is_realised(self) -> bool:
        """Whether the class was shown on one instance."""
        return bool(self.runs)


def realise(
    shared: SharedInstance,
    target: Node,
    allowed: Follows,
    *,
    is_bad: Callable[[Execution], bool],
    draws: Draws | None = None,
    tries_max: int = TRIES_MAX,
    is_out_of_time: Callable[[], bool] = lambda: False,
) -> Realised:
    """Bring one instance to the leaf, in at most `tries_max` tries; then repeat the schedule that came.

    is_bad   says of a run whether it shows what is looked for; one that does not is no witness
    draws    what was seen of the pool so far, which is added to
    The repeats together have `tries_max` tries.
    """
    began, graph = time.monotonic(), shared.graph
    attempt = _Attempt(shared, draws or Draws(), is_out_of_time)
    # A hang is shown only where this very instance was silent for as long as a hang takes.
    shared.rig.silence.forget()
    # The likeliest schedules to the leaf are tried first, and then any way that leads there.
    schedules = likely_schedules(graph, target, allowed, SCHEDULES)
    routes = [PlannedSchedule.along(graph, schedule, allowed, attempt.draws) for schedule in schedules]
    anyhow = [PlannedSchedule(graph, target, allowed, draws=attempt.draws)]
    first, kept = None, anyhow
    for kept in (routes, anyhow) if routes else (anyhow,):
        first = attempt.run(kept, tries_max - attempt.tries, is_bad)
        if first is not None:
            break
    tries, chance = attempt.tries, max(plan.chance for plan in (*routes, *anyhow))
    if first is None:
        return Realised((), tries, (), time.monotonic() - began, chance)
    # It came. The same schedule is run again and again, which shows how well it repeats.
    runs = [first]
    repeat_tries: list[int] = []
    # A server that hangs leaves its schedule unfinished: what was planned is then all there is to repeat.
    is_whole = graph.leaf_of(first.schedule) is not None
    exactly = (
        [PlannedSchedule.along(graph, first.schedule, allowed, attempt.draws)] if is_whole else [attempt.plan]
    )
    for _ in range(REPEATS):
        before = attempt.tries
        again = attempt.run(exactly, tries_max - sum(repeat_tries), lambda _: True, is_patient=True)
        repeat_tries.append(attempt.tries - before)
        if again is None:
            break
        runs.append(again)
    return Realised(tuple(runs), tries, tuple(repeat_tries), time.monotonic() - began, exactly[0].chance)


@dataclass(slots=True)
class _Attempt:
    """Tries of one class, counted. `plan`: the one that was tried last."""

    shared: SharedInstance
    draws: Draws
    is_out_of_time: Callable[[], bool]
    tries: int = 0
    plan: PlannedSchedule = field(init=False)

    def run(
        self,
        plans: list[PlannedSchedule],
        tries_max: int,
        is_wanted: Callable[[Execution], bool],
        *,
        is_patient: bool = False,
    ) -> Execution | None:
        """The first run that keeps the likeliest of the plans and is wanted; None: none came.

        is_patient   only `tries_max` and the time end it, not what the chance would have it take
        """
        hoped, until = 0.0, self.tries + tries_max
        while hoped < SURE or is_patient:
            self.plan = max(plans, key=lambda plan: plan.chance)
            chance = self.plan.chance
            if chance == 0.0:
                return None
            # The chance is worked out anew only after some tries, for that takes as long as many of them.
            for _ in range(CHUNK):
                if self.is_out_of_time() or self.tries >= until:
                    return None
                self.tries += 1
                hoped += chance
                seen = dict(self.draws.seen)
                try:
                    run = self.shared.run(self.plan, looks=1)
                except ScheduleMissed:
                    if self.shared.is_disturbed:
                        self.draws.seen = seen  # the pool drew among more than were seen to wait
                    continue
                if is_wanted(run):
                    return run
        return None
