"""A rig in, what its orders can come to out: classes explored for real, orders counted by the graph."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from mailrace.history import Journal, ScheduleRun
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import Outcome
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.steer.database_proxy.blocks import Run, actor_names, stretches_in_words
from mailrace.steer.explore.context_bound import within_context_bound
from mailrace.steer.explore.depth_first import Exploration
from mailrace.steer.explore.graph import Follows, Graph, Node, build, count_orders
from mailrace.steer.explore.judge import Judge, in_words, learn_serial
from mailrace.steer.explore.programs import Programs, told
from mailrace.steer.explore.random_walk import DEPTH
from mailrace.steer.explore.separate_instances import SeparateInstances, follow
from mailrace.steer.explore.strategies import (
    ENDS_AGAIN_MAX,
    MANY,
    MANY_S_MAX,
    depth_and_few_switches,
    sampled,
)
from mailrace.steer.servers.rest import rest_differs
from mailrace.steer.servers.rig import Rig


@dataclass(slots=True)
class StateSpace:
    """What was explored. `violating` holds the bad classes, each with the leaf that it ends in.

    doubt   why an outcome may have been left out although every class that showed was run; "" if nothing
    """

    judge: Judge
    exploration: Exploration[Run]
    programs: Programs
    graph: Graph
    runs: list[Run]
    violating: list[tuple[Run, Node]]
    bad_leaves: dict[Node, frozenset[AnomalyName]]
    doubt: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        """Classes that were run: of the orders within a bound, several may be of one class."""
        return self.exploration.explored if self.exploration.is_complete else len(self.runs)

    def reached(self, allowed: Follows) -> set[Node]:
        """The leaves that an allowed order comes to."""
        return set(count_orders(self.graph, allowed))

    def orders(self, allowed: Follows) -> tuple[int, int, dict[str, int]]:
        """How many orders are allowed, how many of them are bad, and how many show each anomaly."""
        counts = count_orders(self.graph, allowed)
        by_name: dict[str, int] = {}
        for leaf, number in counts.items():
            for name in sorted(self.bad_leaves.get(leaf, ())):
                by_name[name.value] = by_name.get(name.value, 0) + number
        bad = sum(n for leaf, n in counts.items() if leaf in self.bad_leaves)
        return sum(counts.values()), bad, by_name


def explore_space(
    rig: Rig,
    options: ServerOptions,
    *,
    orders_max: int,
    seconds_max: float,
    seed: int = 0,
    bound: int | None = None,
    depth: int = DEPTH,
    progress: Callable[[str], None] = lambda _: None,
    journal: Journal | None = None,
) -> StateSpace:
    """Run the serial orders, then every class of orders on separate instances. Raises TargetError.

    bound   only orders with at most so many context switches beyond the necessary ones (`bounded`)
    depth   of the seeded random walk that follows where three or more actors are too many for the budget and
            there is no bound (`walk`)
    """
    separate = SeparateInstances(rig)
    began = time.monotonic()
    judge, serial_runs = learn_serial(separate, options)
    # What users see comes by REST: a server that hides its store there is not clean, whatever its tables say.
    last = serial_runs[-1].record
    hidden = "" if last.hung or last.crashed else rest_differs(rig, last.stored)
    serial_s = time.monotonic() - began
    actors = len(rig.planned.operations)
    is_short = actors > MANY and bound is None
    limit_s = min(seconds_max, MANY_S_MAX) if is_short else seconds_max
    exploration: Exploration[Run] = Exploration()
    programs = Programs()
    runs: list[Run] = []
    began = time.monotonic()

    def is_out_of_time(share: float = 1.0) -> bool:
        return time.monotonic() - began > share * limit_s

    explorer = depth_and_few_switches if bound is None else partial(within_context_bound, bound=bound)
    for _, run in explorer(
        separate,
        exploration,
        orders_max=orders_max,
        is_out_of_time=is_out_of_time,
    ):
        programs.learn(run.blocks, run.names, {a.actor: a.reply_class for a in run.record.attempts})
        runs.append(run)
        if journal is not None:
            journal.schedule(_noted(len(runs), run, judge))
        if len(runs) % 25 == 0:
            progress(f"{len(runs)} {'classes' if bound is None else 'orders'} explored")
    if actors > 2 and bound is None and not exploration.is_complete:
        known = {run.order for run in runs}
        runs += sampled(separate, exploration, programs, actors, seed, depth, known, progress)
    runs, once = _that_come_twice(separate, runs)
    separate.end()
    explore_s = time.monotonic() - began
    if not runs:
        raise TargetError(f"{rig.instances[0].target.name}: no order could be run: {exploration.why_not}")
    began = time.monotonic()
    is_mapped = exploration.is_complete or actors == 2
    graph = graph_of(rig, programs) if is_mapped else Graph(Node(((),) * actors), 1, False)
    doubt = hidden or once or _doubt(separate, exploration, programs)
    if exploration.is_complete:
        doubt = doubt or unexplored(graph, runs)
    if doubt:
        exploration.is_complete, exploration.within, exploration.why_not = False, -1, doubt
    if not exploration.is_complete or len(runs) > exploration.explored:
        runs = _one_of_each(runs, graph)  # orders that few switches gave may repeat a class
    bad: dict[Node, frozenset[AnomalyName]] = {}
    violating = []
    for run in runs:
        names = judge.names(run)
        if names:
            # A graph that is not whole may lack the leaf; the bad order stands all the same.
            leaf = graph.leaf_of(run.order) or Node(())
            bad[leaf] = bad.get(leaf, frozenset()) | names
            violating.append((run, leaf))
    seconds = {"serial": serial_s, "explore": explore_s, "graph": time.monotonic() - began}
    return StateSpace(judge, exploration, programs, graph, runs, violating, bad, doubt, seconds)


def _noted(number: int, run: Run, judge: Judge) -> ScheduleRun:
    names = tuple(sorted(judge.names(run)))
    shown = stretches_in_words(run.order, actor_names(run))
    return ScheduleRun(number=number, schedule=shown, outcome=in_words(run), anomalies=names)


def graph_of(rig: Rig, programs: Programs, along: tuple[int, ...] | None = None) -> Graph:
    """All states from the round's store, by what the programs say; or those `along` one schedule."""
    return build(programs, len(rig.planned.operations), rig.names(), rig.snapshot, rig.footprints, along)


def why_not_put_to_the_test(land: StateSpace) -> str:
    """Why clean schedules say nothing: promises that break anyhow, or that were never made; else ""."""
    if broken := ", ".join(land.judge.broken_serially):
        also = "shows when the operations run one after the other as well"
        return f"{broken} {also}: a broken promise, not a race"
    accepted = {
        run.record.plan.operations[a.actor].kind
        for run in land.runs
        for a in run.record.attempts
        if a.outcome is Outcome.OK
    }
    untried = next((o.kind for o in land.runs[0].record.plan.operations if o.kind not in accepted), "")
    return f"no {untried} was ever accepted, so no promise was put to the test" if untried else ""


def _that_come_twice(separate: SeparateInstances, runs: list[Run]) -> tuple[list[Run], str]:
    """The runs without those that hung or crashed once only, and a sentence on these; "" if there are none.

    A hang counts where the same schedule hangs again. After a few that did, the others are believed.
    """
    kept, confirmed, once = [], 0, 0
    for run in runs:
        if (run.record.hung or run.record.crashed) and confirmed < ENDS_AGAIN_MAX:
            again = follow(separate, run)
            if again is None or not (again.record.hung or again.record.crashed):
                once += 1
                continue
            confirmed += 1
        kept.append(run)
    return kept, f"{once} of its schedules hung or crashed, and not when run again" if once else ""


def _doubt(separate: SeparateInstances, exploration: Exploration[Run], programs: Programs) -> str:
    """Why an explored order may not stand for the others of its class; "" if nothing says so.

    Actors have to be functions of what they are told, and every statement has to run where it was chosen to.
    """
    if separate.strays:
        return f"{separate.strays} statements that came before or after their operation, when nobody chose it"
    if exploration.diverged:
        return exploration.why_not
    if programs.conflicts:
        return f"{programs.conflicts} times an actor that was told the same went on differently"
    return ""


def unexplored(graph: Graph, runs: list[Run]) -> str:
    """What the graph knows of that no explored class came to, in words; "" if nothing.

    The graph walks every order without exchanging any: it checks the explorer, as the explorer feeds it.
    """
    if not graph.is_whole:
        return "a statement came up whose actor was never seen in that position"
    whole = [run for run in runs if not run.record.hung and not run.record.crashed]
    ends = [graph.leaf_of(run.order) for run in whole]
    if None in ends:
        return f"{ends.count(None)} orders that were run and that the graph of their states does not know"
    left = set(graph.leaves()) - set(ends) - {graph.leaf_of(run.order) for run in runs}
    return f"{len(left)} outcomes of its orders that no explored class came to" if left else ""


def _one_of_each(runs: list[Run], graph: Graph) -> list[Run]:
    """One run of each class: all actors told the same, and the same left in the store."""
    known: dict[object, Run] = {}
    for run in runs:
        heard: list[list[str]] = [[] for _ in run.record.plan.operations]
        for block in run.blocks:
            heard[block.actor].append(told(block.statements, run.names))
        known.setdefault(graph.leaf_of(run.order) or (str(heard), in_words(run)), run)
    return list(known.values())
