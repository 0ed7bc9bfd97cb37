"""A planned round as it is set up on a rig: the store that its schedules start from, and their records."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from mailrace.actors import Conversation, relayed_of, script_of
from mailrace.model.attempt import RoundRecord, Stage, Stored, Word
from mailrace.model.errors import ScheduleMissed, TargetError
from mailrace.model.operation import Effect, PlannedRound, messages_of, protocol_of
from mailrace.steer.database_proxy.drawn import Drawn
from mailrace.steer.database_proxy.proxy import pass_all
from mailrace.steer.database_proxy.statement_text import Names
from mailrace.steer.servers.contents import Contents
from mailrace.steer.servers.instance import Instance
from mailrace.steer.servers.rest import Views
from mailrace.steer.servers.rig import ANSWER_S_MAX, Rig
from mailrace.steer.servers.seat import Seat, attempt_of, unanswered
from mailrace.steer.servers.stored import ids_by_key, read_stored


@dataclass(frozen=True, slots=True)
class Ended:
    """One schedule that came to its end.

    dead   servers that hang or have ended, to be replaced
    late   statements that came after the last reply
    """

    record: RoundRecord
    dead: tuple[Instance, ...]
    late: int


@dataclass(frozen=True, slots=True)
class Round:
    """See the module. Rounds may be nested: each puts its own store back before a schedule.

    ids        server IDs of the given messages, by key
    compared   what the store is compared with after each schedule
    views      what servers show of it over REST
    snapshot   the store once the given messages are in it
    drawn      what the server draws anew in each run, as far as it was seen
    """

    rig: Rig
    planned: PlannedRound
    ids: Mapping[str, str]
    compared: Contents
    views: Views
    snapshot: sqlite3.Connection
    drawn: Drawn = field(default_factory=Drawn)

    @property
    def actors(self) -> tuple[str, ...]:
        """The actors' names, by index."""
        return tuple(operation.key for operation in self.planned.operations)

    def put_back(self) -> None:
        """The store as it was after the given messages; an empty journal."""
        self.rig.store.restore(self.snapshot)
        self.rig.proxy.journal.clear()
        self.rig.proxy.trouble = ""
        self._relayed()

    def names(self) -> Names:
        """Fresh names for one schedule."""
        return replace(Names.of(self.planned, self.ids), drawn=self.drawn)

    def names_in_graph(self) -> Names:
        """The names by which the graph of states knows the server IDs, and what is drawn."""
        return replace(self.names(), values={v: name for name, v in self.drawn.literals.items()})

    def prepare(self, places: Sequence[Instance]) -> list[Seat]:
        """A conversation for each actor, at the instance of its place, up to its last byte.

        Raises TargetError where a server refuses or is silent before that; ScheduleMissed where that is
        nobody's fault but ours or a stranger's.
        """
        proxy = self.rig.proxy
        gate, logs_in = proxy.gate, any(protocol_of(o) == "pop3" for o in self.planned.operations)
        try:
            # A POP3 session reads the list when it logs in, which is no part of the schedule.
            proxy.gate = pass_all if logs_in else gate
            return self._prepared(places)
        except TargetError as wrong:
            if why := self.rig.outside():
                raise ScheduleMissed(why) from wrong
            raise
        finally:
            proxy.gate = gate
            if logs_in:
                proxy.journal.clear()

    def _prepared(self, places: Sequence[Instance]) -> list[Seat]:
        seats = []
        for index, (operation, place) in enumerate(zip(self.planned.operations, places, strict=True)):
            protocol = protocol_of(operation)
            link = place.link(f"{index}", protocol)
            api, auth = place.target.addresses.api, place.target.credentials.of(protocol)
            script = script_of(
                operation, 1, self.ids, self.rig.contents, link.parser, api=api, auth=auth, together=True
            )
            conversation = Conversation(script, link.parser, hold_at=Stage.REPLY)
            link.begin(conversation)
            seat = Seat(index, operation, place, link, conversation)
            seats.append(seat)
            if protocol == "pop3":
                # One login at a time: the list may be read in a transaction, of which the store has one.
                self._await_prepared([seat])
        if not self._await_prepared(seats):
            raise TargetError(f"{places[0].target.name}: an operation could not be prepared")
        for seat in seats:
            if seat.is_over:
                ending = seat.conversation.ending
                told = f"{ending.code or ''} {ending.text}".strip() if ending else ""
                raise TargetError(f"{seat.operation.key} was told {told or 'nothing'} before its last byte")
        return seats

    def _await_prepared(self, seats: Sequence[Seat]) -> bool:
        return self.rig.loop.pump(lambda: all(s.link.is_prepared or s.is_over for s in seats), ANSWER_S_MAX)

    def ended(self, seats: list[Seat], index: int, instances: Sequence[Instance]) -> Ended:
        """The record of a schedule whose actors have all ended or hang; `index` counts the schedules.

        Raises ScheduleMissed where a server is silent, or its store not shown, for no fault of its own.
        """
        hanging = list(dict.fromkeys(s.instance for s in seats if s.is_hung))
        # Of a server that hangs nothing more comes; of any other work may come that it does after its reply.
        late = 0 if hanging else self.rig.await_late_work(seats)
        dead = self.rig.dead_among([i for i in instances if i not in hanging])
        for seat in seats:
            if seat.is_hung:
                seat.link.give_up()
        record = self._record(seats, index, dead, hanging)
        return Ended(record, (*hanging, *dead), late)

    def _record(
        self, seats: list[Seat], index: int, dead: list[Instance], hanging: list[Instance]
    ) -> RoundRecord:
        """The round as the checkers see it, with the store as it is now."""
        # Where a process has ended the round is one that crashed, not one that hung.
        crashed = [f"that of {i.target.name}, {how}" for i in dead if (how := i.how_it_ended)]
        attempts = sorted((attempt_of(s, self.planned.index) for s in seats), key=lambda a: a.completed_ns)
        told = {a.queued_as: a.message for a in attempts if a.queued_as and a.message}
        alive = [i for i in self.rig.instances if i not in (*dead, *hanging)]
        stored = self._stored(seats, alive, told)
        record = RoundRecord(
            index=index,
            plan=self.planned,
            ids=self.ids,
            attempts=tuple(attempts),
            offsets_us=(0.0,) * len(seats),
            skew_us=0.0,
            decoys=0,
            released_ns=min((a.released_ns or a.invoked_ns for a in attempts), default=0),
            stored=stored,
            hung=() if crashed else unanswered(seats, dead),
            crashed=crashed[0] if crashed else "",
        )
        relayed = relayed_of(self._relayed(), messages_of(self.planned), self.rig.contents)
        return replace(record, stored=replace(stored, changed=self.compared.changed(record), relayed=relayed))

    def _relayed(self) -> list[bytes]:
        """The mails that relays have got since the last call."""
        return [mail for instance in self.rig.instances for mail in instance.target.relayed()]

    def close(self) -> None:
        """Drop the copy of its store."""
        self.snapshot.close()

    def _stored(self, seats: Sequence[Seat], alive: Sequence[Instance], told: Mapping[str, str]) -> Stored:
        """See `stored_of` and `Views`; `told`: server IDs that replies named, with the keys of messages."""
        stored = stored_of(self.rig, self.compared, alive)
        if not alive:
            return stored
        known = {row_id: key for key, row_id in self.ids.items()} | {**told}
        is_shared = len({seat.instance.index for seat in seats}) < len(seats)
        look = self.views.seen_where_shared if is_shared else self.views.seen
        return look(stored, alive[0], known)


@contextmanager
def round_on(rig: Rig, planned: PlannedRound) -> Iterator[Round]:
    """See `set_up`. Once the block is left nothing of the round may be used any more."""
    round_ = set_up(rig, planned)
    try:
        yield round_
    finally:
        round_.close()


def set_up(rig: Rig, planned: PlannedRound) -> Round:
    """A round on an empty store, then with its given messages in their order. Raises TargetError."""
    rig.proxy.gate = pass_all
    rig.store.restore(rig.empty)
    for message in planned.given:
        rig.store_message(message)
    # What the server does after a store ends before anything is held, or it would be taken for an actor's.
    if planned.given and any(o.is_on_all or o.effect & Effect.POLLS for o in planned.operations):
        rig.pass_broadcast()
    rig.settle()
    compared = Contents(planned, rig.contents, rig.options)
    stored = stored_of(rig, compared, rig.instances[:1])
    compared.remember(stored, rig.store.connection)
    known = ids_by_key(stored)
    if lacking := [m.key for m in planned.given if m.key not in known]:
        name = rig.instances[0].target.name
        raise TargetError(f"{name}: the given message {lacking[0]} was accepted, and is not in the store")
    ids = {m.key: known[m.key] for m in planned.given}
    domain = next((message.domain for message in messages_of(planned).values()), "")
    return Round(rig, planned, ids, compared, Views(rig, domain), rig.store.snapshot())


def stored_of(rig: Rig, compared: Contents, alive: Sequence[Instance]) -> Stored:
    """What the store holds, as REST would show it, with the sources that an `alive` instance shows.

    Raises ScheduleMissed where they are not shown in time.
    """
    connection = rig.store.connection
    stored = read_stored(connection)
    if not alive:
        return stored
    wanted = compared.unread(stored, connection)
    links = [alive[0].get(f"/api/v1/message/{id_}/raw", f"raw{n}") for n, id_ in enumerate(wanted)]
    if not rig.loop.pump(lambda: all(link.is_idle for link in links), ANSWER_S_MAX):
        for link in links:
            link.give_up()
        raise ScheduleMissed(f"what is stored was not shown within {ANSWER_S_MAX:g} s")
    sources = {}
    for id_, link in zip(wanted, links, strict=True):
        ending = link.conversation.ending if link.conversation else None
        is_shown = ending is not None and ending.word is Word.ACCEPTED
        sources[id_] = ending.text if ending is not None and is_shown else None
    return compared.looked_at(stored, connection, sources)
