"""Takes runs of release points; gives what one instance keeps together: its transactions and its locks.

At a release point all is quiet, and one actor waits. A pool always hands the connection to the one that
waits. If the other actor goes on instead, the waiting one must be waiting for something else, such as a lock.
What was seen between two texts is taken to hold wherever these texts meet.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from mailrace.model.errors import ScheduleMissed
from mailrace.model.phrases import plural
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.database_proxy.quiet import LOOKS
from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.explore.programs import Programs
from mailrace.steer.one_instance.scheduler import GO_ON, Decision
from mailrace.steer.one_instance.sections import Section, section_of
from mailrace.steer.one_instance.shared_instance import SharedInstance

TRIES = 3
SEEN_MIN = 2
"""How often a section has to be seen kept together."""


@dataclass(frozen=True, slots=True)
class ReleasePoint:
    """Schedule `second@first:k`: the second actor's last byte goes out while the first's k-th step is held.

    k 0: it goes out before the first actor's own.
    """

    actor: int
    other: int
    step: int

    def first(self) -> int:
        """See `Scheduler`."""
        return self.actor

    def hold(self, node: Node, actor: int, released: frozenset[int], decoys: int) -> Decision:
        """See `Scheduler`."""
        is_now = actor == self.actor and node.number(actor) + 1 == self.step
        return Decision(release=(self.other,)) if is_now and self.other not in released else GO_ON

    def idle(self, node: Node, released: frozenset[int]) -> int:
        """See `Scheduler`."""
        return self.other

    def choose(self, node: Node, last: int, able: tuple[int, ...]) -> int | None:
        """See `Scheduler`. As a pool of one connection would: after the release they alternate."""
        if node.number(self.actor) + 1 < self.step and self.actor in able:
            return self.actor
        if node.number(self.actor) < self.step and last != self.other and self.other in able:
            return self.other
        return next((a for a in able if a != last), able[0])


def release_points(graph: Graph) -> Iterator[ReleasePoint]:
    """All of a pair: each actor first, the other at each of its steps when it runs alone."""
    for actor in (0, 1):
        node, steps = graph.root, 0
        while actor in node.edges:
            node, steps = node.edges[actor], steps + 1
        for step in range(1, steps + 1):
            yield ReleasePoint(actor, 1 - actor, step)


@dataclass(frozen=True, slots=True)
class Points:
    """The release points of a pair.

    runs     each point that was not missed, with its run
    missed   how many were, in three tries; `why_missed`: the first of them, in words
    origin   where each section that was kept together was seen first
    """

    runs: tuple[tuple[ReleasePoint, Execution], ...]
    missed: int
    origin: Mapping[Section, ReleasePoint]
    why_missed: str = ""

    @property
    def in_words(self) -> str:
        """How many were missed, and why; "" if none was."""
        if not self.missed:
            return ""
        return f"{plural(self.missed, 'release point')} missed: {self.why_missed}"


def run_release_points(shared: SharedInstance) -> Points:
    """Each release point of a pair run once, again where it was missed.

    A point where something was kept together is run again until that was seen `SEEN_MIN` times, or was let
    through: a waiter that came late once looks like a lock, and a lock makes bad schedules not count.
    """
    found = []
    missed: list[str] = []
    origin: dict[Section, ReleasePoint] = {}
    # What comes behind a reply is not on its way at once, so a brisk look says nothing of it.
    run_one = _run if has_late_steps(shared.graph) else _brisk_or_careful
    for point in release_points(shared.graph):
        run = run_one(shared, point)
        for section in shared.sections.together:
            origin.setdefault(section, point)
        if isinstance(run, str):
            missed.append(run)
        else:
            found.append((point, run))
    for _ in range(SEEN_MIN):
        seldom = {g for g, n in shared.sections.together.items() if n < SEEN_MIN}
        doubtful = seldom - shared.sections.entered
        for point in {origin[section]: None for section in sorted(doubtful, key=str) if section in origin}:
            _run(shared, point)
            for section in shared.sections.together:
                origin.setdefault(section, point)
    return Points(tuple(found), len(missed), origin, next(iter(missed), ""))


def has_late_steps(graph: Graph) -> bool:
    """Whether an actor goes on when it was answered."""
    return any(step.is_late for node in graph.all() for step in node.steps.values())


def look_again(
    shared: SharedInstance, locks: "Exclusions", points: Points, leaves: Iterable[Node]
) -> "Exclusions":
    """The locks that are left when the waiting actor has `PATIENCE_S` to come: a slow one is not locked out.

    Only locks that keep one of the `leaves` from being reached are looked at, until those that are confirmed
    do so by themselves, or none does.
    """
    shown: set[Section] = set()
    for leaf in leaves:
        while (section := locks.easiest_way_in(shared.graph, leaf, shown)) is not None:
            if _is_kept_with_patience(shared, section, points.origin.get(section)):
                shown.add(section)
            else:
                locks = replace(locks, together=locks.together - {section})
    shared.sections.doubtful = frozenset()
    return locks


def look_again_at_all(shared: SharedInstance, locks: "Exclusions", points: Points) -> frozenset[Section]:
    """Those of the locks that are left when the waiting actor has `PATIENCE_S` to come at each of them."""
    every = sorted(locks.together, key=str)
    kept = {one for one in every if _is_kept_with_patience(shared, one, points.origin.get(one))}
    shared.sections.doubtful = frozenset()
    return frozenset(kept - shared.sections.entered)


def _is_kept_with_patience(shared: SharedInstance, section: Section, point: ReleasePoint | None) -> bool:
    """Whether the section is kept together even though the waiting actor had time to come."""
    # One section a run, so that the run ends before the server broadcasts what it stored.
    shared.sections.doubtful = frozenset((section,))
    seen = shared.sections.together[section]
    for _ in range(TRIES):
        if point is None or isinstance(_run(shared, point), str):
            continue
        if section in shared.sections.entered:
            return False
        if shared.sections.together[section] > seen:
            return True
    return False


def _run(shared: SharedInstance, point: ReleasePoint, looks: int = LOOKS) -> Execution | str:
    """What the instance did; why it was missed, in words, where it was in three tries."""
    why = ""
    for _ in range(TRIES):
        try:
            return shared.run(point, is_calm=True, looks=looks)
        except ScheduleMissed as missed:
            why = str(missed)
    return why


def _brisk_or_careful(shared: SharedInstance, point: ReleasePoint) -> Execution | str:
    """The point with one look before each release; where somebody seemed to be kept out, with all of them.

    One look may miss a waiter that is on its way to the queue, which then seems to be kept out. Who was let
    in was let in, however little was looked.
    What comes behind a reply is never on its way that soon.
    """
    together = shared.sections.together.copy()
    run = _run(shared, point, looks=1)
    if isinstance(run, Execution) and shared.sections.together == together:
        return run
    shared.sections.together = together
    return _run(shared, point)


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What one instance was seen to keep together, as a rule for `count_schedules` and for realisation."""

    together: frozenset[Section]
    programs: Programs
    _gaps: dict[tuple[Node, int, int], Section] = field(default_factory=dict, compare=False, repr=False)
    """Each gap that was asked for: a realisation asks for the same ones at every step."""

    @classmethod
    def seen(cls, shared: SharedInstance, programs: Programs) -> "Exclusions":
        """From the runs of the instance: a section that was ever let through, or seldom seen, is no lock."""
        often = {section for section, number in shared.sections.together.items() if number >= SEEN_MIN}
        return cls(frozenset(often - shared.sections.entered), programs)

    def allow(self, node: Node, _last: int, actor: int) -> bool:
        """Whether one instance can run the actor's step at `node`."""
        return next(self._entering(node, actor), None) is None

    def easiest_way_in(self, graph: Graph, leaf: Node, shown: Container[Section]) -> Section | None:
        """The first section that the easiest way to the leaf enters, those that are `shown` left closed.

        None: no such section has to be entered, or every way enters one that is shown.
        """
        # Of each state the fewest sections that the way to it enters; a state comes after all before it.
        ways: dict[Node, tuple[Section, ...]] = {graph.root: ()}
        for node in sorted(graph.all(), key=lambda node: sum(map(len, node.histories))):
            for actor, child in node.edges.items() if node in ways else ():
                entered = tuple(self._entering(node, actor))
                way = (*ways[node], *entered)
                is_open = not any(section in shown for section in entered)
                if is_open and (child not in ways or len(way) < len(ways[child])):
                    ways[child] = way
        return next(iter(ways.get(leaf, ())), None)

    def _entering(self, node: Node, actor: int) -> Iterator[Section]:
        """The sections kept together that the actor's step at `node` would enter."""
        for other in node.steps:
            if other != actor and node.number(other):
                section = self._gap(node, other, actor)
                if section in self.together:
                    yield section

    def _gap(self, node: Node, other: int, actor: int) -> Section:
        """The section between `other`'s last step and its next, for `actor`'s next."""
        if (gap := self._gaps.get((node, other, actor))) is None:
            last = self.programs.last(other, node.histories[other])
            before = Node(node.histories, steps={other: last})
            gap = self._gaps[node, other, actor] = section_of(before, node, other, actor)
        return gap
