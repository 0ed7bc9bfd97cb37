"""Takes what reaches the proxy from an instance with one actor; gives whose it is where no text tells.

A server sends statements of its own accord, in texts that an operation of another server may send as well;
and an operation may send some when its reply was read already. Which of these it does is learnt while the
operations run one after the other, and holds from then on.
"""

from collections import Counter
from dataclasses import dataclass, field

from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.proxy import DatabaseProxy, Statement
from mailrace.steer.database_proxy.statement_text import (
    BROADCAST_END,
    COUNT_ALL,
    is_background,
    may_be_own,
    text_of,
)
from mailrace.steer.servers.broadcasts import Broadcasts
from mailrace.steer.servers.seat import Seat

SHOWN_MAX = 100
LATE_SHARE = 2.0
LATE_MIN_S = 0.025
"""A statement behind a reply is waited for twice as long as it ever took, and this long on top of it."""


@dataclass(slots=True)
class Habits:
    """Of one round's operations on one server.

    own       (actor, text) of a text of the server's own that the actor sends as well
    late_s    by actor: how long after its reply, or after its statement before, one came at most
    done      actors that were answered and send nothing more in this run
    strays    texts of statements that nobody chose the time of, with how often
    calm      while it is learnt: no broadcast may be due where a run begins
    """

    own: set[tuple[int, str]] = field(default_factory=set)
    late_s: dict[int, float] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    strays: Counter[str] = field(default_factory=Counter)
    is_learning: bool = False
    calm: bool = False
    _broadcasts: Broadcasts | None = None
    _runs: int = 0
    _seen: Counter[tuple[int, str]] = field(default_factory=Counter)
    _now: set[tuple[int, str]] = field(default_factory=set)
    _clear: set[tuple[int, str]] = field(default_factory=set)
    """Those of `_seen` that once came while no broadcast was due."""
    _known: set[int] = field(default_factory=set)
    _came_ns: dict[int, int] = field(default_factory=dict)
    _too_late: str = ""
    """The text that came, in this run, when its actor was taken to be done."""
    _before: Counter[tuple[int, str]] = field(default_factory=Counter)
    """The proxy's tally when the count began."""

    def begin(self) -> None:
        """A run begins."""
        self.done.clear()
        self._now.clear()
        self._came_ns.clear()
        self._too_late = ""

    def end(self) -> None:
        """A run came to its end. Raises ScheduleMissed where a statement was not waited for long enough."""
        if self._too_late:
            raise ScheduleMissed(
                f"`{self._too_late[:SHOWN_MAX]}` came later behind its reply than ever before"
            )
        self._runs += 1
        self._seen.update(self._now)

    def learn(self, broadcasts: Broadcasts, *, calm: bool = False) -> None:
        """In the runs that follow nothing is a stray: what comes behind a reply is a habit."""
        self.is_learning, self.calm, self._broadcasts = True, calm, broadcasts
        self._runs, self._seen = 0, Counter()
        self._clear.clear()

    def learned(self) -> bool:
        """The operations ran alone often enough; False: it has to be learnt again, with calm.

        A text that came in every run while the actor was under way is its own, for a broadcast comes seldom.
        On a slow machine one may come in every run all the same, so a text that came only when one was due
        has to come where none is.
        """
        each = {one for one, times in self._seen.items() if times == self._runs > 1}
        sure = each if self.calm else each & self._clear
        self.own |= sure
        self.is_learning = self.calm = False
        return each == sure

    def holds(self, statement: Statement, seat: Seat | None, sent: int, *, is_waiting: bool) -> bool:
        """Whether it is the next step of the seat's actor, which has `sent` so many; else it runs at once.

        is_waiting   another statement of the actor is at the proxy already
        """
        text = text_of(statement.sql)
        is_under_way = seat is not None and bool(seat.conversation.let_go_ns) and not seat.is_over
        if is_background(statement):
            if seat is not None and seat.conversation.let_go_ns:
                may_come = is_under_way or self.patience_s(seat.index) > 0.0
                is_own = (seat.index, text) in self.own or may_be_own(seat.operation, sent, text)
                if may_come and is_own:
                    # Where it is a step it is known, and no sign of anything any more.
                    self._known.add(statement.instance)
                    return True
                self._now.add((seat.index, text))
                if self._broadcasts and not self._broadcasts.may_come(statement.instance):
                    self._clear.add((seat.index, text))
            return False
        if seat is not None and is_under_way and not is_waiting:
            return True
        if seat is not None and seat.is_over and self.is_learning:
            self._learn_late(statement, seat)
            return False
        if seat is not None and seat.is_over and not is_waiting and self.patience_s(seat.index):
            return True
        if seat is not None and seat.index in self.done:
            # It is known to come, and a busy machine kept it: the next run waits for it longer.
            self._learn_late(statement, seat)
            self._too_late = text
            return False
        # While it is learnt, work may come so late that its run has ended: another run shows whose it is.
        if not self.is_learning:
            self.strays[text] += 1
        return False

    @property
    def strays_in_words(self) -> str:
        """How many there were, and the first of them; "" if there was none."""
        if not self.strays:
            return ""
        number, text = self.strays.total(), next(iter(self.strays))
        return f"{number} statements came when nobody chose it, the first of them `{text[:SHOWN_MAX]}`"

    def patience_s(self, actor: int) -> float:
        """So long one more statement of an actor that was answered has to be waited for; 0: there is none."""
        if actor in self.done or actor not in self.late_s:
            return 0.0
        return LATE_MIN_S + LATE_SHARE * self.late_s[actor]

    def watch(self, proxy: DatabaseProxy) -> None:
        """From now on count what is taken for a broadcast."""
        self._before = Counter(proxy.tally)

    def replaced(self, instance: int) -> None:
        """A new server has its place; a broadcast of the old one may have been cut in two."""
        self._known.add(instance)

    def odd(self, tally: Counter[tuple[int, str]]) -> str:
        """A text that ran unchosen more often than broadcasts have it, which send one of each; or "".

        A broadcast may have been under way when the count began, so one more of its second half says nothing.
        """
        for instance in {i for i, _ in tally} - self._known:
            counts, ends = (
                tally[instance, text] - self._before[instance, text] for text in (COUNT_ALL, BROADCAST_END)
            )
            if counts > ends:
                return COUNT_ALL
            if ends > counts + 1:
                return BROADCAST_END
        return ""

    def _learn_late(self, statement: Statement, seat: Seat) -> None:
        before_ns = max(seat.conversation.completed_ns, self._came_ns.get(seat.index, 0))
        after_s = (statement.arrived_ns - before_ns) / 1e9
        self.late_s[seat.index] = max(after_s, self.late_s.get(seat.index, 0.0))
        self._came_ns[seat.index] = statement.arrived_ns
