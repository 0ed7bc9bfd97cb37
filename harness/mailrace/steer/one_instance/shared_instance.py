"""A round and a scheduler in, one schedule on ONE unmodified instance out, with who could run when.

One pool connection means one statement at the proxy. While it is held nothing else reaches the store; what
is ours is when each actor's last byte goes out, when decoys queue up, and when the held statement goes on.
The server is quiet before each release, so that whoever wants the connection is queued for it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mailrace.model.attempt import RoundRecord
from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.executions import Execution, TakenStep
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.quiet import LOOKS
from mailrace.steer.database_proxy.statement_text import DECOY, Names, text_of
from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.one_instance.arrivals import Arrivals
from mailrace.steer.one_instance.decoys import Decoys
from mailrace.steer.one_instance.many_connections import ManyConnections
from mailrace.steer.one_instance.pace import PATIENCE_S, Pace
from mailrace.steer.one_instance.paths import Paths, is_as_in
from mailrace.steer.one_instance.scheduler import Scheduler
from mailrace.steer.one_instance.sections import Sections
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round
from mailrace.steer.servers.seat import Seat

DISTURBED_MAX = 3
"""So many runs of a schedule that is to be calm: one that takes longer than a broadcast is never calm."""

Follow = Callable[[list[Seat], Arrivals, Names], list[TakenStep]]
"""Drives the actors of one run to their end; the steps, in the order in which they went out."""


@dataclass(slots=True)
class SharedInstance:
    """Drives instance 0 of a rig along the graph of separate instances. `sections`: of all runs so far."""

    round_: Round
    graph: Graph
    runs: int = 0
    unattributed: int = 0
    sections: Sections = field(default_factory=Sections)
    _seats: list[Seat] = field(default_factory=list)
    _released: set[int] = field(default_factory=set)
    _pace: Pace = field(default_factory=Pace)
    _names: Names = field(init=False)
    _paths: Paths = field(init=False)
    _decoys: Decoys = field(init=False)
    _arrivals: Arrivals = field(init=False)
    _looks: int = LOOKS

    def __post_init__(self) -> None:
        self._decoys = Decoys(self.rig.instances[0])
        self._arrivals = Arrivals(self.rig, self._decoys)

    @property
    def rig(self) -> Rig:
        """The servers."""
        return self.round_.rig

    @property
    def is_disturbed(self) -> bool:
        """Whether a broadcast of the server's came into the latest run, and may have changed its draws."""
        return self._arrivals.disturbed

    def run(self, scheduler: Scheduler, *, is_calm: bool = False, looks: int = LOOKS) -> Execution:
        """One schedule. Raises ScheduleMissed where it is lost, or a statement cannot be attributed.

        is_calm   a run into which a broadcast of the server's came is run again
        looks     that agree make quiet: 1 is enough where a waiter that comes late costs a try only
        """
        self._looks = looks

        def follow(seats: list[Seat], arrivals: Arrivals, names: Names) -> list[TakenStep]:
            self._paths, self._released, self._pace = Paths(self.graph), set(), Pace()
            arrivals.paths = self._paths
            if arrivals.is_many:
                return ManyConnections(seats, arrivals, names, self._paths, self.sections).follow(scheduler)
            return self._follow(scheduler)

        return self._run_by(follow, is_calm=is_calm)

    def run_by(self, follow: Follow) -> Execution:
        """One calm schedule: `follow` holds the statements and lets them go. Raises ScheduleMissed."""
        self._looks = LOOKS
        return self._run_by(follow, is_calm=True)

    def _run_by(self, follow: Follow, *, is_calm: bool) -> Execution:
        # Broadcasts are seldom: to run one schedule in seven again costs less than to wait for each of them.
        for _ in range(DISTURBED_MAX - 1 if is_calm else 0):
            try:
                found = self._run(follow)
            except ScheduleMissed:
                if not self.is_disturbed:
                    raise
            else:
                if not self.is_disturbed:
                    return found
        return self._run(follow)

    def _run(self, follow: Follow) -> Execution:
        began = time.monotonic()
        together = self.sections.together.copy()
        self._begin()
        try:
            steps = follow(self._seats, self._arrivals, self._names)
            record, names = self._finish(), self._names
        finally:
            self._run_out()
            self._arrivals.end()
            self.rig.broadcasts.follow([0], began)
            if self._arrivals.has_served:
                self.sections.together = together  # who was served along did not wait, so was not kept out
        return Execution(tuple(steps), record, names, time.monotonic() - began)

    def _begin(self) -> None:
        self.runs += 1
        self.round_.put_back()
        self._names = self.round_.names()
        self._arrivals.begin(self._names)
        self._seats = self.round_.prepare([self.rig.instances[0]] * len(self.round_.actors))
        self._arrivals.seats = self._seats

    def _follow(self, scheduler: Scheduler) -> list[TakenStep]:
        """Hold each step, do what the scheduler says, let it go; until every actor has ended, or hangs."""
        steps: list[tuple[Statement, ...]] = []
        self._release(scheduler.first())
        previous: tuple[int, Node] | None = None
        while True:
            statement = self._arrivals.next()
            if statement is None:
                unreleased = [s.index for s in self._seats if s.index not in self._released]
                if not unreleased or any(s.is_hung for s in self._seats):
                    return self._attributed(steps)
                self._release(scheduler.idle(self._paths.node, frozenset(self._released)))
                previous = None
                continue
            if not self._paths.is_one:
                # Once all is quiet every reply was read, and who has ended tells whose the statements were.
                self._arrivals.wait_quiet()
                self._paths.ended(lambda actor: self._seats[actor].is_over)
            if self._decoys.busy and text_of(statement.sql) == DECOY:
                self._let_go(statement, is_watched=True)
                previous = None
                continue
            node = self._paths.node
            actor = self._held(scheduler, statement, previous, len(steps) + 1)
            # The step goes out now, and whoever is queued has the connection next. A transaction keeps it:
            # its further statements are of the same step, and nobody else's can come between.
            block = [statement]
            while self.rig.store.connection.in_transaction:
                following = self._arrivals.next()
                if following is None or not self.rig.store.connection.in_transaction:
                    break
                block.append(following)
                self._let_go(following, is_watched=False)
            steps.append(tuple(block))
            is_known = self._paths.is_one and not self._paths.has_served and not self._decoys.busy
            previous = (actor, node) if is_known else None

    def _held(
        self, scheduler: Scheduler, statement: Statement, previous: tuple[int, Node] | None, number: int
    ) -> int:
        """Decide with the scheduler while the step is held, then let its first statement go; whose it is.

        previous   the step before, and the state before that: known where nobody but one other actor waited
        """
        call = self._names.call(statement)
        able = self._arrivals.able()
        may = self._whose(call, able, previous)
        node = self._paths.node
        # Where several actors may have sent it, it is taken for the one with which the plan still stands.
        for actor in may:
            decision = scheduler.hold(node, actor, frozenset(self._released), self._decoys.busy)
            if not decision.is_lost:
                break
        else:
            raise ScheduleMissed(f"step {number} came from {self._seats[may[0]].operation.key}")
        others = [a for a in able if a != actor]
        # Once a broadcast came the connection may have gone to that, so who did not get it was not kept out.
        if previous is not None and len(self._seats) == 2 and not self.is_disturbed:
            self.sections.note(node, actor, others, previous, is_patient=self._looks >= LOOKS)
        self._paths.add(call, able, whose=[actor, *(a for a in may if a != actor)])
        self._paths.begun(decision.release)
        for index in decision.release:
            self._release(index)
        self._decoys.queue(decision.decoys)
        waiting = [*others, *decision.release]
        is_doubtful = self.sections.is_doubtful(node, actor, waiting)
        if wait_s := max(PATIENCE_S if is_doubtful else 0.0, self._pace.left_s(node, waiting)):
            self.rig.loop.pump(lambda: False, wait_s)
        self._let_go(statement, is_watched=bool(waiting or self._decoys.busy))
        self._pace.told(actor)
        return actor

    def _attributed(self, steps: list[tuple[Statement, ...]]) -> list[TakenStep]:
        """The steps with their actors, once every reply was read."""
        try:
            each = self._paths.attributed(steps)
        except ScheduleMissed:
            self.unattributed += 1
            raise
        for actor, statements in each:
            for statement in statements:
                statement.actor = self._seats[actor].operation.key
        taken = [TakenStep(a, sent, "; ".join(map(self._names.call, sent))) for a, sent in each]
        if not is_as_in(self.graph, [step.actor for step in taken], [step.call for step in taken]):
            raise ScheduleMissed("a value that one actor drew was sent by another")
        return taken

    def _release(self, index: int) -> None:
        self._seats[index].release()
        self._released.add(index)
        self._pace.told(index)

    def _let_go(self, statement: Statement, *, is_watched: bool) -> None:
        """Release it; where others are about, only once all is quiet and they are queued."""
        if is_watched:
            self._arrivals.wait_quiet(self._looks)
            if self._looks >= LOOKS:
                self._arrivals.wait_late()
        self._arrivals.let_go(statement)

    def _whose(self, call: str, able: list[int], previous: tuple[int, Node] | None) -> list[int]:
        """The actors it may belong to, by what each would send next; by the pool's rule if several would."""
        may = self._paths.may_send(call, able) or self._paths.served_along(call, able)
        if len(may) > 1 and previous is not None:
            waited = [a for a in may if a != previous[0]]  # with one waiter, that one, always
            may = waited if len(waited) == 1 else may
        if not may:
            self.unattributed += self._paths.is_one
            raise ScheduleMissed(f"{call} belongs to nobody that could send it now")
        return may

    def _finish(self) -> RoundRecord:
        ended = self.round_.ended(self._seats, self.runs, self.rig.instances[:1])
        if ended.dead:
            self.rig.replace(self.rig.instances[0])
            self._seats = []
        return ended.record

    def _run_out(self) -> None:
        self.rig.run_out(self._seats)
        self._decoys.end(self.rig.loop)
        if self.rig.instances[0].how_it_ended:
            self.rig.instances[0].replace()
        self._seats = []
