"""A recorded witness and a target in, whether that very schedule still fails out: in k of n runs.

On another version the schedule may not exist, for its statements are others. Since a pair is explored in less
than a second, the question is then answered from all of that version's schedules.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import UsageError
from mailrace.model.operation import ServerOptions
from mailrace.model.result import ScheduleWitness, Witness
from mailrace.model.target_name import TargetName
from mailrace.steer.causes.grounds import grounds_of
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Follows, always
from mailrace.steer.explore.judge import ENDS
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.put_to_the_test import why_not_put_to_the_test
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.state_space import StateSpace, explore
from mailrace.steer.one_instance.exclusions import Points
from mailrace.steer.one_instance.pairs import look_on_one
from mailrace.steer.one_instance.realise import Effort
from mailrace.steer.one_instance.realiser import Realiser
from mailrace.steer.one_instance.recorded_schedule import on_separate, on_shared, schedule_of
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round, round_on
from mailrace.steer.steering import EXPLORE_S_MAX, opener_of, seconds_left

REALISE_S_MAX = 60.0


class Word(StrEnum):
    """What a replay answers."""

    STILL_FAILS = "STILL FAILS"
    FIXED = "FIXED"
    COULD_NOT_RUN = "COULD NOT RUN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleReplay:
    """The answer: the anomaly came in `hits` of `runs` runs of the schedule; `missed` ones say nothing.

    sentence   how that was found, with the versions
    outcomes   what the runs came to, in words, with how often
    """

    word: Word
    hits: int
    runs: int
    missed: int
    sentence: str
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """How a witness is replayed.

    recorded_on   the target on which it was recorded, in words
    times         how often its schedule is run
    deadline      monotonic seconds after which no run begins, so there may be fewer
    """

    recorded_on: str = ""
    times: int
    gomaxprocs: int | None = None
    deadline: float | None = None


def replay_schedule(
    witness: Witness,
    target: str | TargetName,
    options: ServerOptions,
    request: ReplayRequest,
    *,
    contents: Mapping[str, bytes] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> ScheduleReplay:
    """Run the witness's schedule on the target; one that is missed is tried again, then counted as missed.

    Raises UsageError for a witness without a schedule, TargetError where the target fails.
    """
    schedule = witness.schedule
    if schedule is None:
        raise UsageError(f"round {witness.record.index}: it was raced, not steered; replay it natively")
    plan, name = witness.record.plan, witness.anomaly.name
    opener = opener_of(target, options, None, request.gomaxprocs)
    # Where it hung in a race, its serial orders may hang too, and that clears nothing.
    rig = Rig(opener, contents or {}, options, is_fresh=name in ENDS)
    try:
        rig.start(len(plan.operations))
        where = f"running on {target} ({rig.instances[0].target.info.version})"
        if request.recorded_on:
            where = f"recorded on {request.recorded_on}, {where}"
        extent = Extent(seconds_max=min(EXPLORE_S_MAX, max(1.0, seconds_left(request.deadline))))
        with round_on(rig, plan) as round_:
            space = explore(round_, extent, Observer(progress=progress))
            return _Replay(round_, space, schedule, name, where, request, progress).answer()
    finally:
        rig.stop()


@dataclass(frozen=True, slots=True)
class _Replay:
    round_: Round
    space: StateSpace
    recorded: ScheduleWitness
    name: AnomalyName
    where: str
    request: ReplayRequest
    progress: Callable[[str], None]

    @property
    def is_shared(self) -> bool:
        """Whether actors shared an instance."""
        return self.recorded.instances < len(self.round_.actors)

    def answer(self) -> ScheduleReplay:
        """First the recorded schedule; where that does not come or is good, all of this version."""
        names = list(self.round_.actors)
        is_hung = self.name is AnomalyName.HANG
        schedule = schedule_of(self.recorded, self.space.graph, names, is_hung=is_hung)
        # What one instance keeps together is seen at its release points; it rules schedules out.
        shared = SharedInstance(self.round_, self.space.graph)
        allowed: Follows = always
        points = Points((), 0, {})
        if self.is_shared and len(names) == 2:
            seen = look_on_one(self.round_, self.space)
            shared, points, allowed = seen.shared, seen.points, seen.exclusions.allow
        # This version can follow the recorded schedule where it is a path of its graph. It is run again then.
        runs: list[Execution] = []
        missed = self.request.times
        if schedule is not None:
            once = (
                on_shared(shared, schedule, allowed)
                if self.is_shared
                else on_separate(self.round_, schedule, self.space)
            )
            runs, missed = self._runs(once)
        # One hit is enough to say that it still fails; without any the other schedules have to be asked.
        judge = self.space.judge
        outcomes = Counter(", ".join(sorted(judge.names(run))) or "good" for run in runs)
        hits = sum(1 for run in runs if self.name in judge.names(run))
        if hits:
            word, why = (
                Word.STILL_FAILS,
                f"{self.name} in {hits} of {len(runs)} runs of the recorded schedule",
            )
        else:
            said = f"{self.name} in 0 of {len(runs)} runs of the recorded schedule"
            if schedule is None:
                said = "this version does not follow the recorded schedule"
            word, why = self._by_all(said, shared, allowed, points)
        if missed and schedule is not None:
            why += f"; {missed} runs missed the schedule and count for nothing"
        return ScheduleReplay(
            word=word,
            hits=hits,
            runs=len(runs),
            missed=missed,
            sentence=f"{why}; {self.where}",
            outcomes=outcomes,
        )

    def _runs(self, once: Callable[[], Execution | None]) -> tuple[list[Execution], int]:
        """The runs that came, and how many did not; the first few misses end it where nothing else came."""
        runs, missed = [], 0
        self.round_.rig.silence.forget()
        for number in range(1, self.request.times + 1):
            if seconds_left(self.request.deadline) == 0.0:
                break
            self.progress(f"run {number} of {self.request.times}")
            run = once()
            if run is None:
                missed += 1
            else:
                runs.append(run)
            if missed > max(3, self.request.times // 4) and not runs:
                break
        return runs, missed

    def _by_all(
        self, said: str, shared: SharedInstance, allowed: Follows, points: Points
    ) -> tuple[Word, str]:
        """What all schedules of this version say, after what was `said` of the recorded one."""
        bad = self.space.only(self.name)
        if bad.violating:
            seconds_max = min(REALISE_S_MAX, seconds_left(self.request.deadline))
            effort = Effort(until=time.monotonic() + seconds_max, one_of_each="anomaly")
            grounds = grounds_of(bad, allowed)
            realiser = Realiser(self.round_, bad, grounds, effort, Observer(progress=self.progress))
            shown = realiser.on_one(shared, allowed) if self.is_shared else realiser.on_separate()
            if shown.realised:
                witness = shown.witnesses[0].schedule
                text = witness.text if witness is not None else ""
                return Word.STILL_FAILS, f"{said}, but another of its schedules shows it: {text}"
            if shown.unrealised:
                return Word.COULD_NOT_RUN, f"{said}; other schedules may show it and were not realised"
        # What one instance keeps in its memory shows at its release points only, and in no explored schedule.
        if any(self.name in self.space.judge.names(run) for _, run in points.runs):
            return Word.COULD_NOT_RUN, f"{said}; one instance shows it at a release point: steer this version"
        if points.missed and self.space.graph.is_whole:
            return Word.COULD_NOT_RUN, f"{said}; {points.in_words}"
        found, on_one = self.space.coverage, " on one instance" if self.is_shared else ""
        if not found.is_complete or found.missed:
            return Word.COULD_NOT_RUN, f"{said}; its schedules were not all explored, for {found.why_not}"
        if why := self.space.doubt or why_not_put_to_the_test(self.space):
            return Word.COULD_NOT_RUN, f"{said}; {why}"
        return Word.FIXED, f"{said}; none of this version's {found.explored} classes shows it{on_one}"
