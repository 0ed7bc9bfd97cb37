"""A scenario and a target in, a `ScenarioResult` out: every schedule walked, each bad one shown for real.

First every class of schedules is explored, each actor at an instance of its own; then what one shared
instance keeps together is found; then each violating class is realised on as many instances as the scenario
asks for. `docs/steer-inside.md` follows one scenario through it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from mailrace.model.errors import ScheduleMissed, UsageError
from mailrace.model.operation import Send, ServerOptions
from mailrace.model.request import Steering
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.target import Target
from mailrace.model.time_limit import CUT_OFF
from mailrace.scenario import (
    Plan,
    Scenario,
    any_round,
    new_run,
    not_exercised,
    server_options,
    why_not_applicable,
)
from mailrace.steer.explore.observer import NOBODY, Observer
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.state_space import StateSpace, explore
from mailrace.steer.one_instance.pairs import walk_pair, walk_separate, with_smallest
from mailrace.steer.one_instance.realisations import Summary
from mailrace.steer.one_instance.realise import Effort
from mailrace.steer.one_instance.several import walk_several
from mailrace.steer.result.scenario_result import not_steerable, scenario_result
from mailrace.steer.servers.marks import plain, with_own_spellings
from mailrace.steer.servers.rig import LookedBehind, Rig
from mailrace.steer.servers.round import Round, round_on
from mailrace.targets import TargetName, open_target, parse_target

SCHEDULES_MAX = 20_000
EXPLORE_S_MAX = 60.0
REALISE_S_MAX = 120.0
INSTANCES_MAX = 16
GOMAXPROCS = 1
"""A statement runs only when all is quiet, so a server with more threads would only spend time on them."""
STEERING = Steering()


@dataclass(frozen=True, slots=True, kw_only=True)
class SteerRequest:
    """How one scenario is steered.

    seed            draws the round, as in a race
    steering        what a person asks of it: how many schedules, which, and what of them is realised
    explore_s_max   schedules are run for at most so long; realise_s_max: and shown on one server
    replay          the command that replays a witness of this run, without `--round`
    folder          where the servers' logs are kept
    deadline        monotonic seconds at which the walk ends, finished or not; None: its own limits hold
    looked_behind   see `Rig`: the walks of one session share what they know of their server
    """

    seed: int = 0
    steering: Steering = STEERING
    replay: str = "mailrace replay reports/latest"
    folder: Path | None = None
    gomaxprocs: int | None = None
    explore_s_max: float = EXPLORE_S_MAX
    realise_s_max: float = REALISE_S_MAX
    deadline: float | None = None
    looked_behind: LookedBehind = field(default_factory=set)

    @property
    def extent(self) -> Extent:
        """How much is explored, if that begins now."""
        seconds_max = min(self.explore_s_max, max(1.0, seconds_left(self.deadline)))
        return Extent(
            schedules_max=self.steering.budget or SCHEDULES_MAX,
            seconds_max=seconds_max,
            model_s_max=0.5 * seconds_max,
            sample_s_max=seconds_max / 5,
            seed=self.seed,
            bound=self.steering.bound,
            depth=self.steering.depth,
        )

    @property
    def effort(self) -> Effort:
        """How much is realised, if that begins now."""
        seconds_max = min(self.realise_s_max, seconds_left(self.deadline))
        return Effort(
            until=time.monotonic() + seconds_max, one_of_each=self.steering.one_of_each, replay=self.replay
        )


def steer(
    scenario: Scenario,
    target: str | TargetName,
    request: SteerRequest | None = None,
    *,
    observer: Observer = NOBODY,
) -> ScenarioResult:
    """Walk every schedule of one round of the scenario on a target that mailrace starts itself.

    Raises UsageError for a target that is not ours to start, TargetError where it is not available or fails.
    """
    request = request or SteerRequest()
    target = parse_target(target)
    if target.kind == "url":
        raise UsageError(f"{target}: steer holds a server's statements, so it needs one that mailrace starts")
    if why := why_not_steerable(scenario):
        return not_steerable(scenario, why)
    plan = Plan(scenario, request.seed, new_run(f"steer/{request.seed}/{scenario.name}".encode()))
    planned = plain(with_own_spellings(plan.round(0)))
    options = server_options(scenario)
    opener = opener_of(target, options, request.folder, request.gomaxprocs)
    rig = Rig(
        opener,
        plan.contents,
        options,
        is_fresh=scenario.target.fresh,
        looked_behind=request.looked_behind,
    )
    try:
        rig.start(len(planned.operations))
        version = rig.instances[0].target.info.version
        if why := why_not_applicable(scenario, version):
            return not_exercised(scenario, Verdict.NOT_APPLICABLE, why, "steer")
        if seconds_left(request.deadline) == 0.0:
            reason = f"{CUT_OFF} before a schedule was run"
            return not_exercised(scenario, Verdict.INCONCLUSIVE, reason, "steer")
        # First everything that the statements allow, then what one server does of it for real.
        with round_on(rig, planned) as round_:
            space = explore(round_, request.extent, observer)
            summary = show(round_, space, request.effort, observer)
    except ScheduleMissed as missed:
        # A single one that is missed is run again; this one was, and the walk cannot go on without it.
        reason = f"a schedule that the walk needs could not be run: {missed}"
        return not_exercised(scenario, Verdict.INCONCLUSIVE, reason, "steer")
    finally:
        rig.stop()
    return scenario_result(scenario, summary)


def why_not_steerable(scenario: Scenario) -> str:
    """Why steer has nothing to say of the scenario, in a clause; "" where it has."""
    planned = any_round(scenario)
    operations = planned.operations
    if any(message.image_bytes for message in planned.given):
        return "it is about messages with images, which newer servers keep in memory, not about statements"
    if any(isinstance(o, Send) and o.lead is not None for o in operations):
        return "it is about one session's own commands, not about an order of statements"
    if len(operations) > INSTANCES_MAX:
        return f"{len(operations)} actors; steer takes at most {INSTANCES_MAX}"
    return ""


def show(round_: Round, space: StateSpace, effort: Effort, observer: Observer) -> Summary:
    """What the state space comes to on as many instances as are asked for."""
    began = time.monotonic()
    if round_.rig.options.instances >= len(round_.actors):
        summary = walk_separate(round_, space, effort, observer)
    elif len(round_.actors) == 2:
        summary = walk_pair(round_, space, effort, observer).summary
        # Where only what breaks is asked for, as by a gate, a smaller round that shows it says no more.
        if effort.one_of_each != "anomaly":
            summary = with_smallest(round_, summary, effort, observer)
    else:
        summary = walk_several(round_, space, effort, observer)
    points_s = summary.seconds.get("release_points", 0.0)
    spent = {"start": round_.rig.start_s, **space.seconds, **summary.seconds}
    return replace(summary, seconds={**spent, "realise": time.monotonic() - began - points_s})


def seconds_left(deadline: float | None) -> float:
    """Until a monotonic deadline, 0 where it is over; infinite without one."""
    return inf if deadline is None else max(0.0, deadline - time.monotonic())


def opener_of(
    target: TargetName | str, options: ServerOptions, folder: Path | None, gomaxprocs: int | None
) -> Callable[[str], Target]:
    """Each instance is started with the scenario's options, as the only one of its target."""
    alone = replace(options, instances=1)

    def opened(database: str) -> Target:
        return open_target(
            target, alone, gomaxprocs=gomaxprocs or GOMAXPROCS, folder=folder, database=database
        )

    return opened
