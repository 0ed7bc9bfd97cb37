"""Unmodified servers on one database proxy: started, watched, tidied and replaced.

A rig holds as many instances as there are actors (separate) or as a scenario asks for, all on one store. What
is done on it is a `Round`.
"""

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrace.actors import Conversation, is_smtp, reset, script_of
from mailrace.model.attempt import Word
from mailrace.model.errors import TargetError
from mailrace.model.operation import Message, Send, ServerOptions
from mailrace.model.own_trouble import ended_from_outside
from mailrace.steer.database_proxy.independence import Footprints
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.proxy import DatabaseProxy, pass_all
from mailrace.steer.database_proxy.quiet import Threads, threads_of, wait_quiet
from mailrace.steer.database_proxy.statement_text import BROADCAST_END, DECOY, is_background, text_of
from mailrace.steer.database_proxy.store import Store
from mailrace.steer.servers.broadcasts import Broadcasts
from mailrace.steer.servers.instance import Instance, Opener
from mailrace.steer.servers.liveness import Silence, dead_among, let_go
from mailrace.steer.servers.seat import Seat

ANSWER_S_MAX = 5.0
BROADCAST_S_MAX = 0.4
LATE_LOOK_S = 0.15
"""Work that begins later after the last reply is not looked for."""

LookedBehind = set[tuple[str, ...]]
"""Behind what late work was looked for: options of the server, kind of the operation, texts that it sent."""


@dataclass(slots=True)
class Rig:
    """See the module. `contents`: the messages of a user's own, as in the plan.

    is_fresh   its operations may hang the server in any order (`target: {fresh: yes}`)
    looked_behind   of servers of this program
    may_be_late   the schedule under way is one after which late work is looked for
    late_s     how long after its last reply a server was seen to send a statement still; 0: it never did
    empty      the store before any message
    """

    opener: Opener
    contents: Mapping[str, bytes] = field(default_factory=dict)
    options: ServerOptions = field(default_factory=ServerOptions)
    is_fresh: bool = False
    loop: Loop = field(default_factory=Loop)
    store: Store = field(default_factory=Store)
    instances: list[Instance] = field(default_factory=list)
    start_s: float = 0.0
    looked_behind: LookedBehind = field(default_factory=set)
    may_be_late: bool = False
    late_s: float = 0.0
    silence: Silence = field(default_factory=Silence)
    proxy: DatabaseProxy = field(init=False)
    broadcasts: Broadcasts = field(init=False)
    footprints: Footprints = field(init=False)
    empty: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.proxy = DatabaseProxy(self.loop, self.store)
        self.broadcasts = Broadcasts(self.proxy)

    def start(self, instances: int) -> None:
        """Start that many servers. Raises TargetError."""
        began = time.monotonic()
        for _ in range(instances):
            instance = Instance(self.loop, self.proxy, self.opener)
            self.instances.append(instance)
            instance.start()
        self.settle()
        # Given messages are stored next.
        self.broadcasts.follow(range(instances), time.monotonic())
        self.empty = self.store.snapshot()
        self.footprints = Footprints(self.store.connection)
        self.start_s = time.monotonic() - began

    def stop(self) -> None:
        """End every server; may be called twice."""
        for instance in self.instances:
            instance.stop()
        self.proxy.close()
        self.loop.close()

    def settle(self) -> bool:
        """Wait until every server is quiet; whether it came."""
        return wait_quiet(self.loop, [i.pid for i in self.instances])

    def replace(self, instance: Instance) -> None:
        """Another server in the place of one that hangs or has ended."""
        self.proxy.gate = pass_all
        instance.replace()

    def pass_broadcast(self) -> None:
        """Let the broadcast pass that follows the given messages: its texts are those of an actor, too."""

        def is_there() -> bool:
            return any(text_of(s.sql) == BROADCAST_END for s in self.proxy.journal)

        self.proxy.journal.clear()
        self.loop.pump(is_there, BROADCAST_S_MAX)

    def outside(self) -> str:
        """What keeps our servers from answering without being their fault, in words; "" if nothing does."""
        ended = ((i, ended_from_outside(i.how_it_ended)) for i in self.instances)
        found = [f"the process of {i.target.name} was ended {how}" for i, how in ended if how]
        stopped = [i for i in self.instances if threads_of(i.pid) is Threads.STOPPED]
        found += [f"the process of {i.target.name} is {Threads.STOPPED}" for i in stopped]
        return self.proxy.trouble or next(iter(found), "")

    def run_out(self, seats: list[Seat]) -> None:
        """Let every operation under way end, whatever the store then holds, and tidy its link."""
        let_go(self.proxy)
        self.loop.pump(lambda: all(s.is_over or s.link.is_prepared for s in seats), 1.0)
        self._tidy(seats)

    def _tidy(self, seats: list[Seat]) -> None:
        """After a refusal the next schedule starts with RSET; what is left unanswered is given up."""
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
        return dead_among(self.loop, self.proxy, instances, self.silence) if instances else []

    def await_late_work(self, seats: list[Seat]) -> int:
        """Let what a server still does after its last reply end; how many statements of it there were.

        In schedules that `may_be_late` it is waited for `LATE_LOOK_S`, but not behind an operation that sent
        the same texts before and nothing late; after all others only where some was seen, half as long again
        as the latest of it took. The broadcast of the statistics does not count.
        """
        last = max(seats, key=lambda seat: seat.conversation.completed_ns, default=None)
        replied_ns = last.conversation.completed_ns if last is not None else 0
        if last is None or not replied_ns:
            return 0
        wait_s = 1.5 * self.late_s
        sent = [text_of(s.sql) for s in self.proxy.journal if s.actor == last.operation.key]
        known = (repr(self.options), last.operation.kind, *sent)
        if is_looked_for := self.may_be_late and known not in self.looked_behind:
            wait_s = LATE_LOOK_S
        if wait_s:
            self.loop.pump(lambda: time.monotonic_ns() - replied_ns > wait_s * 1e9, wait_s)
        late = [s for s in self.proxy.journal if s.arrived_ns > replied_ns and not is_background(s)]
        late = [s for s in late if text_of(s.sql) != DECOY and not s.is_held]
        # Where some came, each round has to learn it, so it is looked for there again.
        if is_looked_for and not late:
            self.looked_behind.add(known)
        self.late_s = max([self.late_s, *((s.arrived_ns - replied_ns) / 1e9 for s in late)])
        return len(late)

    def store_message(self, message: Message) -> None:
        """Store one given message through the first instance, nothing held. Raises TargetError."""
        instance = self.instances[0]
        link = instance.link("given", "smtp")
        operation = Send(key=message.key, message=message)
        script = script_of(operation, 1, {}, self.contents, link.parser, api=instance.target.addresses.api)
        conversation = Conversation(script, link.parser, hold_at=None)
        link.begin(conversation)
        self.loop.pump(lambda: conversation.is_over, ANSWER_S_MAX)
        ending = conversation.ending
        if ending is None or ending.word is not Word.ACCEPTED:
            told = f"{ending.code} {ending.text}" if ending else "nothing"
            raise TargetError(f"{instance.target.name}: the given message {message.key} was told {told}")
