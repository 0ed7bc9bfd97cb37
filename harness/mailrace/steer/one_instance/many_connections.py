"""One instance whose pool has several connections in, one schedule on it out: whose step is next is ours.

Where a second statement reaches the proxy while one is held there, the server's pool has more than one
connection. Nobody waits for a connection then, so each actor's next statement comes to the proxy by itself,
and no draw of the pool has to be hoped for. What an actor still waits for is a lock of the server's own.

Only one actor is let go at a time, so the next statement is that one's, or of one that waited for a lock.
Where it may be of either, the text tells; where the texts are the same, the run counts for nothing.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.executions import TakenStep
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.statement_text import Names
from mailrace.steer.explore.graph import Node
from mailrace.steer.one_instance.arrivals import Arrivals
from mailrace.steer.one_instance.pace import PATIENCE_S, Pace
from mailrace.steer.one_instance.paths import Paths, is_as_in
from mailrace.steer.one_instance.scheduler import Scheduler, step_text
from mailrace.steer.one_instance.sections import Sections
from mailrace.steer.servers.seat import Seat


@dataclass(slots=True)
class ManyConnections:
    """One run. `held`: the statement that waits at the proxy, by actor."""

    seats: list[Seat]
    arrivals: Arrivals
    names: Names
    paths: Paths
    sections: Sections
    held: dict[int, Statement] = field(default_factory=dict)
    _begun: set[int] = field(default_factory=set)
    _pace: Pace = field(default_factory=Pace)

    def follow(self, scheduler: Scheduler) -> list[TakenStep]:
        """Let step after step go, the one that the scheduler chooses, until every actor has ended or hangs.

        Raises ScheduleMissed where the server does not allow the choice, or a statement is nobody's.
        """
        taken: list[TakenStep] = []
        last = -1
        while left := [s.index for s in self.seats if not s.is_over or s.index in self.paths.late()]:
            # Who has begun and has nothing at the proxy waits for a lock. If all do, they wait for good.
            able = tuple(a for a in left if a in self.held or a not in self._begun)
            if not able:
                if all(self.seats[a].is_over for a in left):
                    raise ScheduleMissed("a statement that used to come behind a reply did not come")
                if self._comes_late():
                    continue
                for seat in self.seats:
                    seat.is_hung = not seat.is_over
                break
            # Somebody is able to go on, and whose step is next is ours to choose, for the pool has room for
            # all.
            actor = scheduler.choose(self.paths.node, last, able)
            if actor is None:
                raise ScheduleMissed("what the schedule has next waits for a lock of the server's")
            if actor not in self._begun:
                self._begun.add(actor)
                self.seats[actor].release()
                self._pace.told(actor)
                self._settle()
                self._await_slow([actor])
                continue
            taken.append(self._step(actor))
            last = actor
        if not is_as_in(self.paths.graph, [step.actor for step in taken], [step.call for step in taken]):
            raise ScheduleMissed("a value that one actor drew was sent by another")
        return taken

    def _step(self, actor: int) -> TakenStep:
        """Let the actor's held step go: a statement, or those of one transaction of the store."""
        before = self.paths.node
        statements = [self.held.pop(actor)]
        call = self.names.call(statements[0])
        if not self.paths.may_send(call, [actor]):
            raise ScheduleMissed(f"{call} is not what {self.seats[actor].operation.key} sends there")
        self.paths.add(call, [actor], whose=[actor])
        self._let_go(statements[0])
        while self.arrivals.rig.store.connection.in_transaction and actor in self.held:
            statements.append(self.held.pop(actor))
            self._let_go(statements[-1])
        for statement in statements:
            statement.actor = self.seats[actor].operation.key
        self._pace.told(actor)
        absent = [other for other in self._begun - {actor} if other not in self.held]
        is_doubtful = self.sections.is_doubtful(before, actor, absent)
        self._await_slow(absent, PATIENCE_S if is_doubtful else 0.0)
        # All is quiet again, so who has a statement at the proxy was let in between this step and the next.
        for other in self._begun - {actor}:
            self.sections.saw(before, self.paths.node, actor, other, is_let_in=other in self.held)
        return TakenStep(actor, tuple(statements), "; ".join(self.names.call(s) for s in statements))

    def _await_slow(self, actors: Iterable[int], least_s: float = 0.0) -> None:
        """Give actors that have nothing at the proxy the time that they always take."""
        if wait_s := max(least_s, self._pace.left_s(self.paths.node, actors)):
            self.arrivals.rig.loop.pump(lambda: False, wait_s)
            self._settle()

    def _let_go(self, statement: Statement) -> None:
        self.arrivals.let_go(statement)
        self._settle()

    def _comes_late(self) -> bool:
        """Whether something comes after a while all the same: a server may try again, or have a timer."""
        rig, began = self.arrivals.rig, time.monotonic()
        place = behind_locks(self.paths.node)
        over = sum(seat.is_over for seat in self.seats)

        def came() -> bool:
            return len(self.arrivals.held) > len(self.held) or sum(s.is_over for s in self.seats) > over

        while not rig.loop.pump(came, rig.silence.look_s):
            if rig.silence.is_hang(began, place):
                return False
        rig.silence.ended(began)
        self._settle()
        return True

    def _settle(self) -> None:
        """Wait until nothing moves, and note whose the statements are that came meanwhile.

        They are those of the one actor that was let go, or of who waited for a lock: if it is only one who
        has begun and has nothing at the proxy, it is that one's; of several it is the one whose text it is.
        """
        self.arrivals.wait_quiet()
        self.arrivals.wait_late()
        for statement in self.arrivals.held:
            if statement in self.held.values():
                continue
            able = self.arrivals.able()
            may = [a for a in able if a in self._begun and a not in self.held]
            if len(may) > 1:
                may = self.paths.may_send(self.names.call(statement), may)
            if len(may) != 1:
                raise ScheduleMissed(f"{self.names.call(statement)} may be of several actors, or of none")
            self.held[may[0]] = statement


def behind_locks(node: Node) -> str:
    """The place (see `Silence`) where all wait for locks: one lock may be slow, and another one dead."""
    return f"behind locks, before {[(actor, step_text(node, actor)) for actor in sorted(node.steps)]}"
