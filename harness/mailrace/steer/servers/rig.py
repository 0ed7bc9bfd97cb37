"""An opener of targets and a planned round in, servers on one proxy with the round's store out.

A rig holds as many instances as there are actors (separate) or as a scenario asks for, all on one store; the
given messages are stored once, and every order starts from that very store.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailrace.actors import Conversation, is_smtp, reset, script_of
from mailrace.model.attempt import RoundRecord, Stage, Stored, Word
from mailrace.model.errors import ScheduleMissed, TargetError
from mailrace.model.operation import Effect, Message, PlannedRound, Send, ServerOptions
from mailrace.model.own_trouble import ended_from_outside
from mailrace.steer.database_proxy.attribution import BROADCAST_END, DECOY, Names, is_background, text_of
from mailrace.steer.database_proxy.independence import Footprints
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.proxy import DatabaseProxy, pass_all
from mailrace.steer.database_proxy.quiet import Threads, threads_of, wait_quiet
from mailrace.steer.database_proxy.store import Store
from mailrace.steer.servers.contents import Contents
from mailrace.steer.servers.instance import Instance, Opener
from mailrace.steer.servers.liveness import dead_among, let_go
from mailrace.steer.servers.seat import Seat, attempt_of
from mailrace.steer.servers.stored import ids_by_key, read_stored

ANSWER_S_MAX = 5.0
BROADCAST_S_MAX = 0.4
LATE_LOOK_S = 0.15
"""Work that begins later after the last reply is not looked for."""
LATE_LOOKS = 2


@dataclass(slots=True)
class Rig:
    """See the module. `domain` and `contents` are those of the plan.

    is_fresh   its operations may hang the server in any order (`target: {fresh: yes}`)
    late_s   how long after its last reply a server was seen to send a statement still; 0: it never did
    """

    opener: Opener
    planned: PlannedRound
    domain: str
    contents: Mapping[str, bytes]
    options: ServerOptions = field(default_factory=ServerOptions)
    loop: Loop = field(default_factory=Loop)
    store: Store = field(default_factory=Store)
    instances: list[Instance] = field(default_factory=list)
    ids: Mapping[str, str] = field(default_factory=dict)
    start_s: float = 0.0
    is_fresh: bool = False
    late_s: float = 0.0
    _late_looks: int = 0
    proxy: DatabaseProxy = field(init=False)
    footprints: Footprints = field(init=False)
    compared: Contents = field(init=False)
    snapshot: sqlite3.Connection = field(init=False)
    _empty: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.proxy = DatabaseProxy(self.loop, self.store)

    def start(self, instances: int) -> None:
        """Start that many servers and store the given messages. Raises TargetError."""
        began = time.monotonic()
        for _ in range(instances):
            instance = Instance(self.loop, self.proxy, self.opener)
            self.instances.append(instance)
            instance.start()
        self.settle()
        self._empty = self.store.snapshot()
        self.footprints = Footprints(self.store.connection)
        self.load(self.planned)
        self.start_s = time.monotonic() - began

    def load(self, planned: PlannedRound) -> None:
        """Make `planned` the round: an empty store, then its given messages, stored in their order."""
        self.planned = planned
        self.proxy.gate = pass_all
        self.store.restore(self._empty)
        for message in planned.given:
            self._store(message)
        if planned.given and any(o.is_on_all or o.effect & Effect.POLLS for o in planned.operations):
            self._pass_broadcast()
        self.settle()
        self.compared = Contents(planned, self.contents, self.options)
        stored = self.stored(self.instances[:1])
        self.compared.remember(stored, self.store.connection)
        ids = ids_by_key(stored)
        self.ids = {m.key: ids[m.key] for m in planned.given}
        self.snapshot = self.store.snapshot()

    def _pass_broadcast(self) -> None:
        """Let the broadcast pass that follows the given messages: its texts are those of an actor, too."""

        def is_there() -> bool:
            return any(text_of(s.sql) == BROADCAST_END for s in self.proxy.journal)

        self.proxy.journal.clear()
        self.loop.pump(is_there, BROADCAST_S_MAX)

    def stop(self) -> None:
        """End every server; may be called twice."""
        for instance in self.instances:
            instance.stop()
        self.proxy.close()
        self.loop.close()

    def settle(self) -> bool:
        """Wait until every server is quiet; whether it came."""
        return wait_quiet(self.loop, [i.pid for i in self.instances])

    def put_back(self) -> None:
        """The store as it was after the given messages; an empty journal."""
        self.store.restore(self.snapshot)
        self.proxy.journal.clear()
        self.proxy.trouble = ""

    def names(self) -> Names:
        """Fresh names for one run."""
        return Names.of(self.planned, self.ids)

    def prepare(self, seats: list[int]) -> list[Seat]:
        """A conversation for each actor, at the instance of that index, up to its last byte.

        Raises TargetError where a server refuses or is silent before that; ScheduleMissed where that is
        nobody's fault but ours or a stranger's.
        """
        try:
            return self._prepared(seats)
        except TargetError as wrong:
            if why := self.outside():
                raise ScheduleMissed(why) from wrong
            raise

    def outside(self) -> str:
        """What keeps our servers from answering without being their fault, in words; "" if nothing does."""
        ended = ((i, ended_from_outside(i.how_it_ended)) for i in self.instances)
        found = [f"the process of {i.target.name} was ended {how}" for i, how in ended if how]
        stopped = [i for i in self.instances if threads_of(i.pid) is Threads.STOPPED]
        found += [f"the process of {i.target.name} is {Threads.STOPPED}" for i in stopped]
        return self.proxy.trouble or next(iter(found), "")

    def _prepared(self, seats: list[int]) -> list[Seat]:
        prepared = []
        for index, (operation, at) in enumerate(zip(self.planned.operations, seats, strict=True)):
            instance = self.instances[at]
            smtp = is_smtp(operation)
            link = instance.link(f"{index}", is_smtp=smtp)
            script = script_of(
                operation,
                1,
                self.ids,
                self.contents,
                link.parser,
                api=instance.target.addresses.api,
                together=True,
            )
            conversation = Conversation(script, link.parser, hold_at=Stage.REPLY)
            link.begin(conversation)
            prepared.append(Seat(index, operation, instance, link, conversation))
        if not self.loop.pump(lambda: all(s.link.is_prepared or s.is_over for s in prepared), ANSWER_S_MAX):
            raise TargetError(f"{prepared[0].instance.target.name}: an operation could not be prepared")
        for seat in prepared:
            if seat.is_over:
                ending = seat.conversation.ending
                told = f"{ending.code} {ending.text}" if ending else "nothing"
                raise TargetError(f"{seat.operation.key} was told {told} before its last byte")
        return prepared

    def run_out(self, seats: list[Seat]) -> None:
        """Let every operation under way end, whatever the store then holds, and tidy its link."""
        let_go(self.proxy)
        self.loop.pump(lambda: all(s.is_over or s.link.is_prepared for s in seats), 1.0)
        self.tidy(seats)

    def tidy(self, seats: list[Seat]) -> None:
        """After a refusal the next order starts with RSET; what is left unanswered is given up."""
        resetting = []
        for seat in seats:
            if not seat.is_over:
                seat.link.give_up()
            ending = seat.conversation.ending
            refused = ending is not None and ending.word is not Word.ACCEPTED
            if refused and seat.link.is_open and is_smtp(seat.operation):
                conversation = Conversation(reset(), seat.link.parser, hold_at=None)
                seat.link.begin(conversation)
                resetting.append(seat.link)
        if resetting and not self.loop.pump(lambda: all(k.is_idle for k in resetting), ANSWER_S_MAX):
            for link in resetting:
                link.give_up()

    def dead_among(self, instances: list[Instance]) -> list[Instance]:
        """See `liveness.dead_among`, which lets go of whatever is held. Raises ScheduleMissed."""
        return dead_among(self.loop, self.proxy, instances)

    def await_late_work(self, seats: list[Seat]) -> int:
        """Let what a server still does after its last reply end; how many statements of it there were.

        The first rounds of a rig wait `LATE_LOOK_S` for such work; later ones only where some was seen, and
        half as long again as the latest of it took. The broadcast of the statistics does not count.
        """
        replied_ns = max((s.conversation.completed_ns for s in seats), default=0)
        if not replied_ns:
            return 0
        self._late_looks += 1
        wait_s = LATE_LOOK_S if self._late_looks <= LATE_LOOKS else 1.5 * self.late_s
        if wait_s:
            self.loop.pump(lambda: time.monotonic_ns() - replied_ns > wait_s * 1e9, wait_s)
        late = [s for s in self.proxy.journal if s.arrived_ns > replied_ns and not is_background(s)]
        late = [s for s in late if text_of(s.sql) != DECOY]
        self.late_s = max([self.late_s, *((s.arrived_ns - replied_ns) / 1e9 for s in late)])
        return len(late)

    def stored(self, alive: Sequence[Instance]) -> Stored:
        """What the store holds, as REST would show it, with the sources that an `alive` instance shows.

        Raises ScheduleMissed where they are not shown in time.
        """
        connection = self.store.connection
        stored = read_stored(connection)
        if not alive:
            return stored
        wanted = self.compared.unread(stored, connection)
        links = [alive[0].get(f"/api/v1/message/{id_}/raw", f"raw{n}") for n, id_ in enumerate(wanted)]
        if not self.loop.pump(lambda: all(k.is_idle for k in links), ANSWER_S_MAX):
            for link in links:
                link.give_up()
            raise ScheduleMissed(f"what is stored was not shown within {ANSWER_S_MAX:g} s")
        sources = {}
        for id_, link in zip(wanted, links, strict=True):
            ending = link.conversation.ending if link.conversation else None
            is_shown = ending is not None and ending.word is Word.ACCEPTED
            sources[id_] = ending.text if ending is not None and is_shown else None
        return self.compared.looked_at(stored, connection, sources)

    def record(
        self, seats: list[Seat], index: int, hung: tuple[str, ...], dead: Sequence[Instance]
    ) -> RoundRecord:
        """The round as the checkers see it, with the store as it is now.

        Where one of the `dead` instances has no process any more the round is one that crashed, not hung.
        """
        ended = [f"that of {i.target.name}, {how}" for i in dead if (how := i.how_it_ended)]
        hanging = [*dead, *(s.instance for s in seats if s.is_hung)]
        stored = self.stored([i for i in self.instances if i not in hanging])
        attempts = sorted((attempt_of(s, self.planned.index) for s in seats), key=lambda a: a.completed_ns)
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
            hung=() if ended else hung,
            crashed=ended[0] if ended else "",
        )
        return replace(record, stored=replace(stored, changed=self.compared.changed(record)))

    def _store(self, message: Message) -> None:
        """Store one given message through the first instance, nothing held."""
        instance = self.instances[0]
        link = instance.link("given", is_smtp=True)
        operation = Send(key=message.key, message=message)
        script = script_of(operation, 1, {}, self.contents, link.parser, api=instance.target.addresses.api)
        conversation = Conversation(script, link.parser, hold_at=None)
        link.begin(conversation)
        self.loop.pump(lambda: conversation.is_over, ANSWER_S_MAX)
        ending = conversation.ending
        if ending is None or ending.word is not Word.ACCEPTED:
            told = f"{ending.code} {ending.text}" if ending else "nothing"
            raise TargetError(f"{instance.target.name}: the given message {message.key} was told {told}")
