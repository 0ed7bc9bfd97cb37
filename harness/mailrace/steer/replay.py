"""A recorded witness and a target in, whether its schedule still fails out: the very order, again, k of n.

On another version the order may not exist, for its statements are others. Since a pair is explored in less
than a second, the question is then answered from all of that version's orders.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import ScheduleMissed, UsageError
from mailrace.model.operation import ServerOptions, messages_of
from mailrace.model.result import ScheduleWitness, Witness
from mailrace.model.target_name import TargetName
from mailrace.steer.causes.grounds import grounds_of
from mailrace.steer.database_proxy.attribution import text_of
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Follows, Graph, always
from mailrace.steer.explore.judge import ENDS
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.separate_instances import SeparateInstances, follow
from mailrace.steer.explore.state_space import StateSpace, explore, why_not_put_to_the_test
from mailrace.steer.one_instance.exclusions import Exclusions, run_release_points
from mailrace.steer.one_instance.planned_schedule import PlannedSchedule
from mailrace.steer.one_instance.realiser import Realiser
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.servers.rig import Rig
from mailrace.steer.steering import EXPLORE_S_MAX, opener_of, seconds_left

TIMES = 10
TRIES_A_RUN = 40
REALISE_S_MAX = 60.0


class Word(StrEnum):
    """What a replay answers."""

    STILL_FAILS = "STILL FAILS"
    FIXED = "FIXED"
    COULD_NOT_RUN = "COULD NOT RUN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleReplay:
    """The answer: the anomaly came in `hits` of `runs` runs of the recorded order; `missed` ones say nothing.

    sentence   how that was found, with the versions
    outcomes   what the runs came to, in words, with how often
    """

    word: Word
    hits: int
    runs: int
    missed: int
    sentence: str
    outcomes: Mapping[str, int]


def replay_schedule(
    witness: Witness,
    target: str | TargetName,
    options: ServerOptions,
    *,
    contents: Mapping[str, bytes] | None = None,
    recorded_on: str = "",
    times: int = TIMES,
    folder: Path | None = None,
    gomaxprocs: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
    deadline: float | None = None,
) -> ScheduleReplay:
    """Run the witness's order `times` times on the target (a miss is tried again, then counted as missed).

    No run begins after the monotonic `deadline`, so there may be fewer.
    Raises UsageError for a witness without a schedule, TargetError where the target fails.
    """
    schedule = witness.schedule
    if schedule is None:
        raise UsageError(f"round {witness.record.index}: it was raced, not steered; replay it natively")
    plan = witness.record.plan
    domain = next((m.domain for m in messages_of(plan).values()), "mr.test")
    rig = Rig(opener_of(target, options, folder, gomaxprocs), plan, domain, contents or {}, options)
    # Where it hung in a race, its serial orders may hang too, and that clears nothing.
    rig.is_fresh = witness.anomaly.name in ENDS
    try:
        rig.start(len(plan.operations))
        version = rig.instances[0].target.info.version
        where = f"running on {target} ({version})"
        if recorded_on:
            where = f"recorded on {recorded_on}, {where}"
        extent = Extent(seconds_max=min(EXPLORE_S_MAX, max(1.0, seconds_left(deadline))))
        space = explore(rig, extent, Observer(progress=progress))
        return _Replay(rig, space, schedule, witness.anomaly.name, where, times, progress, deadline).answer()
    finally:
        rig.stop()


@dataclass(slots=True)
class _Replay:
    rig: Rig
    space: StateSpace
    schedule: ScheduleWitness
    name: AnomalyName
    where: str
    times: int
    progress: Callable[[str], None]
    deadline: float | None

    def answer(self) -> ScheduleReplay:
        """First the recorded order; where that cannot be had or is good, all orders of this version."""
        names = [o.key for o in self.rig.planned.operations]
        order = order_of(self.schedule, self.space.graph, names, is_hung=self.name is AnomalyName.HANG)
        is_shared = self.schedule.instances < len(names)
        single = SharedInstance(self.rig, self.space.graph)
        allowed: Follows = always
        if is_shared and len(names) == 2:
            run_release_points(single)
            allowed = Exclusions.seen(single, self.space.programs).allow
        runs, missed = [], 0
        if order is not None:
            again = self._on_one(single, order, allowed) if is_shared else self._on_separate(order)
            for number in range(1, self.times + 1):
                if seconds_left(self.deadline) == 0.0:
                    break
                self.progress(f"run {number} of {self.times}")
                run = again()
                missed += run is None
                runs += [run] if run is not None else []
                if missed > max(3, self.times // 4) and not runs:
                    break
        outcomes: dict[str, int] = {}
        for run in runs:
            told = ", ".join(sorted(self.space.judge.names(run))) or "good"
            outcomes[told] = outcomes.get(told, 0) + 1
        hits = sum(1 for run in runs if self.name in self.space.judge.names(run))
        word, why = self._word(hits, len(runs), order is not None, single, allowed, is_shared=is_shared)
        if missed:
            why += f"; {missed} runs missed the order and count for nothing"
        return ScheduleReplay(
            word=word,
            hits=hits,
            runs=len(runs),
            missed=missed if order is not None else self.times,
            sentence=f"{why}; {self.where}",
            outcomes=outcomes,
        )

    def _on_one(
        self, single: SharedInstance, order: tuple[int, ...], allowed: Follows
    ) -> Callable[[], Execution | None]:
        course = PlannedSchedule.along(self.space.graph, order, allowed)

        def again() -> Execution | None:
            if course.chance == 0.0:
                return None
            for _ in range(TRIES_A_RUN):
                try:
                    return single.run(course, is_calm=course.chance > 0.3)
                except ScheduleMissed:
                    continue
            return None

        return again

    def _on_separate(self, order: tuple[int, ...]) -> Callable[[], Execution | None]:
        separate = SeparateInstances(self.rig)
        known = next((run for run in self.space.executions if run.schedule == order), None)

        def again() -> Execution | None:
            if known is not None:
                return follow(separate, known)
            try:
                separate.restart()
                for actor in order:
                    if actor not in separate.enabled():
                        return None
                    separate.step(actor)
                return separate.finish() if not separate.enabled() else None
            except ScheduleMissed:
                return None

        return again

    def _word(
        self,
        hits: int,
        runs: int,
        has_order: bool,
        single: SharedInstance,
        allowed: Follows,
        *,
        is_shared: bool,
    ) -> tuple[Word, str]:
        if hits:
            return Word.STILL_FAILS, f"{self.name} in {hits} of {runs} runs of the recorded order"
        said = f"{self.name} in 0 of {runs} runs of the recorded order"
        if not has_order:
            said = "this version does not send the recorded statements in that order"
        space = self.space
        bad = space.only(self.name)
        realiser = Realiser(
            self.rig,
            bad,
            "",
            time.monotonic() + min(REALISE_S_MAX, seconds_left(self.deadline)),
            self.progress,
            grounds_of(bad, allowed),
            "anomaly",
        )
        if bad.violating:
            shown = (
                realiser.on_one(single, allowed)
                if is_shared
                else realiser.on_separate(SeparateInstances(self.rig))
            )
            if shown.realised:
                text = shown.witnesses[0].schedule.text if shown.witnesses[0].schedule else ""
                return Word.STILL_FAILS, f"{said}, but another of its orders shows it: {text}"
            if shown.unrealised:
                return Word.COULD_NOT_RUN, f"{said}; other orders may show it and were not realised"
        found, on_one = space.coverage, " on one instance" if is_shared else ""
        if found.is_complete and not found.missed and (why := why_not_put_to_the_test(space)):
            return Word.COULD_NOT_RUN, f"{said}; {why}"
        if found.is_complete and not found.missed:
            return Word.FIXED, f"{said}; none of this version's {found.explored} classes shows it{on_one}"
        return Word.COULD_NOT_RUN, f"{said}; its orders were not all explored, for {found.why_not}"


def order_of(
    schedule: ScheduleWitness, graph: Graph, names: list[str], *, is_hung: bool = False
) -> tuple[int, ...] | None:
    """The recorded order as a path of the graph, block by block; None: other statements are sent here.

    is_hung   the server hung in it, so what the others would still have sent is made up
    """
    steps = [s for s in schedule.steps if not s.background]
    node, order, at = graph.root, [], 0
    while at < len(steps):
        actor = names.index(steps[at].actor) if steps[at].actor in names else -1
        block = node.steps.get(actor)
        if block is None:
            return None
        here = [(s.actor, s.sql) for s in steps[at : at + len(block.calls)]]
        if here != [(steps[at].actor, text_of(sql)) for sql, _ in block.calls]:
            return None
        order.append(actor)
        at += len(block.calls)
        node = node.edges[actor]
    while is_hung and not node.is_leaf:
        order.append(min(node.edges))
        node = node.edges[order[-1]]
    return tuple(order) if node.is_leaf else None
