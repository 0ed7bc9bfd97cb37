"""What the schedules of a round come to: classes executed on real servers, schedules counted in the graph."""

import itertools
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import TargetError
from mailrace.steer.database_proxy.executions import Execution, Schedule
from mailrace.steer.explore.bad_ends import run_in_words
from mailrace.steer.explore.graph import Follows, Graph, Node, always, build, count_schedules
from mailrace.steer.explore.habits import Habits
from mailrace.steer.explore.judge import Judge, class_of, learn_serial
from mailrace.steer.explore.model_walk import Model, ModelWalk
from mailrace.steer.explore.observer import NOBODY, Observer
from mailrace.steer.explore.programs import Learner, Programs
from mailrace.steer.explore.search import MANY, Extent, search
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.soundness import doubt_of, that_come_twice, unexplored
from mailrace.steer.explore.strategy import Coverage
from mailrace.steer.servers.rest import rest_differs
from mailrace.steer.servers.round import Round


class Counted(NamedTuple):
    """How many schedules there are, how many of them are bad, and how many show each anomaly."""

    schedules: int = 0
    bad: int = 0
    by_name: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpace:
    """What was explored of a round. It is a value: nothing is written into it once it is made.

    actors       the actors' names, by index
    executions   one schedule of each class, as the servers executed it
    violating    those that break a promise, each with the leaf of the graph that it ends in
    bad_leaves   what is broken in each such leaf; any other leaf of the graph is a good outcome
    habits       what was learnt of whose statements are whose, for whoever runs its schedules again
    is_predicted the graph was walked without a server, and not every class of its schedules was run
    doubt        why an outcome may have been left out although every class that showed was run; "" if nothing
    seconds      what took how long
    """

    actors: tuple[str, ...]
    judge: Judge
    coverage: Coverage
    programs: Programs
    graph: Graph
    executions: tuple[Execution, ...]
    violating: tuple[tuple[Execution, Node], ...]
    bad_leaves: Mapping[Node, frozenset[AnomalyName]]
    doubt: str
    seconds: Mapping[str, float]
    habits: Habits = field(default_factory=Habits)
    is_predicted: bool = False

    @property
    def classes(self) -> int:
        """Classes that were run: of the schedules within a bound, several may be of one class."""
        return self.coverage.explored if self.coverage.is_complete else len(self.executions)

    @property
    def is_exhaustive(self) -> bool:
        """All classes explored, none missed, no budget hit: computed, never asserted."""
        found = self.coverage
        return found.is_complete and found.missed == 0 and found.explored > 0 and not self.doubt

    @property
    def anomalies(self) -> frozenset[AnomalyName]:
        """Everything that some schedule breaks."""
        return frozenset().union(*self.bad_leaves.values())

    def is_mapped(self, execution: Execution) -> bool:
        """Whether the graph can say that one instance never comes to its leaf: only a whole one can."""
        return self.graph.is_whole and self.graph.leaf_of(execution.schedule) is not None

    def reached(self, allowed: Follows) -> set[Node]:
        """The leaves that an allowed schedule comes to."""
        return set(count_schedules(self.graph, allowed))

    def count(self, allowed: Follows = always) -> Counted:
        """The schedules whose every step is allowed."""
        counts = count_schedules(self.graph, allowed)
        by_name: Counter[str] = Counter()
        for leaf, number in counts.items():
            by_name.update({name.value: number for name in sorted(self.bad_leaves.get(leaf, ()))})
        bad = sum(number for leaf, number in counts.items() if leaf in self.bad_leaves)
        return Counted(sum(counts.values()), bad, dict(by_name))

    def only(self, name: AnomalyName) -> "StateSpace":
        """The same with only those of the violating classes that show the anomaly."""
        bad = tuple((run, leaf) for run, leaf in self.violating if name in self.bad_leaves[leaf])
        return replace(self, violating=bad)


def explore(round_: Round, extent: Extent, observer: Observer = NOBODY) -> StateSpace:
    """Run the serial orders, then every class of schedules on separate instances. Raises TargetError."""
    separate = SeparateInstances(round_)
    began = time.monotonic()
    judge, serial = learn_serial(separate, round_.rig.options)
    last = serial[-1]  # a server that hides its store from REST is not clean, whatever its tables say
    is_seen = not (round_.views.trouble or last.has_ended_badly)
    differs = rest_differs(round_.rig, last.record.stored) if is_seen else ""
    serial_s = time.monotonic() - began

    # The judge knows what may come out, so each schedule can be judged as soon as it has run. Every one also
    # shows what its actors send next for what they were told: from that the graph is built later.
    began = time.monotonic()
    learner = Learner()
    executions: dict[Schedule, Execution] = {}
    numbers = itertools.count(1)
    models: list[Model] = []

    def keep(schedule: Schedule, execution: Execution) -> None:
        # Few switches may come to a schedule that was run before: that it was bad once is not forgotten.
        if schedule not in executions or judge.names(execution):
            executions[schedule] = execution
        observer.executed(next(numbers), execution, judge)

    def take(schedule: Schedule, execution: Execution) -> None:
        learner.see(execution)
        keep(schedule, execution)

    def predict() -> str:
        if len(round_.actors) > MANY:
            return ""
        walk = ModelWalk(separate, learner, keep, time.monotonic() + extent.model_s_max)
        for one in serial:
            learner.see(one)
        model = walk.model()
        told = run_in_words(walk, model, list(executions.values()))
        if model.graph.is_whole and not walk.doubt:
            models.append(model)
        return f", then {told}"

    separate.habits.watch(round_.rig.proxy)
    coverage = search(separate, len(round_.actors), extent, take, predict)
    kept, once = that_come_twice(separate, list(executions.values()))
    separate.end()
    if not kept:
        name = round_.rig.instances[0].target.name
        raise TargetError(f"{name}: no schedule could be run: {coverage.why_not}")
    seconds = {"serial": serial_s, "explore": time.monotonic() - began}
    doubt = round_.views.trouble or differs or once or doubt_of(separate, coverage, learner.programs())
    model = models[0] if models and not doubt else None
    space = _mapped(round_, judge, coverage, learner.programs(), kept, doubt, seconds, model)
    return replace(space, habits=separate.habits)


def _mapped(
    round_: Round,
    judge: Judge,
    coverage: Coverage,
    programs: Programs,
    executions: Sequence[Execution],
    doubt: str,
    seconds: Mapping[str, float],
    model: Model | None,
) -> StateSpace:
    """What was executed with the graph of all states, and what the graph says against it.

    model   of a round that was too large for every schedule: its graph then stands for all states
    """
    began = time.monotonic()
    is_mapped = coverage.is_complete or len(round_.actors) == 2
    graph = graph_of(round_, programs) if is_mapped else Graph(Node(((),) * len(round_.actors)), 1, False)
    if model is not None and not is_mapped:
        graph = model.graph
    # The graph exchanges nothing, so it checks the search: whatever it knows of and the search did not come
    # to is a doubt. With a doubt of any kind not all was looked at, however well the search ended.
    if coverage.is_complete:
        doubt = doubt or unexplored(graph, executions)
    if doubt:
        coverage = replace(coverage, is_complete=False, within=-1, trouble=doubt)
    if not coverage.is_complete or len(executions) > coverage.explored:
        executions = _one_of_each(executions, graph)  # schedules that few switches gave may repeat a class
    violating, bad_leaves = _violations(executions, graph, judge)
    if model is not None:
        # One schedule of each outcome was run. That its other schedules are as bad is predicted.
        bad_leaves |= {o: bad_leaves[b] for b in [*bad_leaves] for o in model.alike(b) if o not in bad_leaves}
    return StateSpace(
        actors=round_.actors,
        judge=judge,
        coverage=coverage,
        programs=programs,
        graph=graph,
        executions=tuple(executions),
        violating=violating,
        bad_leaves=MappingProxyType(bad_leaves),
        doubt=doubt,
        seconds=MappingProxyType({**seconds, "graph": time.monotonic() - began}),
        is_predicted=model is not None and not is_mapped,
    )


def graph_of(round_: Round, programs: Programs, along: Schedule | None = None) -> Graph:
    """All states from the round's store, by what the programs say; or those `along` one schedule."""
    footprints = round_.rig.footprints
    return build(programs, len(round_.actors), round_.names_in_graph(), round_.snapshot, footprints, along)


def _violations(
    executions: Sequence[Execution], graph: Graph, judge: Judge
) -> tuple[tuple[tuple[Execution, Node], ...], dict[Node, frozenset[AnomalyName]]]:
    """The executions that break a promise with the leaf of each; and what is broken in each such leaf."""
    violating = []
    bad_leaves: dict[Node, frozenset[AnomalyName]] = {}
    for execution in executions:
        if names := judge.names(execution):
            # A graph that is not whole may lack the leaf; the bad schedule stands all the same.
            leaf = graph.leaf_of(execution.schedule) or Node(())
            bad_leaves[leaf] = bad_leaves.get(leaf, frozenset()) | names
            violating.append((execution, leaf))
    return tuple(violating), bad_leaves


def _one_of_each(executions: Sequence[Execution], graph: Graph) -> list[Execution]:
    """One execution of each class: all actors told the same, and the same left in the store."""
    known: dict[object, Execution] = {}
    for execution in executions:
        known.setdefault(graph.leaf_of(execution.schedule) or class_of(execution), execution)
    return list(known.values())
