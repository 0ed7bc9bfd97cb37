"""A rig and a pilot in, one order on ONE unmodified instance out, with who could run when.

One pool connection means one statement at the proxy. While it is held nothing else reaches the store; what
is ours is when each actor's last byte goes out, when decoys queue up, and when the held statement goes on.
The server is quiet before each release, so that whoever wants the connection is queued for it.
"""

import time
from collections import Counter
from dataclasses import dataclass, field

from mailrace.model.attempt import RoundRecord
from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.attribution import BROADCAST_END, DECOY, Names, is_background, text_of
from mailrace.steer.database_proxy.executions import Execution, TakenStep
from mailrace.steer.database_proxy.proxy import Statement, pass_all
from mailrace.steer.database_proxy.quiet import LOOKS, wait_quiet
from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.explore.separate_instances import HUNG_S
from mailrace.steer.one_instance.decoys import Decoys
from mailrace.steer.one_instance.paths import Paths
from mailrace.steer.one_instance.scheduler import Scheduler, Section, section_of, step_text
from mailrace.steer.servers.liveness import why_silent
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.seat import Seat, unanswered

ARRIVE_S_MAX = 4.0
BROADCAST_S = 0.25
"""That long after a store or a deletion the server broadcasts its statistics, once for all until then."""
CALM_S = 0.15
"""A calm run begins only where no broadcast is due within the run: its two statements queue like a decoy's.
This long for the first run, 1.5 times the longest of the last two after that."""
PATIENCE_S = 0.1
"""A waiter that is no lock's, but a timer's or another server's, has come for the connection by then."""


@dataclass(slots=True)
class SharedInstance:
    """Drives instance 0 of a rig along the graph that the separate gave.

    apart      sections that the waiting actor was let into
    together   sections that it was kept out of though all was quiet, and how often: a transaction, or a lock
    strays     statements that came after the last reply
    doubtful   sections before which others get `PATIENCE_S` to queue up
    """

    rig: Rig
    graph: Graph
    runs: int = 0
    unattributed: int = 0
    strays: int = 0
    replaced: int = 0
    apart: set[Section] = field(default_factory=set)
    together: Counter[Section] = field(default_factory=Counter)
    doubtful: frozenset[Section] = frozenset()
    _seats: list[Seat] = field(default_factory=list)
    _names: Names = field(init=False)
    _paths: Paths = field(init=False)
    _waiting: Statement | None = None
    _decoys: Decoys = field(init=False)
    _took: list[float] = field(default_factory=list)
    _due: float | None = field(default_factory=lambda: time.monotonic() + BROADCAST_S)
    _looks: int = LOOKS

    def __post_init__(self) -> None:
        self._decoys = Decoys(self.rig.instances[0])

    def run(self, pilot: Scheduler, *, is_calm: bool = False, looks: int = LOOKS) -> Execution:
        """One order. Raises ScheduleMissed where the pilot gives up or a statement cannot be attributed.

        is_calm   no broadcast of the server's comes between; without it one may, which costs a try
        looks     that agree make quiet: 1 is enough where a waiter that comes late costs a try only
        """
        self._looks = looks
        if is_calm:
            self._calm_down()
        began = time.monotonic()
        self._begin()
        try:
            blocks = self._fly(pilot)
            record, names = self._finish(), self._names
        finally:
            self._run_out()
            self._took = [*self._took[-1:], time.monotonic() - began]
            if self._due is None:
                self._due = began + BROADCAST_S
        return Execution(tuple(blocks), record, names, time.monotonic() - began)

    def _calm_down(self) -> None:
        """Let a broadcast pass that would come into the next run."""
        due = self._due
        needed = 1.5 * max(self._took) if self._took else CALM_S
        if due is None or due - time.monotonic() > needed:
            return
        self.rig.proxy.gate = self._gate
        self.rig.loop.pump(lambda: self._due is None, max(0.0, due - time.monotonic()) + BROADCAST_S)
        self._due = None

    def _begin(self) -> None:
        rig = self.rig
        self.runs += 1
        rig.put_back()
        self._names = rig.names()
        self._waiting = None
        rig.proxy.gate = self._gate
        self._seats = rig.prepare([0] * len(rig.planned.operations))

    def _fly(self, pilot: Scheduler) -> list[TakenStep]:
        paths = self._paths = Paths(self.graph)
        steps: list[tuple[Statement, ...]] = []
        released: set[int] = set()
        self._release(pilot.first(), released)
        previous: tuple[int, Node] | None = None
        while True:
            statement = self._next()
            if statement is None:
                unreleased = [s.index for s in self._seats if s.index not in released]
                if not unreleased or any(s.is_hung for s in self._seats):
                    return self._blocks(steps)
                self._release(pilot.idle(paths.node, frozenset(released)), released)
                previous = None
                continue
            if not paths.is_one:
                self._wait_quiet(LOOKS)
                paths.ended(lambda actor: self._seats[actor].is_over)
            if self._decoys.busy and text_of(statement.sql) == DECOY:
                self._let_go(statement, is_watched=True)
                previous = None
                continue
            node = paths.node
            call = self._names.call(statement)
            able = [s.index for s in self._seats if s.conversation.let_go_ns and not s.is_over]
            may = self._whose(call, able, previous)
            for actor in may:
                decision = pilot.hold(node, actor, frozenset(released), self._decoys.busy)
                if not decision.is_lost:
                    break
            else:
                raise ScheduleMissed(f"block {len(steps) + 1} came from {self._seats[may[0]].operation.key}")
            others = [a for a in able if a != actor]
            self._note(node, actor, others, previous)
            paths.add(call, able, whose=[actor, *(a for a in may if a != actor)])
            for index in decision.release:
                self._release(index, released)
            self._decoys.queue(decision.decoys)
            if self._is_doubtful(node, actor, [*others, *decision.release]):
                self.rig.loop.pump(lambda: False, PATIENCE_S)
            is_watched = bool(others or decision.release or self._decoys.busy)
            self._let_go(statement, is_watched=is_watched)
            block = [statement]
            while self.rig.store.connection.in_transaction:
                following = self._next()
                if following is None:
                    break
                block.append(following)
                self._let_go(following, is_watched=False)
            steps.append(tuple(block))
            previous = (actor, node) if paths.is_one and not self._decoys.busy else None

    def _blocks(self, steps: list[tuple[Statement, ...]]) -> list[TakenStep]:
        """The steps with their actors, once every reply was read."""
        try:
            order = self._paths.order()
        except ScheduleMissed:
            self.unattributed += 1
            raise
        for actor, statements in zip(order, steps, strict=True):
            for statement in statements:
                statement.actor = self._seats[actor].operation.key
        calls = ["; ".join(self._names.call(s) for s in statements) for statements in steps]
        return [TakenStep(*one) for one in zip(order, steps, calls, strict=True)]

    def _is_doubtful(self, node: Node, actor: int, others: list[int]) -> bool:
        """Whether the actor's block at `node` opens a section that is to be looked at with patience."""
        after = node.edges[actor]
        return actor in after.steps and any(
            o in after.steps and section_of(node, after, actor, o) in self.doubtful for o in others
        )

    def _release(self, index: int, released: set[int]) -> None:
        self._seats[index].release()
        released.add(index)

    def _let_go(self, statement: Statement, *, is_watched: bool) -> None:
        """Release it; where others are about, only once all is quiet and they are queued."""
        if is_watched:
            self._wait_quiet(self._looks)
        self._waiting = None
        self.rig.proxy.release(statement)

    def _wait_quiet(self, looks: int) -> None:
        if not wait_quiet(self.rig.loop, [self.rig.instances[0].pid], looks=looks):
            raise ScheduleMissed("the server did not become quiet within 2 s")

    def _gate(self, statement: Statement) -> bool:
        if statement.instance != 0 or self._is_late(statement):
            return False
        if is_background(statement) and not self._is_expected(statement):
            statement.is_background = True
            if text_of(statement.sql) == BROADCAST_END:
                self._due = None
            return False
        self._names.learn(statement)
        self._waiting = statement
        return True

    def _is_late(self, statement: Statement) -> bool:
        """Whether it is work that the server still does after a reply: held, it would hold up all others.

        Nothing that was let go is under way any more, or nobody who is can send it and somebody has ended.
        """
        under_way = [s for s in self._seats if s.conversation.let_go_ns and not s.is_over]
        if self._decoys.busy or not any(s.is_over for s in self._seats):
            return False
        call = self._names.call(statement)
        return not (under_way and self._paths.may_send(call, [s.index for s in under_way]))

    def _is_expected(self, statement: Statement) -> bool:
        """Whether an actor's own next statement has this text, so that it is taken for that."""
        text = text_of(statement.sql)
        return any(
            s.conversation.let_go_ns
            and not s.is_over
            and s.index in self._paths.node.steps
            and step_text(self._paths.node, s.index).split(" ; ")[0] == text
            for s in self._seats
        )

    def _next(self) -> Statement | None:
        """The next statement at the proxy; None: every released actor has ended, or hangs."""

        def arrived() -> bool:
            is_under_way = self._decoys.busy or any(
                s.conversation.let_go_ns and not s.is_over for s in self._seats
            )
            return self._waiting is not None or not is_under_way

        until = time.monotonic() + ARRIVE_S_MAX
        while not self.rig.loop.pump(arrived, HUNG_S):
            why = self.rig.proxy.trouble or why_silent([self.rig.instances[0]])
            if not why:
                for seat in self._seats:
                    seat.is_hung = not seat.is_over
                return None
            if time.monotonic() > until:
                raise ScheduleMissed(f"no statement and no reply within {ARRIVE_S_MAX} s: {why}")
        return self._waiting

    def _whose(self, call: str, able: list[int], previous: tuple[int, Node] | None) -> list[int]:
        """The actors it may belong to, by what each would send next; by the pool's rule if several would."""
        may = self._paths.may_send(call, able)
        if len(may) > 1 and previous is not None:
            waited = [a for a in may if a != previous[0]]  # with one waiter, that one, always
            may = waited if len(waited) == 1 else may
        if not may:
            self.unattributed += self._paths.is_one
            raise ScheduleMissed(f"{call} belongs to nobody that could send it now")
        return may

    def _note(self, node: Node, actor: int, others: list[int], previous: tuple[int, Node] | None) -> None:
        """Learn from who came next while exactly one other actor was queued."""
        if previous is None or len(self._seats) != 2:
            return
        last, before = previous
        other = 1 - last
        if last in node.steps and other in before.steps and (actor == other or other in others):
            if other not in node.steps:
                return
            section = section_of(before, node, last, other)
            if actor == last:
                self.together[section] += 1
            else:
                self.apart.add(section)

    def _finish(self) -> RoundRecord:
        hung = [s for s in self._seats if s.is_hung]
        if not hung:
            self.strays += self.rig.await_late_work(self._seats)
        dead = [] if hung else self.rig.dead_among([self.rig.instances[0]])
        names = unanswered(self._seats, dead)
        for seat in hung:
            seat.link.give_up()
        record = self.rig.record(self._seats, self.runs, names, dead)
        if hung or dead:
            self.replaced += 1
            self.rig.proxy.gate = pass_all
            self.rig.instances[0].replace()
            self._seats = []
        return record

    def _run_out(self) -> None:
        self.rig.run_out(self._seats)
        self._decoys.end(self.rig.loop)
        if self.rig.instances[0].how_it_ended:
            self.replaced += 1
            self.rig.instances[0].replace()
        self._seats, self._waiting = [], None
