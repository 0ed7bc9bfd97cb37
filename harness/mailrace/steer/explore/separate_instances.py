"""A round with one instance an actor in, a `System` to explore out: every next statement is ours to pick.

Each instance carries one actor, and its one pool connection keeps at most one statement at the proxy. So an
actor has arrived when its statement waits there, or when its reply was read; nothing has to be quiet.
"""

import time
from dataclasses import dataclass, field

from mailrace.model.attempt import Word
from mailrace.model.errors import ScheduleMissed
from mailrace.steer.database_proxy.executions import Execution, TakenStep
from mailrace.steer.database_proxy.independence import Footprint, commute
from mailrace.steer.database_proxy.proxy import Statement
from mailrace.steer.database_proxy.quiet import wait_quiet
from mailrace.steer.database_proxy.statement_text import Names, text_of
from mailrace.steer.explore.habits import Habits
from mailrace.steer.servers.instance import Instance
from mailrace.steer.servers.liveness import place_of, why_silent
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round
from mailrace.steer.servers.seat import Seat

ARRIVE_S_MAX = 4.5
CALM_S = 0.06
"""Where no broadcast may come between, none is due so soon, nor in twice the time of the run before."""


@dataclass(slots=True)
class SeparateInstances:
    """A `System[Execution]` of real servers. Every actor's last byte is written at the start.

    habits   whose statements are that no text tells of
    """

    round_: Round
    runs: int = 0
    replaced: int = 0
    habits: Habits = field(default_factory=Habits)
    _seats: list[Seat] = field(default_factory=list)
    _waiting: dict[int, Statement] = field(default_factory=dict)
    _texts: dict[int, str] = field(default_factory=dict)
    """Of the statements that wait, as far as anyone asked."""
    _steps: list[TakenStep] = field(default_factory=list)
    _sent: list[int] = field(default_factory=list)
    _told_ns: list[int] = field(default_factory=list)
    """By actor: when it was released, or told something last."""
    _names: Names = field(init=False)
    _began: float = 0.0
    _took_s: float = 0.0
    _is_finished: bool = True

    @property
    def rig(self) -> Rig:
        """The servers."""
        return self.round_.rig

    def restart(self) -> None:
        """See `System`."""
        self.begin()
        for seat in self._seats:
            self._release(seat)
        self._await(range(len(self._seats)))

    def begin(self) -> None:
        """Let what is under way run out, put the store back, and prepare every actor up to its last byte."""
        self.end()
        self._began = time.monotonic()
        self._is_finished = False
        self.runs += 1
        self.rig.proxy.gate = self._gate
        # A broadcast between would be taken for the actors' own statements of its texts, if they have some.
        calm_s = max(CALM_S, 2 * self._took_s) if self.habits.own or self.habits.calm else 0.0
        self.rig.broadcasts.begin(range(len(self.round_.actors)), self._began, calm_s)
        self.round_.put_back()
        self._names = self.round_.names()
        self._waiting.clear()
        self._texts.clear()
        self._steps = []
        self._sent = [0] * len(self.round_.actors)
        self._told_ns = [0] * len(self.round_.actors)
        self.habits.begin()
        self._seats = self.round_.prepare(self.rig.instances[: len(self.round_.actors)])

    def alone(self, actor: int) -> None:
        """Release one actor and run it to its end while the others are held: for serial orders."""
        self._release(self._seats[actor])
        self._await([actor])
        while actor in self._waiting:
            self.step(actor)

    def _release(self, seat: Seat) -> None:
        seat.release()
        self._told_ns[seat.index] = time.monotonic_ns()

    def taken(self, actor: int) -> list[TakenStep]:
        """The steps that the actor has taken in this run."""
        return [step for step in self._steps if step.actor == actor]

    def is_all_taken(self, actor: int) -> bool:
        """Whether an actor that ran alone was accepted, and its server did nothing more behind the reply."""
        self.rig.may_be_late = True
        ending = self._seats[actor].conversation.ending
        is_accepted = ending is not None and ending.word is Word.ACCEPTED
        return is_accepted and not self.rig.await_late_work(self._seats)

    def enabled(self) -> tuple[int, ...]:
        """See `System`."""
        return tuple(sorted(self._waiting))

    def waiting(self, actor: int) -> str:
        """See `System`."""
        if actor not in self._texts:
            self._texts[actor] = self._names.call(self._waiting[actor])
        return self._texts[actor]

    def template(self, actor: int) -> str:
        """The text of the statement that waits, arguments left out."""
        return text_of(self._waiting[actor].sql)

    def commute(self, one: int, other: int) -> bool:
        """See `System`. A transaction of several requests is known only once it ran: taken as dependent."""
        mine, its = self._waiting[one].calls, self._waiting[other].calls
        return commute(self.rig.store.connection, self.rig.footprints, mine, its)

    def touches(self, actor: int) -> Footprint:
        """See `System`. Of a transaction of several requests nothing is known before it ran."""
        return self.rig.footprints.of_step(self._waiting[actor].calls)

    def step(self, actor: int) -> None:
        """See `System`."""
        statements = []
        after_s = (self._waiting[actor].arrived_ns - self._told_ns[actor]) / 1e9
        while True:
            statement = self._waiting.pop(actor)
            self._texts.pop(actor, None)
            statements.append(statement)
            statement.is_late = self._seats[actor].is_over
            self.rig.proxy.release(statement)
            self._told_ns[actor] = time.monotonic_ns()
            self._await([actor])
            if not self.rig.store.connection.in_transaction or actor not in self._waiting:
                break
        call = "; ".join(self._names.call(s) for s in statements)
        self._steps.append(TakenStep(actor, tuple(statements), call, after_s))

    def finish(self) -> Execution:
        """See `System`."""
        self._took_s = time.monotonic() - self._began
        if self.habits.own:
            wait_quiet(self.rig.loop, [i.pid for i in self.rig.instances])
            if self.rig.broadcasts.has_come():
                raise ScheduleMissed("a broadcast of the server's came into it")
        ended = self.round_.ended(self._seats, self.runs, self.rig.instances)
        self.habits.end()
        self._is_finished = True
        self.end()
        for instance in ended.dead:
            self._replace(instance)
        return Execution(tuple(self._steps), ended.record, self._names, time.monotonic() - self._began)

    def _replace(self, instance: Instance) -> None:
        self.replaced += 1
        self.rig.replace(instance)
        self.habits.replaced(instance.index)

    def _gate(self, statement: Statement) -> bool:
        seat = self._seats[statement.instance] if statement.instance < len(self._seats) else None
        sent, is_waiting = 0, False
        if seat is not None:
            sent, is_waiting = self._sent[seat.index], seat.index in self._waiting
        if not self.habits.holds(statement, seat, sent, is_waiting=is_waiting) or seat is None:
            return False
        self._sent[seat.index] += 1
        statement.actor = seat.operation.key
        self._names.learn(statement)
        self._waiting[seat.index] = statement
        return True

    def _await(self, actors: list[int] | range) -> None:
        """Turn the loop until each of the actors has a statement waiting, has ended, or hangs."""
        self._await_step(actors)
        for seat in (self._seats[a] for a in actors):
            if patience_s := self.habits.patience_s(seat.index):
                # Once all is quiet its reply was read, if there was one: then what waits is sent behind it.
                wait_quiet(self.rig.loop, [seat.instance.pid])
                index = seat.index
                if seat.is_over and not self.rig.loop.pump(lambda: index in self._waiting, patience_s):  # noqa: B023
                    self.habits.done.add(index)

    def _await_step(self, actors: list[int] | range) -> None:
        def arrived() -> bool:
            return all(self._is_there(self._seats[a]) for a in actors)

        began, look_s = time.monotonic(), self.rig.silence.look_s
        until = began + look_s + ARRIVE_S_MAX
        while not self.rig.loop.pump(arrived, look_s):
            # Somebody is silent for longer than a statement takes. It hangs only if nothing else keeps it so.
            missing = [s for s in map(self._seats.__getitem__, actors) if not self._is_there(s)]
            silent = [seat.instance for seat in missing]
            why, place = why_silent(silent), place_of(self.rig.proxy, silent)
            if self._let_go_of_strays(missing):
                until = max(until, time.monotonic() + look_s)
            elif self.rig.proxy.trouble:
                raise ScheduleMissed(self.rig.proxy.trouble)
            elif not why and self.rig.silence.is_hang(began, place):
                for seat in missing:
                    seat.is_hung = True
                    seat.link.give_up()
                return
            if time.monotonic() >= until:
                why = why or "its silence has no cause that can be seen"
                raise ScheduleMissed(
                    f"no statement and no reply within {time.monotonic() - began:.1f} s: {why}"
                )
        self.rig.silence.ended(began)

    def _is_there(self, seat: Seat) -> bool:
        return seat.index in self._waiting or seat.is_over

    def _let_go_of_strays(self, seats: list[Seat]) -> bool:
        """Run what waits at the proxy of these instances though it is no actor's; whether there was any."""
        instances = {seat.instance.index for seat in seats}
        strays = [s for s in self.rig.proxy.waiting if s.instance in instances]
        for statement in strays:
            self.habits.strays[text_of(statement.sql)] += 1
            self.rig.proxy.release(statement)
        return bool(strays)

    def end(self) -> None:
        """Let what is under way run out: a cut schedule leaves its actors in the middle."""
        seats, self._seats = self._seats, []
        self.rig.run_out(seats)
        self.rig.broadcasts.follow((seat.instance.index for seat in seats), self._began)
        # A schedule that was cut leaves work behind its replies, which would come into the next one.
        if late_s := max((self.habits.patience_s(seat.index) for seat in seats), default=0.0):
            self.rig.loop.pump(lambda: False, late_s)
        self._waiting.clear()
        self._texts.clear()
        if not seats or self._is_finished:
            return
        for instance in [s.instance for s in seats if s.instance.how_it_ended]:
            self._replace(instance)
        for instance in self.rig.dead_among([s.instance for s in seats]):
            self._replace(instance)
