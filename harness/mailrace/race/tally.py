"""Takes judged rounds, one by one; gives counts, witnesses and samples of a ScenarioResult. Memory flat."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from mailrace.check import Break, break_of, expected_copies, explain, needs_race, replies
from mailrace.model.anomaly import Anomaly, AnomalyName, Weight
from mailrace.model.attempt import Loss, Outcome, RoundRecord
from mailrace.model.operation import PlannedRound, ServerOptions
from mailrace.model.result import Block, ScenarioResult, Spread, Witness

WITNESSES_MAX = 3
"""How many witnesses of each anomaly are kept, with their whole rounds."""
SAMPLE_MAX = 6
"""How many clean rounds are kept, for the timeline."""
NOTES_MAX = 10
REPLIES_MAX = 50


@dataclass(frozen=True, slots=True)
class Judged:
    """A round with its findings; `not_looked` says why it counts for nothing, "" if it counts.

    broken_serially   anomalies that show when the operations run one after the other as well: no race
    """

    record: RoundRecord
    anomalies: tuple[Anomaly, ...]
    not_looked: str
    broken_serially: tuple[Anomaly, ...] = ()

    @property
    def loss(self) -> Loss | None:
        """Who caused it that the round does not count; None where it counts.

        Whatever went wrong after the release was the server's doing, and so was a store that could not be
        read.
        """
        if self.is_counted:
            return None
        if self.record.lost and self.record.loss is not None:
            return self.record.loss
        return Loss.UNVERIFIED if self.record.stored is None else Loss.REFUSED

    @property
    def is_hit(self) -> bool:
        """Whether it shows an anomaly of weight RACE."""
        return any(a.name.weight is Weight.RACE for a in self.anomalies)

    @property
    def is_counted(self) -> bool:
        """Whether the round counts as looked at, as a hit always does."""
        return self.is_hit or not self.not_looked


class Tally:
    """Counts the judged rounds of one lane."""

    def __init__(self, options: ServerOptions, replay: str) -> None:
        self.options = options
        self._replay = replay
        self._block_start = (0, 0)
        self.rounds = 0
        self.losses: Counter[Loss] = Counter()
        self.hits = 0
        self.anomalies: Counter[str] = Counter()
        self.broken_serially: Counter[str] = Counter()
        self.replies: Counter[str] = Counter()
        self.skew_us: list[float] = []
        self.witnesses: list[Witness] = []
        self.sample: list[RoundRecord] = []
        self.blocks: list[Block] = []
        self.expected = (0, 0)
        self.found = 0
        self.not_looked: list[str] = []
        self._accepted: Counter[str] = Counter()
        self._hits: dict[int, tuple[int, Counter[Break]]] = {}
        """Of each hit, by its round's index, the block and the kinds of its anomalies."""

    def add(self, judged: Judged) -> None:
        """Count one round."""
        record = judged.record
        if judged.is_counted:
            self.rounds += 1
            self.hits += judged.is_hit
            self.skew_us.append(record.skew_us)
            if judged.is_hit:
                races = (a for a in judged.anomalies if a.name.weight is Weight.RACE)
                kinds = Counter(break_of(a, record.plan) for a in races)
                self._hits[record.index] = len(self.blocks), kinds
        elif judged.loss is not None:
            self.losses[judged.loss] += 1
        # What breaks without a race is counted in lost rounds as well: it is told, and it is no hit.
        self.broken_serially.update(
            str(a.name) for a in judged.broken_serially if a.name.weight is Weight.RACE
        )
        # A run may lose thousands of rounds for the same reason; the first few sentences say it all.
        is_new = judged.not_looked and judged.not_looked not in self.not_looked
        if is_new and len(self.not_looked) < NOTES_MAX:
            self.not_looked.append(judged.not_looked)
        for reply in replies(record):
            if reply in self.replies or len(self.replies) < REPLIES_MAX:
                self.replies[reply] += 1
        self._accepted.update(
            a.operation for a in record.attempts if a.actor >= 0 and a.outcome is Outcome.OK
        )
        # What was promised and what was found are compared over all rounds that were read, lost ones too.
        if record.stored is not None:
            least, most = expected_copies(record, self.options)
            self.expected = (self.expected[0] + least, self.expected[1] + most)
            self.found += len(record.stored.messages)
        self._keep(judged)

    def take_back(self, breaks: Collection[Break]) -> dict[int, frozenset[str]]:
        """Count as broken without a race what was counted as one before it showed one after the other.

        Gives the names that a round does not show any more, by the round's index.
        """
        taken: dict[int, frozenset[str]] = {}
        for index, (_, kinds) in list(self._hits.items()):
            if gone := {kind for kind in kinds if not needs_race(kind, breaks)}:
                self.broken_serially.update({kind[0]: kinds[kind] for kind in gone})
                taken[index] = self._shows_no(index, gone)
        return taken

    def take_late(self, index: int, why: str) -> frozenset[str]:
        """Count for nothing a round whose missing mail came later; the names that it does not show any more.

        A round that shows more than that stays a hit.
        """
        block, kinds = self._hits.get(index, (0, Counter[Break]()))
        missing = {kind for kind in kinds if kind[0] is AnomalyName.ACCEPTED_BUT_MISSING}
        if not missing:
            return frozenset()
        taken = self._shows_no(index, missing)
        if not self.is_hit(index):
            self.rounds -= 1
            self.losses[Loss.UNVERIFIED] += 1
            self.not_looked.append(why)
            if block < len(self.blocks):
                self.blocks[block] = replace(self.blocks[block], rounds=self.blocks[block].rounds - 1)
                self._block_start = self._block_start[0] - 1, self._block_start[1]
        return taken

    def _shows_no(self, index: int, gone: Collection[Break]) -> frozenset[str]:
        """Take anomalies of these kinds from a hit, which may be none any more; the names that are gone."""
        block, kinds = self._hits.pop(index)
        left = Counter({kind: times for kind, times in kinds.items() if kind not in gone})
        for kind in gone:
            self.anomalies[kind[0]] -= kinds[kind]
        if left:
            self._hits[index] = block, left
        else:
            self.hits -= 1
            if block < len(self.blocks):
                self.blocks[block] = replace(self.blocks[block], hits=self.blocks[block].hits - 1)
        self.anomalies = +self.anomalies
        self.witnesses = [
            w
            for w in self.witnesses
            if w.record.index != index or break_of(w.anomaly, w.record.plan) not in gone
        ]
        return frozenset(kind[0].value for kind in gone) - frozenset(kind[0].value for kind in left)

    def is_hit(self, index: int) -> bool:
        """Whether that round is counted as a hit."""
        return index in self._hits

    @property
    def lost(self) -> int:
        """Rounds that count for nothing, whoever caused it."""
        return self.losses.total()

    @property
    def refused(self) -> int:
        """Lost rounds that the server caused: a race may have made its own round disappear."""
        return self.losses[Loss.REFUSED] + self.losses[Loss.UNVERIFIED]

    def onto(self, result: ScenarioResult, planned: PlannedRound | None) -> ScenarioResult:
        """The result with all that was counted; its verdict and its words stay as they are.

        planned   a round of the plan, by which operations that were never accepted are known; None: unknown
        """
        return replace(
            result,
            rounds=self.rounds,
            rounds_lost=self.lost,
            rounds_dropped=self.lost - self.refused,
            rounds_refused=self.refused,
            accepted=self.accepted(planned) if planned is not None else {},
            hits=self.hits,
            anomalies=dict(self.anomalies),
            witnesses=tuple(self.witnesses),
            sample=tuple(self.sample),
            not_looked=tuple(self.not_looked),
            skew_us=self.skew(),
            replies=dict(self.replies.most_common()),
            expected=self.expected,
            found=self.found,
            blocks=tuple(self.blocks),
        )

    def accepted(self, plan: PlannedRound) -> dict[str, int]:
        """How often the server accepted each operation of the plan, 0 where it never did."""
        return {operation.key: self._accepted[operation.key] for operation in plan.operations}

    def _keep(self, judged: Judged) -> None:
        for anomaly in judged.anomalies:
            self.anomalies[anomaly.name] += 1
            if self.anomalies[anomaly.name] <= WITNESSES_MAX:
                replay = f"{self._replay} --round {judged.record.index}"
                self.witnesses.append(
                    Witness(
                        anomaly=anomaly,
                        record=judged.record,
                        replay=replay,
                        explained=explain(judged.record),
                    )
                )
        is_clean = judged.is_counted and not judged.anomalies and not judged.broken_serially
        if is_clean and len(self.sample) < SAMPLE_MAX:
            self.sample.append(judged.record)

    def end_block(self, control: "Tally | None") -> None:
        """Close a block of rounds, for drift."""
        rounds, control_hits = self._block_start
        now = (self.rounds, control.hits if control else 0)
        self._block_start = now
        self.blocks.append(
            Block(
                first_round=rounds,
                rounds=now[0] - rounds,
                hits=sum(block == len(self.blocks) for block, _ in self._hits.values()),
                control_hits=max(0, now[1] - control_hits),
            )
        )

    def skew(self) -> Spread | None:
        """Median and 95th percentile of the skew, µs."""
        if not self.skew_us:
            return None
        ranked = sorted(self.skew_us)
        return Spread(p50=ranked[len(ranked) // 2], p95=ranked[min(len(ranked) - 1, len(ranked) * 95 // 100)])
