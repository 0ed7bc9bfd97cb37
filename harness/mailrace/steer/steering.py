"""A scenario and a target in, a `ScenarioResult` out: every schedule walked, each bad one shown for real.

First every class of schedules is explored, each actor at an instance of its own; then what one shared
instance keeps together is found; then each violating class is realised on as many instances as the scenario
asks for. `docs/steer-inside.md` follows one scenario through it.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path

from mailrace.history import Journal
from mailrace.model.errors import UsageError
from mailrace.model.operation import Send, ServerOptions
from mailrace.model.request import OneOfEach
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.target import Target
from mailrace.model.time_limit import CUT_OFF
from mailrace.scenario import Plan, Scenario, new_run, not_exercised, server_options, why_not_applicable
from mailrace.steer.causes.grounds import grounds_of
from mailrace.steer.explore.graph import always
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.random_walk import DEPTH
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.state_space import StateSpace, explore
from mailrace.steer.one_instance.pairs import Pair, several
from mailrace.steer.one_instance.realisations import Realisations, Summary
from mailrace.steer.one_instance.realiser import Realiser
from mailrace.steer.one_instance.shrink import is_shrinkable
from mailrace.steer.result.scenario_result import not_steerable, scenario_result
from mailrace.steer.servers.marks import plain, with_own_spellings
from mailrace.steer.servers.rig import Rig
from mailrace.targets import TargetName, open_target, parse_target

SCHEDULES_MAX = 20_000
EXPLORE_S_MAX = 60.0
REALISE_S_MAX = 120.0
INSTANCES_MAX = 16
GOMAXPROCS = 4


def steer(
    scenario: Scenario,
    target: str | TargetName,
    *,
    seed: int = 0,
    budget: int | None = None,
    bound: int | None = None,
    depth: int = DEPTH,
    replay: str = "mailrace replay reports/latest",
    progress: Callable[[str], None] = lambda _: None,
    folder: Path | None = None,
    gomaxprocs: int | None = None,
    realise_s_max: float = REALISE_S_MAX,
    one_of_each: OneOfEach = "cause",
    deadline: float | None = None,
    journal: Journal | None = None,
) -> ScenarioResult:
    """Walk every schedule of one round of the scenario on a target that mailrace starts itself.

    seed      draws the round, as in a race
    budget    at most so many orders are run (default 20,000; 60 s in any case)
    bound     only orders with at most so many context switches beyond the necessary ones
    depth     of the random walk where three or more actors are too many for every order (PCT)
    replay    the command that replays a witness of this run, without `--round`
    progress  is told in sentences what goes on
    folder    where the servers' logs are kept
    one_of_each   of each anomaly, root cause or class one is realised, the easiest; all are counted
    journal   is told of each schedule, realisation and witness at once, so that a kill loses none
    deadline  monotonic seconds at which the walk ends, finished or not; None: its own limits hold
    Raises UsageError for a target that is not ours to start, TargetError where it cannot be had or fails.
    """
    target = parse_target(target)
    if target.kind == "url":
        raise UsageError(f"{target}: steer holds a server's statements, so it needs one that mailrace starts")
    plan = Plan(scenario, seed, new_run(f"steer/{seed}/{scenario.name}".encode()))
    planned = plain(with_own_spellings(plan.round(0)))
    options = server_options(scenario)
    if why := why_not_steerable(scenario):
        return not_steerable(scenario, why)
    rig = Rig(
        opener_of(target, options, folder, gomaxprocs),
        planned,
        plan.domain,
        plan.contents,
        options,
        is_fresh=scenario.target.fresh,
    )
    try:
        rig.start(len(planned.operations))
        version = rig.instances[0].target.info.version
        if why := why_not_applicable(scenario, version):
            return not_exercised(scenario, Verdict.NOT_APPLICABLE, why, "steer")
        if seconds_left(deadline) == 0.0:
            reason = f"{CUT_OFF} before a schedule was run"
            return not_exercised(scenario, Verdict.INCONCLUSIVE, reason, "steer")
        extent = Extent(
            schedules_max=budget or SCHEDULES_MAX,
            seconds_max=min(EXPLORE_S_MAX, max(1.0, seconds_left(deadline))),
            seed=seed,
            bound=bound,
            depth=depth,
        )
        space = explore(rig, extent, Observer(progress=progress, journal=journal))
        summary = _show(
            rig,
            options,
            space,
            replay,
            progress,
            min(realise_s_max, seconds_left(deadline)),
            one_of_each,
            journal,
        )
    finally:
        rig.stop()
    return scenario_result(scenario, summary)


def why_not_steerable(scenario: Scenario) -> str:
    """Why steer has nothing to say of the scenario, in a clause; "" where it has."""
    operations = Plan(scenario, 0, "mr00000000").round(0).operations
    if any(isinstance(o, Send) and o.lead is not None for o in operations):
        return "it is about one session's own commands, not about an order of statements"
    if len(operations) > INSTANCES_MAX:
        return f"{len(operations)} actors; steer takes at most {INSTANCES_MAX}"
    return ""


def _show(
    rig: Rig,
    options: ServerOptions,
    space: StateSpace,
    replay: str,
    progress: Callable[[str], None],
    realise_s_max: float,
    one_of_each: OneOfEach,
    journal: Journal | None,
) -> Summary:
    """What the landscape comes to on the instances that are asked for."""
    actors = len(rig.planned.operations)
    summary = Summary(
        space, Realisations(), options.instances, actors, {"start": rig.start_s, **space.seconds}
    )
    until = time.monotonic() + realise_s_max
    began = time.monotonic()
    if options.instances >= actors:
        grounds = grounds_of(space, always)
        realiser = Realiser(rig, space, replay, until, progress, grounds, journal=journal)
        summary.shown = realiser.on_separate(SeparateInstances(rig))
        summary.count(always)
    elif actors == 2:
        pair = Pair(rig, options, replay, until, progress, one_of_each, journal)
        pair.walk(space, summary)
        if summary.shown.realised and is_shrinkable(rig.planned):
            summary.shown.witnesses = pair.smaller(summary) or summary.shown.witnesses
    else:
        several(Pair(rig, options, replay, until, progress, one_of_each, journal), space, summary)
    summary.seconds["realise"] = time.monotonic() - began - summary.seconds.get("release_points", 0.0)
    return summary


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
