"""Runs rounds of one plan on one target and gives their RoundRecords; connections are kept between rounds.

In a round the given messages are stored and every actor is brought to its held byte; after the quiet all are
released, replies are read, and failed senders try again. Nothing is judged or verified here:
`mailrace.race.verify` reads the store when the traffic is quiet.
"""

import gc
import time
from dataclasses import replace

from mailrace.actors import Link, Loop, all_idle, is_smtp, release_together
from mailrace.history import Journal
from mailrace.model.attempt import Attempt, Loss, Outcome, RoundRecord, Word
from mailrace.model.operation import Message, PlannedRound, Send, protocol_of
from mailrace.model.target import Target
from mailrace.race.client import Client, record_of
from mailrace.race.connections import Connections
from mailrace.race.ending import ended_round
from mailrace.race.free import FreeActors
from mailrace.race.hang import hangs
from mailrace.race.limits import LIMITS, Limits
from mailrace.race.patience import Patience, Waited
from mailrace.race.prepare import Prepared, prepare
from mailrace.race.tuner import Draw
from mailrace.scenario import Plan

QUIET_S = {"rate": 0.020, "throughput": 0.0002}
"""Quiet before the release, by profile. In `rate` the server's threads have gone to sleep by then; in
`throughput` they have only left the processors, which is what a hit needs. No round is prepared ahead,
because sending while another round is answered costs that one 0.2 to 0.3 of its hit rate."""
CLOSELY_MAX = {"rate": 10_000, "throughput": 20}
"""How many mails of a block are looked at closely; a look at one takes half as long as a quick round."""
SENTINEL_INDEX = 99_999
"""The round index of mails that belong to no round."""
DECOY_LEAD_S = {"rate": 0.003, "throughput": 0.0005}
"""How long decoy readers poll before the release, so that they stand in the server's queue already."""


class Lane:
    """Runs the rounds of `plan` on a started `target`; `name` is its word in the journal.

    at   where the actors are held, instead of the scenario's own; "barrier" is `free` with a barrier
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        target: Target,
        journal: Journal,
        *,
        profile: str,
        at: str = "",
        limits: Limits = LIMITS,
    ) -> None:
        self.name = name
        self.limits = limits
        self.plan = plan
        self.target = target
        self._journal = journal
        self._at: str = at or plan.scenario.release.at
        self._quiet_s, self._decoy_lead_s = QUIET_S[profile], DECOY_LEAD_S[profile]
        self.closely_max = CLOSELY_MAX[profile]
        self._together = profile == "throughput" and target.is_ours
        self._loop = Loop()
        self._connections = Connections(self._loop, target, limits.connect_s)
        self._client = Client(plan, target, self._loop, limits)
        self._links: list[Link] = []
        self._free: FreeActors | None = None

    def run(self, index: int, draw: Draw) -> RoundRecord:
        """Run round `index`; the record has no `stored` yet."""
        if self._at in ("free", "barrier"):
            return self._run_free(index)
        prepared = self._prepare(index)
        record = _begun(prepared, draw.offsets_us(prepared.planned.operations), draw.decoys)
        self._journal.begin(self.name, record)
        if not prepared.lost:
            record = self._fire(prepared, record)
        for actor, (operation, conversation) in enumerate(
            zip(record.plan.operations, prepared.conversations, strict=False)
        ):
            raced = record_of(conversation, operation, index, actor, 1)
            link = prepared.links[actor]
            self._client.after(operation, link, raced)
            prepared.attempts += [raced, *self._client.retries(operation, link, raced, prepared.ids)]
        return self._finish(record, prepared.attempts)

    def serially(self, planned: PlannedRound, order: tuple[int, ...]) -> RoundRecord:
        """A round's operations one after the other, each answered before the next; no retries.

        `order` holds indices of `planned.operations`; one that is missing is left out.
        """
        prepared = Prepared(planned, self._kept_links(planned))
        prepared.give(self._client.store_given(planned, self._connections.setup()))
        record = replace(
            _begun(prepared, (0.0,) * len(planned.operations), 0), released_ns=time.monotonic_ns()
        )
        order = order if not prepared.lost else ()
        # A POP3 session that is raced has logged in before the release, so here it does before them all.
        logged_in = {actor for actor in order if protocol_of(planned.operations[actor]) == "pop3"}
        for actor in logged_in:
            self._client.hold(planned.operations[actor], prepared.links[actor], prepared.ids)
        for actor in order:
            operation, link = planned.operations[actor], prepared.links[actor]
            if actor in logged_in:
                conversation = self._client.let_go(link)
                attempt = record_of(conversation, operation, planned.index, actor, 1)
            else:
                prepared.attempts += self._client.lead(operation, link, planned.index, actor)
                attempt = self._client.attempt(operation, link, planned.index, actor, prepared.ids, 1)
            self._client.after(operation, link, attempt)
            prepared.attempts.append(attempt)
            # A server may go on working after its reply; the next operation must not meet that work.
            time.sleep(self.limits.serial_quiet_s)
        return self._ended(record, prepared.attempts)

    def send_alone(self, message: Message) -> bool:
        """Send a mail of no round, with nothing beside it; whether it was accepted."""
        send = Send(key=message.key, message=message)
        attempt = self._client.attempt(send, self._connections.setup(), SENTINEL_INDEX, -1, {}, 1)
        return attempt.outcome is Outcome.OK

    @property
    def patience(self) -> Patience:
        """How long it waits for replies."""
        return self._client.patience

    def drop(self) -> None:
        """Close every connection (the target was restarted, or the lane ends)."""
        self._connections.close()
        self._links = []
        if self._free is not None:
            self._free.close()
            self._free = None

    def close(self) -> None:
        """End the lane; its target goes on."""
        self.drop()
        self._loop.close()

    def _kept_links(self, planned: PlannedRound) -> list[Link]:
        self._links = self._links or self._connections.for_actors(planned.operations)
        return self._links

    def _prepare(self, index: int) -> Prepared:
        planned = self.plan.round(index)
        links = self._kept_links(planned)
        return prepare(planned, links, self._at, self._client, self._connections, together=self._together)

    def _fire(self, prepared: Prepared, record: RoundRecord) -> RoundRecord:
        """Release all, and run until every reply is there or its limit has passed."""
        links = prepared.links
        time.sleep(self._quiet_s)
        # The server rests now. Decoys begin to queue for its connection a little before the release.
        decoys = self._connections.decoys(record.decoys)
        for decoy in decoys:
            decoy.start()
        if decoys:
            self._loop.run(lambda: False, self._decoy_lead_s)
        gc.disable()  # a collection between two releases would spread them
        try:
            released_ns, skew_us = release_together(links, list(record.offsets_us))
        finally:
            gc.enable()
        # All are released. An actor that has no whole reply when the wait ends is given up.
        self._client.wait(links, all_idle(links))
        for decoy in decoys:
            decoy.stop()
        for link in links:
            if not link.is_idle:
                link.give_up()
        record = replace(record, released_ns=released_ns, skew_us=skew_us)
        if skew_us <= self.limits.skew_us:
            return record
        lost = f"the releases spread over {skew_us:.0f} µs around their plan"
        return replace(record, lost=lost, loss=Loss.DROPPED)

    def _finish(self, record: RoundRecord, attempts: list[Attempt]) -> RoundRecord:
        attempts.sort(key=lambda a: a.completed_ns)
        for attempt in attempts:
            self._journal.attempt(self.name, attempt)
        record = self._ended(record, attempts)
        self._journal.end(self.name, record)
        return record

    def _ended(self, record: RoundRecord, attempts: list[Attempt]) -> RoundRecord:
        """The record with its attempts, and with what the server did beside them."""
        against, self._client.noticed = tuple(dict.fromkeys(self._client.noticed)), []
        waits, self._client.waits = self._client.waits, []
        return ended_round(replace(record, against=against), attempts, waits, self.target)

    def _run_free(self, index: int) -> RoundRecord:
        """A round of the baseline: nobody is held, the thread pool decides."""
        planned = self.plan.round(index)
        prepared = Prepared(planned, [])
        setup = self._connections.setup()
        prepared.give(self._client.store_given(planned, setup))
        operations = planned.operations
        record = _begun(prepared, (0.0,) * len(operations), 0)
        self._journal.begin(self.name, record)
        if not prepared.lost:
            if self._free is None:
                wait = self._at == "barrier"
                self._free = FreeActors(operations, self.target, self.limits.reply_s, wait=wait)
            record = replace(record, released_ns=time.monotonic_ns())
            raced = self._free.race(operations, prepared.ids, self.plan.contents, index)
            if any(attempt.word is Word.TIMED_OUT for attempt in raced):
                why = f"it was not done within {self._free.whole_s:g} s"
                self._client.waits.append(Waited(is_hang=hangs(self.target, self.limits.reply_s), why=why))
            for operation, attempt in zip(operations, raced, strict=True):
                link = setup if is_smtp(operation) else self._connections.for_actors([operation])[0]
                again = self._client.retries(operation, link, attempt, prepared.ids)
                prepared.attempts += [attempt, *again]
        return self._finish(record, prepared.attempts)


def _begun(prepared: Prepared, offsets_us: tuple[float, ...], decoys: int) -> RoundRecord:
    return RoundRecord(
        index=prepared.planned.index,
        plan=prepared.planned,
        ids=prepared.ids,
        attempts=(),
        offsets_us=offsets_us,
        skew_us=0.0,
        decoys=decoys,
        released_ns=0,
        lost=prepared.lost,
        loss=prepared.loss,
    )
