"""Programs and a store in, the graph of all states out: every schedule at once, walked without a server.

A node is what each actor was told so far and what the store holds; an edge is one actor's next step.
Schedules are paths, so they are counted by sums over the graph instead of one by one ("35 of 1,470
schedules"), and the schedule of a class that is easiest to realise is a shortest path. What the real server
did decides what is bad: the explored schedules are mapped onto the leaves, and nothing is judged here.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType

from mailrace.steer.database_proxy.executions import Schedule
from mailrace.steer.database_proxy.independence import Footprints, is_control
from mailrace.steer.database_proxy.statement_text import Names
from mailrace.steer.database_proxy.store import copied, rows, run
from mailrace.steer.explore.programs import History, Learner, PlannedStep, Programs, heard

DEPTH_MAX = 250
"""Steps of all actors together, after which the graph is left unfinished: it is walked by recursion."""
NODES_MAX = 60_000


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A state: what each actor was told so far. Equal states are one node, so nodes compare by identity.

    edges   for each actor that has a next step the state after it; a node without any is a leaf
    steps   that next step, of the same actors
    store   what the store holds, as a digest of each of its tables
    """

    histories: tuple[History, ...]
    edges: Mapping[int, "Node"] = field(default_factory=dict)
    steps: Mapping[int, PlannedStep] = field(default_factory=dict)
    store: tuple[tuple[str, str], ...] = ()

    @property
    def is_leaf(self) -> bool:
        """Whether every actor has come to its end."""
        return not self.edges

    def number(self, actor: int) -> int:
        """Steps that the actor has run."""
        return len(self.histories[actor])


@dataclass(frozen=True, slots=True)
class Graph:
    """All states that can be reached from `root`. `is_whole`: no program was missing on the way."""

    root: Node
    nodes: int
    is_whole: bool

    def leaf_of(self, schedule: Iterable[int]) -> Node | None:
        """Where a schedule ends; None: it is no path."""
        node: Node | None = self.root
        for actor in schedule:
            node = node.edges.get(actor) if node else None
        return node if node is not None and node.is_leaf else None

    def leaves(self) -> list[Node]:
        """Every leaf, each once."""
        return [n for n in self.all() if n.is_leaf]

    def all(self) -> list[Node]:
        """Every node, each once: the root first, the others in no particular order."""
        seen = {self.root: None}
        stack = [self.root]
        while stack:
            for child in stack.pop().edges.values():
                if child not in seen:
                    seen[child] = None
                    stack.append(child)
        return list(seen)


Ask = Callable[[Schedule], bool]
"""Learns what the last actor of a schedule sends there, into the programs; False: no more can be asked."""


def build(
    programs: Programs | Learner,
    actors: int,
    names: Names,
    snapshot: sqlite3.Connection,
    footprints: Footprints,
    along: Schedule | None = None,
    ask: Ask | None = None,
    until: float = inf,
) -> Graph:
    """The graph from the store in `snapshot`, which is left as it is; `names` are those of a fresh run.

    along   build only the states on this schedule, and those that one other step leads to from there, from
            which it does not go on: enough to follow the schedule where the whole graph is too large. Such a
            graph is never whole
    ask     is called where an actor's next step is not known; the programs may know more then
    until   monotonic seconds after which no more states are added
    """
    with closing(copied(snapshot)) as connection:
        return _Builder(programs, actors, names, connection, footprints, ask, until).build(along)


class _Builder:
    def __init__(
        self,
        programs: Programs | Learner,
        actors: int,
        names: Names,
        connection: sqlite3.Connection,
        footprints: Footprints,
        ask: Ask | None,
        until: float,
    ) -> None:
        self._programs = programs
        self._ask = ask
        self._until = until
        self._way: list[int] = []
        """The schedule that led to the state in hand."""
        self._names = names
        self._actors = actors
        self._connection = connection
        self._footprints = footprints
        self._nodes: dict[tuple[tuple[History, ...], tuple[tuple[str, str], ...]], Node] = {}
        self._is_whole = True

    def build(self, along: Schedule | None) -> Graph:
        root = self._node(tuple(() for _ in range(self._actors)), self._contents(), along)
        return Graph(root, len(self._nodes), self._is_whole and along is None)

    def _node(self, histories: tuple[History, ...], contents: dict[str, str], ahead: Schedule | None) -> Node:
        """The state; `ahead` is what is left of the one schedule that is followed, None: all of them are."""
        key = (histories, tuple(sorted(contents.items())))
        made = self._nodes.get(key)
        if made is not None:
            return made
        is_full = len(self._nodes) >= NODES_MAX or time.monotonic() > self._until
        if is_full or sum(map(len, histories)) > DEPTH_MAX:
            self._is_whole = False
            return Node(histories)
        # Histories only grow, so nothing below leads back here: a node is made once all below it are there.
        steps: dict[int, PlannedStep] = {}
        edges: dict[int, Node] = {}
        for actor in range(self._actors):
            known = (actor, histories[actor])
            following = self._following(histories, contents, actor, ahead)
            if following is None and known not in self._programs.endings and self._ask is not None:
                # The server itself is asked: it is run along the way to this state, and the actor next.
                if self._ask((*self._way, actor)):
                    following = self._following(histories, contents, actor, ahead)
                else:
                    self._ask = None
            if following is not None:
                steps[actor], edges[actor] = following
            elif known not in self._programs.endings:
                self._is_whole = False
        node = Node(histories, MappingProxyType(edges), MappingProxyType(steps), key[1])
        self._nodes[key] = node
        return node

    def _following(
        self, histories: tuple[History, ...], contents: dict[str, str], actor: int, ahead: Schedule | None
    ) -> tuple[PlannedStep, Node] | None:
        """The actor's next step and the state after it; None: the store answers as to no known one."""
        for step in self._programs.variants.get((actor, histories[actor]), ()):
            child = self._after(histories, contents, actor, step, ahead)
            if child is not None:
                return step, child
        return None

    def _after(
        self,
        histories: tuple[History, ...],
        contents: dict[str, str],
        actor: int,
        step: PlannedStep,
        ahead: Schedule | None,
    ) -> Node | None:
        """The state after the step; None: the store answers otherwise than this variant was told."""
        self._connection.execute("SAVEPOINT step")
        try:
            told = []
            for call in step.calls:
                if is_control(call[0]):  # the graph's own savepoints stand for it
                    told.append("0 rows")
                    continue
                told.append(heard(run(self._connection, call), self._names))
            if len(step.calls) > 1 and "; ".join(told) != step.told:
                return None
            if step.is_rolled_back:
                self._connection.execute("ROLLBACK TO step")
            footprint = self._footprints.of_step(step.calls)
            changed = {t: self._digest(t) for t in footprint.writes if t in contents}
            after = self._contents() if footprint.is_open else {**contents, **changed}
            history = (*histories[actor], "; ".join(told))
            known = (*histories[:actor], history, *histories[actor + 1 :])
            if ahead is not None and ahead[:1] != (actor,):
                return Node(known)
            self._way.append(actor)
            try:
                return self._node(known, after, None if ahead is None else ahead[1:])
            finally:
                self._way.pop()
        finally:
            self._connection.execute("ROLLBACK TO step")
            self._connection.execute("RELEASE step")

    def _contents(self) -> dict[str, str]:
        """A digest of each table; what a virtual one shows is kept in others."""
        tables = rows(self._connection, "PRAGMA main.table_list")
        names = (str(name).lower() for _, name, kind, *_ in tables if kind in ("table", "shadow"))
        return {name: self._digest(name) for name in names if not name.startswith("sqlite_")}

    def _digest(self, table: str) -> str:
        contents = sorted(map(repr, rows(self._connection, f'SELECT * FROM "{table}"')))
        return hashlib.sha256("\n".join(contents).encode()).hexdigest()


Follows = Callable[[Node, int, int], bool]
"""Whether an actor may run next at a node after another (-1: nobody yet) ran last."""


def always(_node: Node, _last: int, _actor: int) -> bool:
    """The rule of several instances: any actor that has a step may be next."""
    return True


def count_schedules(graph: Graph, allowed: Follows) -> dict[Node, int]:
    """How many schedules end in each leaf, among those whose every step is `allowed`."""
    memo: dict[tuple[Node, int], dict[Node, int]] = {}

    def counts(node: Node, last: int) -> dict[Node, int]:
        key = (node, last)
        if key not in memo:
            total: dict[Node, int] = {node: 1} if node.is_leaf else {}
            for actor, child in node.edges.items():
                if allowed(node, last, actor):
                    for leaf, number in counts(child, actor).items():
                        total[leaf] = total.get(leaf, 0) + number
            memo[key] = total
        return memo[key]

    return counts(graph.root, -1)
