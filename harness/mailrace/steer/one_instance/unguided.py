"""Two actors on ONE instance and no graph of states in, what the instance did with their statements out.

Where a server does not send the same statements whenever its operations are told the same, no graph can say
what it sends next, and nothing can be exhaustive. What it does is real all the same: one actor's statement is
held, the other is let in, and the replies and the store are judged as ever.

Whose a statement is follows from the pool then: its connection goes from who held it to who waited for it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.executions import TakenStep
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.statement_text import Names
from mailrace.steer.one_instance.arrivals import Arrivals
from mailrace.steer.servers.seat import Seat

NEVER = 1_000_000
"""A step that no actor comes to: the other one begins when the first has ended."""


@dataclass(frozen=True, slots=True)
class Way:
    """`first` begins; when its `step`th statement is held, the other begins. Then the pool alternates."""

    first: int
    step: int


@dataclass(slots=True)
class Unguided:
    """One run of two actors."""

    seats: list[Seat]
    arrivals: Arrivals
    names: Names
    _begun: set[int] = field(default_factory=set)

    def follow(self, way: Way) -> list[TakenStep]:
        """Hold and let go until both have ended, or hang. Raises ScheduleMissed."""
        taken: list[TakenStep] = []
        sent: Counter[int] = Counter()
        holder = way.first
        self._begin(way.first)
        while True:
            statement = self.arrivals.next()
            if statement is None:
                left = [s.index for s in self.seats if s.index not in self._begun]
                if not left or any(s.is_hung for s in self.seats):
                    return taken
                holder = left[0]
                self._begin(holder)
                continue
            holder = self._whose(statement, holder)
            sent[holder] += 1
            if holder == way.first and sent[holder] == way.step:
                self._begin(1 - holder)
            taken.append(self._step(holder, statement))

    def _begin(self, actor: int) -> None:
        if actor not in self._begun:
            self._begun.add(actor)
            self.seats[actor].release()

    def _step(self, actor: int, statement: Statement) -> TakenStep:
        statements = [statement]
        self._let_go(statement)
        # A transaction of the store keeps the connection, so what follows is of the same actor.
        while (
            self.arrivals.rig.store.connection.in_transaction and (more := self.arrivals.next()) is not None
        ):
            statements.append(more)
            self._let_go(more)
        for one in statements:
            one.actor = self.seats[actor].operation.key
        return TakenStep(actor, tuple(statements), "; ".join(map(self.names.call, statements)))

    def _let_go(self, statement: Statement) -> None:
        self.arrivals.wait_quiet()
        self.arrivals.let_go(statement)

    def _whose(self, statement: Statement, holder: int) -> int:
        """The only one under way; the one that stores its own message; else the one that waited."""
        # Replies are read before anybody is asked who has ended.
        self.arrivals.wait_quiet()
        able = [s.index for s in self.arrivals.under_way()]
        call = self.names.call(statement)
        named = [a for a in able if f"<{self.seats[a].operation.key}>" in call]
        if len(able) == 1 or len(named) == 1:
            return (named or able)[0]
        if not able:
            raise ScheduleMissed(f"{call} belongs to nobody that could send it now")
        return 1 - holder


def ways(steps: tuple[int, int]) -> Iterator[Way]:
    """All of two actors that send so many statements."""
    for first in (0, 1):
        for step in range(1, steps[first] + 1):
            yield Way(first, step)
