"""Takes rounds of a lane whose traffic is quiet; gives the same rounds with what the store held.

The store is read in pages, once for a block of rounds: a few requests for a thousand messages. A row is known
to be a round's by the message's key, a tag by its name. On a server of ours every row has to be accounted
for, so a row that is no planned copy goes to the round that it names, else to the last one. Rows of earlier
blocks are looked at again as long as the store is not emptied, with a sample of their sources (`/raw`).
"""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailrace.check import differences, may_touch, tag_key, tags_it_may_hold
from mailrace.history import Journal
from mailrace.model.attempt import (
    Changed,
    Disagreement,
    LogLine,
    Outcome,
    RoundRecord,
    Stored,
    StoredMessage,
)
from mailrace.model.errors import TargetError
from mailrace.model.operation import Effect, Operation, ServerOptions, messages_of
from mailrace.model.target import Liveness, Target
from mailrace.race.clock import Clock
from mailrace.race.hang import LOOK_S, hangs
from mailrace.race.late import Late
from mailrace.race.samples import (
    Identity,
    Origin,
    Sampler,
    count,
    count_asked,
    counted_words,
    identity,
    origins_of,
)
from mailrace.race.views import (
    arrived_before,
    gone_of,
    is_comparable,
    is_lacking,
    named_by,
    not_read,
    spread,
    tags_by_round,
    with_relayed,
    without_strangers_marks,
)
from mailrace.scenario import Plan

SETTLE_S_MAX = 2.0
EMPTY_ABOVE = 400
"""A store of ours that holds more messages than this is emptied: pages stay short, memory flat."""
AGAIN_MAX = 4
"""How many rows of earlier blocks a look reads the source of again."""
SERIAL = "serial"
"""The lane of rounds whose operations ran one after the other."""
_LOG_BEFORE_NS = 2_000_000
_LOG_AFTER_NS = 50_000_000


@dataclass(slots=True)
class _Known:
    """A row as it was last seen, and where it came from."""

    row: StoredMessage
    origin: Origin


class Verifier:
    """Reads the store of one lane's target for its rounds; looks at some of each block's mails closely."""

    def __init__(
        self, plan: Plan, options: ServerOptions, target: Target, journal: Journal, closely_max: int
    ) -> None:
        self._plan = plan
        self._options = options
        self._target = target
        self._journal = journal
        self._sampler, self._closely_max = Sampler(plan, target), closely_max
        self._clock = Clock()
        self.late = Late(target)
        self._pid: int | None = None
        self._known: dict[Identity, _Known] = {}
        """Rows that were seen since the store was last empty."""
        self._foreign: set[str] = set()
        """IDs of rows that were already told as belonging to nobody."""
        self._unsure: set[str] = set()
        """Keys of messages whose rows may still come: not verified yet, or with an unknown outcome."""
        self._edits: list[Operation] = []
        """What ran since the known rows were last seen, and may have touched them."""
        self._counts: Counter[str] = Counter()
        self._not_emptied: TargetError | None = None
        """Why the store could not be emptied, where that failed."""

    def look(self, records: Sequence[RoundRecord], lane: str) -> tuple[RoundRecord, ...]:
        """The records with `stored` and `log`; `lost` where the store could not be read.

        A server that answers nobody although nothing is under way hangs since the last of the rounds, because
        each earlier round was followed by requests that were answered.
        """
        if not records:
            return ()
        self._note(records)
        last, is_ours = records[-1], self._target.is_ours
        # A server that is known to hang needs a short look only: it still waits for the same connection.
        if is_ours and last.hung and self._target.liveness(LOOK_S) is Liveness.HUNG:
            return tuple(records)
        if is_ours and not last.hung and hangs(self._target):
            return (*records[:-1], replace(last, hung=("a look at the store",)))
        if (before := self._not_emptied) is not None:
            self._empty()
            return not_read(records, before)
        try:
            whole = self._when_settled(records)
            new = [row for row in whole.messages if identity(row) not in self._known]
            closely = self._sampler.closely(new, len(new) if lane == SERIAL else self._closely_max)
            # A server keeps messages in memory for some seconds only, so its views are asked first.
            two_views = self._disagreeing(records, whole, closely)
            parts = self._parted(records, whole, closely)
            changed = self._changed(lane, whole)
        except TargetError as wrong:
            return not_read(records, wrong)
        parts = with_relayed(records, parts, self._target.relayed(), self._plan.contents)
        parts[-1] = replace(parts[-1], changed=changed)
        spread(two_views, parts, records)
        self._remember(records, parts, whole)
        if lane != SERIAL:
            count(self._counts, parts)
        found = []
        for record, stored in zip(records, parts, strict=True):
            self._journal.stored(lane, record.index, stored)
            found.append(replace(record, stored=stored, log=self._log_of(record)))
        if self._target.is_ours and len(whole.messages) > EMPTY_ABOVE:
            self._empty()
        return tuple(found)

    def _empty(self) -> None:
        """Empty the store. Where that fails, it is not known what the server still deletes, and when."""
        self.forget()
        try:
            self._target.empty()
        except TargetError as wrong:
            self._not_emptied = wrong

    def _disagreeing(
        self, records: Sequence[RoundRecord], whole: Stored, closely: frozenset[str]
    ) -> tuple[Disagreement, ...]:
        """Where other views differ from the list of the whole store."""
        if not is_comparable(self._target, records):
            return ()
        gone = gone_of(whole, records)
        count_asked(self._counts, len(gone), [row for row in whole.messages if row.id in closely])
        others = {row.id for row in whole.messages} - closely
        return self._target.disagreements(whole, self._plan.domain, gone, others)

    @property
    def note(self) -> str:
        """See `counted_words`."""
        return counted_words(self._counts)

    def _note(self, records: Sequence[RoundRecord]) -> None:
        """Take down what ran, before anything can go wrong; a server started anew has another store."""
        if (pid := self._target.pid()) != self._pid:
            self.forget()
            self._pid = pid
        for record in records:
            self._edits += record.plan.operations
            self._unsure.update(messages_of(record.plan))

    def forget(self) -> None:
        """The store is another one, or empty."""
        self._known.clear()
        self._foreign.clear()
        self._unsure.clear()
        self._edits.clear()
        self._not_emptied = None

    def _when_settled(self, records: Sequence[RoundRecord]) -> Stored:
        """What is stored; after an unknown outcome, once two looks agree, since the mail may still come."""
        stored = self._target.stored(self._plan.domain)
        is_open = any(a.outcome is Outcome.UNKNOWN for r in records for a in r.attempts)
        most_s = SETTLE_S_MAX if is_open else self.late.wait_s()
        began = time.monotonic()
        while is_open or is_lacking(records, stored, self._options):
            if time.monotonic() - began > most_s:
                self.late.waited_in_vain()
                break
            time.sleep(0.1)
            before, stored = stored, self._target.stored(self._plan.domain)
            if is_open and before == stored:
                break
        return stored

    def _parted(self, records: Sequence[RoundRecord], whole: Stored, closely: frozenset[str]) -> list[Stored]:
        """What the store holds, round by round, without rows that are known already."""
        # Each new row goes to the round whose message it is a copy of, else to the one that it names.
        owner = {key: at for at, record in enumerate(records) for key in messages_of(record.plan)}
        rows: dict[int, list[StoredMessage]] = defaultdict(list)
        for row in whole.messages:
            at = owner.get(row.key)
            if identity(row) in self._known or row.id in self._foreign:
                continue
            if at is None and row.key in self._unsure:
                continue
            if at is None and self.late.has_come(row):
                self._foreign.add(row.id)
                continue
            rows[named_by(row, records) if at is None else at].append(row)
        if not self._target.is_ours:
            without_strangers_marks(rows, records, self._options)
        tags = tags_by_round(whole, self._plan.run)
        # The costly looks come last, and only at rows that are copies of what was sent.
        origins = {key: o for record in records for key, o in origins_of(record.plan).items()}
        planned = [row for part in rows.values() for row in part if row.key in origins and row.id in closely]
        sources = self._sampler.sources(planned, origins)
        searches = self._sampler.searches(planned, origins)
        # Where a server is not ours, it cannot be seen whether its clock was set back.
        is_timed = self._target.is_ours and self._clock.is_steady()
        seen = [known.row for known in self._known.values()]
        earlier = arrived_before(records, rows, seen) if is_timed else [None] * len(records)
        return [
            Stored(
                earlier=earlier[at],
                messages=tuple(replace(row, source=sources.get(row.id)) for row in rows[at]),
                tags=tuple(tags[record.plan.token]),
                searches=tuple(searches[key] for key in messages_of(record.plan) if key in searches),
            )
            for at, record in enumerate(records)
        ]

    def _changed(self, lane: str, whole: Stored) -> tuple[Changed, ...]:
        """Known rows that are no longer what they were, though no operation since then may touch them.

        Not on a server that is not ours: others may delete, tag and read there what they like.
        """
        if not self._target.is_ours:
            return ()
        now = {identity(row): row for row in whole.messages}
        origins = {known.row.key: known.origin for known in self._known.values()}
        present = [known.row for one, known in self._known.items() if one in now]
        sources = self._sampler.sources(present, origins, 0 if lane == SERIAL else AGAIN_MAX)
        if lane != SERIAL:
            self._counts.update({"again": len(self._known), "compared again": len(sources)})
        found = []
        for one, known in self._known.items():
            if one not in now:
                if not self._may_touch(known, Effect.DELETES):
                    found.append(Changed(before=known.row, after=None))
                continue
            after = replace(self._without_excused(known, now[one]), source=sources.get(known.row.id))
            if differences(known.row, after):
                found.append(Changed(before=known.row, after=after))
        return tuple(found)

    def _without_excused(self, known: _Known, after: StoredMessage) -> StoredMessage:
        """The row as it is now, except in what the operations since then may have changed."""
        if after.tags != known.row.tags and self._may_touch(known, Effect.TAGS):
            after = replace(after, tags=known.row.tags)
        if after.read != known.row.read and self._may_touch(known, Effect.MARKS):
            after = replace(after, read=known.row.read)
        return after

    def _may_touch(self, known: _Known, effect: Effect) -> bool:
        edits = [one for one in self._edits if one.effect & effect]
        held = tags_it_may_hold(known.origin.message, self._edits, self._options)
        held |= frozenset(map(tag_key, known.row.tags))
        return any(may_touch(edit, known.origin.message, held) for edit in edits)

    def _remember(self, records: Sequence[RoundRecord], parts: Sequence[Stored], whole: Stored) -> None:
        """What is there now is known from here on; what ran up to here can touch it no more."""
        origins = {key: o for record in records for key, o in origins_of(record.plan).items()}
        now = {identity(row): row for row in whole.messages}
        self._known = {
            one: _Known(replace(now[one], source=known.row.source), known.origin)
            for one, known in self._known.items()
            if one in now
        }
        new = [row for part in parts for row in part.messages]
        self._known |= {identity(row): _Known(row, origins[row.key]) for row in new if row.key in origins}
        self._foreign |= {row.id for row in new if row.key not in origins}
        self.late.expect(records, parts, self._options)
        # An operation without an answer may still take effect after this look.
        unknown = [a for r in records for a in r.attempts if a.outcome is Outcome.UNKNOWN]
        self._unsure -= origins.keys() - {a.message for a in unknown}
        operations = {(record.index, o.key): o for record in records for o in record.plan.operations}
        self._edits = [
            operations[a.round, a.operation] for a in unknown if (a.round, a.operation) in operations
        ]

    def _log_of(self, record: RoundRecord) -> tuple[LogLine, ...]:
        if not record.released_ns:
            return ()
        last_ns = max((a.completed_ns for a in record.attempts), default=record.released_ns) + _LOG_AFTER_NS
        lines = self._target.log_since(record.released_ns - _LOG_BEFORE_NS)
        return tuple(line for line in lines[:200] if line.t_ns <= last_ns)
