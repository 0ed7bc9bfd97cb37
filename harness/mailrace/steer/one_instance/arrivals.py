"""What reaches the proxy from ONE instance in; the next statement to hold, or that there is none, out.

Statements of actors and of decoys are held. What the server sends of its own accord passes at once, for
nothing else could come through its one connection until it did.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.quiet import LOOKS, wait_quiet
from mailrace.steer.database_proxy.statement_text import BROADCAST, Names, is_background, text_of
from mailrace.steer.explore.habits import LATE_MIN_S, LATE_SHARE
from mailrace.steer.explore.separate_instances import ARRIVE_S_MAX
from mailrace.steer.one_instance.decoys import Decoys
from mailrace.steer.one_instance.paths import Paths
from mailrace.steer.one_instance.scheduler import step_text
from mailrace.steer.servers.liveness import place_of, why_silent
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.seat import Seat


@dataclass(slots=True)
class Arrivals:
    """The statements of instance 0 of a rig, in one run after the other.

    seats      the actors of the run; empty between two runs
    paths      what the run may be so far; None: nothing is known of what the actors send
    held       what waits at the proxy, in the order in which it came: one at most, where the pool has one
               connection
    is_many    in some run two statements waited at once, so the pool has more connections than one
    disturbed  a broadcast of the statistics came into the run, and its two statements waited for the
               connection among those of the actors
    """

    rig: Rig
    decoys: Decoys
    seats: Sequence[Seat] = ()
    paths: Paths | None = None
    held: list[Statement] = field(default_factory=list)
    is_many: bool = False
    disturbed: bool = False
    _shown: int = 0
    """So many statements of the journal came to the gate."""
    _names: Names | None = None

    @property
    def has_served(self) -> bool:
        """Whether the server fetched something once for two actors of the latest run."""
        return self.paths is not None and self.paths.has_served

    def begin(self, names: Names) -> None:
        """A run begins with these names."""
        self.paths, self._names = None, names
        self.held, self.disturbed, self._shown = [], False, 0
        self.rig.proxy.gate = self._gate

    def end(self) -> None:
        """The run is over. A broadcast that comes just now may have queued before: that is not known."""
        self.seats, self.held = (), []
        rest = self.rig.proxy.journal[self._shown :]
        self.disturbed = self.disturbed or any(text_of(s.sql) in BROADCAST for s in rest)

    def under_way(self) -> list[Seat]:
        """The actors that were released and have not had their last reply."""
        return [s for s in self.seats if s.conversation.let_go_ns and not s.is_over]

    def able(self) -> list[int]:
        """The actors that may send a statement now: those under way, and those that go on when answered."""
        late = [] if self.paths is None else self.paths.late()
        return [s.index for s in self.seats if (s in self.under_way() if not s.is_over else s.index in late)]

    def next(self) -> Statement | None:
        """The next statement at the proxy; None: every released actor has ended, or hangs.

        Raises ScheduleMissed where one waits while another is held: they do not share one connection.
        """

        def arrived() -> bool:
            return bool(self.held) or not (self.decoys.busy or self.able())

        began, look_s = time.monotonic(), self.rig.silence.look_s
        while not self.rig.loop.pump(arrived, look_s):
            why = self.rig.proxy.trouble or why_silent([self.rig.instances[0]])
            if not why and not self.under_way() and not self.decoys.busy:
                raise ScheduleMissed("a statement that used to come behind a reply did not come")
            place = place_of(self.rig.proxy, self.rig.instances[:1])
            if not why and self.rig.silence.is_hang(began, place):
                for seat in self.seats:
                    seat.is_hung = not seat.is_over
                return None
            if time.monotonic() > began + ARRIVE_S_MAX:
                raise ScheduleMissed(f"no statement and no reply within {ARRIVE_S_MAX} s: {why}")
        self.rig.silence.ended(began)
        if len(self.held) > 1:
            raise ScheduleMissed("two statements of one instance came at once: it has several connections")
        return next(iter(self.held), None)

    def wait_quiet(self, looks: int = LOOKS) -> None:
        """Return once so many looks agree that the server sleeps. Raises ScheduleMissed."""
        if not wait_quiet(self.rig.loop, [self.rig.instances[0].pid], looks=looks):
            raise ScheduleMissed("the server did not become quiet within 2 s")

    def wait_late(self) -> None:
        """Give an actor that was answered, and goes on all the same, the time that it ever took to do so."""
        if any(s.is_over and s.index in self.able() for s in self.seats):
            self.rig.loop.pump(lambda: False, LATE_MIN_S + LATE_SHARE * self.rig.late_s)

    def let_go(self, statement: Statement) -> None:
        """Release what is held."""
        self.held.remove(statement)
        self.rig.proxy.release(statement)

    def _gate(self, statement: Statement) -> bool:
        self._shown = len(self.rig.proxy.journal)
        if statement.instance != 0:
            return False
        if is_background(statement) and not self._is_expected(statement):
            self.disturbed = self.disturbed or text_of(statement.sql) in BROADCAST
            return False
        if self._names is not None:
            # Its names are learnt first: below it is looked up by the name of the ID that it stores.
            self._names.learn(statement)
        if self._is_late(statement):
            return False
        self.held.append(statement)
        self.is_many = self.is_many or len(self.held) > 1
        return True

    def _is_late(self, statement: Statement) -> bool:
        """Whether the server still does it for an actor that was answered: held, it would hold up all others.

        That is so where an actor has ended, and none of those that may send a statement can send this one.
        """
        if self.decoys.busy or not any(s.is_over for s in self.seats):
            return False
        if self.rig.store.connection.in_transaction and not self.is_many:
            return False  # whoever has the one connection goes on with its transaction
        able = self.able()
        if not able or self.paths is None or self._names is None:
            return not able
        return not self.paths.could_send(self._names.call(statement), able)

    def _is_expected(self, statement: Statement) -> bool:
        """Whether an actor's own next statement has this text, so that it is taken for that."""
        if self.paths is None:
            return False
        text, node, able = text_of(statement.sql), self.paths.node, self.able()
        return any(
            s.index in node.steps and step_text(node, s.index).split(" ; ")[0] == text
            for s in self.seats
            if s.index in able
        )
