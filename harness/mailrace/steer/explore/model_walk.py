"""A round of three or more actors in, every outcome that its schedules can have out: a prediction.

The graph of all states is walked without a server, by the programs that the actors were seen to run. What
that assumes: what an actor sends next is a function of what it was told so far, and the statements do in our
SQLite what they did for the server. A program has the branches that were seen so far. Where the walk comes to
another, the real server is run along the way to it, and the branch is learnt. So nothing in the graph is
guessed, but that a schedule is put together of steps that were seen in other schedules is a prediction.

A prediction judges nothing. Of each outcome one schedule is run on the real servers and judged there, and the
run is held against what was predicted of it. Never is a walk of this kind called exhaustive.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mailrace.model.asked import Effect
from mailrace.model.errors import ScheduleDiverged
from mailrace.steer.database_proxy.executions import Execution, Schedule
from mailrace.steer.database_proxy.independence import NOTHING, Footprint
from mailrace.steer.explore.graph import Graph, Node, build
from mailrace.steer.explore.judge import class_of
from mailrace.steer.explore.programs import Learner
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.strategy import TRIES_MAX, Budget, Coverage, System, run_schedules
from mailrace.steer.servers.round import Round

Outcome = tuple[object, ...]
"""The class of each actor's reply, what its words may hang on, and what the store holds."""
Take = Callable[[Schedule, Execution], None]


class Along:
    """See `Strategy`: one schedule that begins as given; then whoever went last goes on while it can.

    The last of the beginning may have ended by then: that is what it was run to learn.
    """

    def __init__(self, beginning: Schedule) -> None:
        self._beginning = beginning
        self._is_left = True

    def begin(self) -> bool:
        """See `Strategy`."""
        is_left, self._is_left = self._is_left, False
        return is_left

    def choose(self, system: System[object], schedule: Schedule) -> int:
        """See `Strategy`."""
        enabled = system.enabled()
        if len(schedule) < len(self._beginning):
            wanted = self._beginning[len(schedule)]
            if wanted in enabled:
                return wanted
            if len(schedule) + 1 < len(self._beginning):
                raise ScheduleDiverged(f"step {len(schedule) + 1}: actor {wanted + 1} has ended")
        return schedule[-1] if schedule and schedule[-1] in enabled else enabled[0]

    def end(self, schedule: Schedule) -> None:
        """See `Strategy`."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """All states of a round by what its actors were seen to do.

    ends      every outcome that is predicted, with the leaves of the graph that have it
    ways      a schedule to each state
    asked     schedules that were run to learn a branch
    """

    graph: Graph
    ends: Mapping[Outcome, tuple[Node, ...]]
    ways: Mapping[Node, Schedule]
    asked: int

    @cached_property
    def outcomes(self) -> Mapping[Node, Outcome]:
        """The outcome of each leaf."""
        return {leaf: outcome for outcome, leaves in self.ends.items() for leaf in leaves}

    def alike(self, leaf: Node) -> tuple[Node, ...]:
        """All leaves of the outcome that a leaf has; none of what is no end of this model."""
        return self.ends[self.outcomes[leaf]] if leaf in self.outcomes else ()

    @property
    def schedules(self) -> int:
        """How many schedules are predicted in all."""
        left: dict[Node, int] = {}
        for node in sorted(self.ways, key=lambda one: -len(self.ways[one])):
            left[node] = sum(left[child] for child in node.edges.values()) if node.edges else 1
        return left[self.graph.root]

    def shown_by_pairs(self) -> frozenset[Outcome]:
        """Outcomes of schedules in which one actor runs alone before or after all others."""
        root = self.graph.root
        everyone = range(len(root.histories))
        leaves: set[Node] = set()
        for alone in everyone:
            others = frozenset(everyone) - {alone}
            leaves.update(_ends_of(_ends_of([root], {alone}), others))
            leaves.update(_ends_of(_ends_of([root], others), {alone}))
        return frozenset(self.outcomes[leaf] for leaf in leaves if leaf in self.outcomes)


@dataclass(slots=True)
class ModelWalk:
    """Walks a round without a server, and asks the servers where it has to.

    learner    what was seen of the actors so far, which is added to
    take       is given each schedule that is run on the servers
    until      monotonic seconds after which nothing new begins
    coverage   of the runs on the servers
    astray     runs that came to another end than was predicted of them
    """

    separate: SeparateInstances
    learner: Learner
    take: Take
    until: float
    coverage: Coverage = field(default_factory=Coverage)
    astray: int = 0

    def model(self) -> Model:
        """Every state, as far as there is time for it."""
        round_ = self.separate.round_
        before = self.coverage.runs
        graph = build(
            self.learner,
            len(round_.actors),
            round_.names_in_graph(),
            round_.snapshot,
            round_.rig.footprints,
            ask=self._asked,
            until=self.until,
        )
        ways = _ways_through(graph)
        operations = round_.planned.operations
        shows = [bool(o.effect & (Effect.SHOWS | Effect.POLLS)) for o in operations]
        ends: dict[Outcome, list[Node]] = {}
        for leaf in filter(self._is_end, ways):
            replies = [self.learner.endings[one] for one in enumerate(leaf.histories)]
            # What a reply says hangs on all that a reader was told; that of a refusal, on what came last.
            said = tuple(
                told if is_shown else told[-1:] if reply[:1] != "2" else ()
                for told, is_shown, reply in zip(leaf.histories, shows, replies, strict=True)
            )
            ends.setdefault((*replies, said, leaf.store), []).append(leaf)
        every = {outcome: tuple(leaves) for outcome, leaves in ends.items()}
        return Model(graph=graph, ends=every, ways=ways, asked=self.coverage.runs - before)

    def run(self, model: Model, leaf: Node) -> Execution | None:
        """A schedule to that leaf, run on the servers; None: it was missed, or came to another end."""
        found = self._along(model.ways[leaf])
        if found is None or found.has_ended_badly or class_of(found)[:-1] == leaf.histories:
            return found
        self.astray += 1
        return None

    @property
    def is_out_of_time(self) -> bool:
        """Whether nothing new may begin."""
        return time.monotonic() > self.until

    @property
    def doubt(self) -> str:
        """Why what was predicted may be wrong, in words; "" if nothing says so."""
        if strays := self.separate.habits.strays_in_words:
            return strays
        if self.learner.conflicts:
            return f"{self.learner.conflicts} times an actor that was told the same went on differently"
        if self.astray:
            return f"{self.astray} schedules came to another end than their programs say"
        return self.coverage.trouble

    def _is_end(self, node: Node) -> bool:
        return node.is_leaf and all(one in self.learner.endings for one in enumerate(node.histories))

    def _asked(self, way: Schedule) -> bool:
        if self.is_out_of_time:
            return False
        self._along(way)
        return True

    def _along(self, beginning: Schedule) -> Execution | None:
        found: list[Execution] = []

        def taken(schedule: Schedule, execution: Execution) -> None:
            self.learner.see(execution)
            found.append(execution)
            self.take(schedule, execution)

        budget = Budget(schedules_max=TRIES_MAX)
        one = run_schedules(self.separate, Along(beginning), budget, taken)
        self.coverage = self.coverage.and_then(one)
        return found[0] if found else None


def _ways_through(graph: Graph) -> dict[Node, Schedule]:
    """A schedule to each state, the root first."""
    ways: dict[Node, Schedule] = {graph.root: ()}
    stack = [graph.root]
    while stack:
        node = stack.pop()
        for actor, child in node.edges.items():
            if child not in ways:
                ways[child] = (*ways[node], actor)
                stack.append(child)
    return ways


def _ends_of(nodes: Iterable[Node], actors: Collection[int]) -> set[Node]:
    """Where these actors come to their end, if only they go on from there."""
    stack = list(nodes)
    seen, ends = set(stack), set()
    while stack:
        node = stack.pop()
        children = [child for actor, child in node.edges.items() if actor in actors]
        if not children:
            ends.add(node)
        for child in children:
            if child not in seen:
                seen.add(child)
                stack.append(child)
    return ends


def is_apart(round_: Round, executions: Sequence[Execution]) -> bool:
    """Whether one of the actors shares no table with the others that one of them writes."""
    footprints = round_.rig.footprints
    each: list[Footprint] = [NOTHING] * len(round_.actors)
    for run in executions:
        for step in run.steps:
            for statement in step.statements:
                each[step.actor] |= footprints.of_step(statement.calls)
    return any(
        all(not (mine.is_open or its.is_open) and mine.is_apart_from(its) for its in others)
        for mine, others in ((one, [*each[:at], *each[at + 1 :]]) for at, one in enumerate(each))
    )
