"""The shape of run.json: what a run found, as frozen values that serialise field by field.

`RunResult` is the whole document. Fields are added, never renamed; `schema_version` counts the changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailrace.model.anomaly import Anomaly
from mailrace.model.attempt import RoundRecord
from mailrace.model.cause import Cause
from mailrace.model.command_line import OwnCommand
from mailrace.model.target import TargetInfo

SCHEMA_VERSION = 1


class Verdict(StrEnum):
    """The judgement of a scenario or a run; `NOT_APPLICABLE` is listed and never counts."""

    PASS = "PASS"
    RACE = "RACE"
    INCONCLUSIVE = "INCONCLUSIVE"
    FAILED = "FAILED"
    """The target or mailrace itself failed."""
    NOT_APPLICABLE = "NOT APPLICABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a clean verdict must reach (docs/verdicts.md).

    confidence   how sure it must be that no PASS among all the verdicts is wrong; between 0 and 1
    theta        a PASS is about races at least this many times as frequent as the control's; above 0
    verdicts     how many share the confidence, at least 1: the chance of an error is divided equally
    """

    confidence: float = 0.99
    theta: float = 1 / 3
    verdicts: int = 1

    @property
    def confidence_each(self) -> float:
        """What each verdict must reach, so that all of them together reach `confidence` (Bonferroni 1936)."""
        return 1.0 - (1.0 - self.confidence) / self.verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A two-sided Clopper-Pearson interval of a rate, both ends in 0–1."""

    low: float
    high: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median and a 95th percentile."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """The known-bad target that alternated with the one under test (docs/glossary.md).

    kind          1 a known-bad version of the same server; 2 an open race of the same binary; 3 the embedded
    pairs_fired   h: pairs in which the control fired
    bound         θ*: a race at least this many times as frequent as the control would have been seen
    """

    target: str
    scenario: str
    kind: int
    why: str
    pairs: int
    pairs_fired: int
    hits: int
    confidence: float
    bound: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """An anomaly with the round that shows it; one that steer found has its schedule as well.

    replay      the command that runs it again
    explained   lines of the server's log that are known, each with what it means
    """

    anomaly: Anomaly
    record: RoundRecord
    replay: OwnCommand
    explained: tuple[tuple[str, str], ...] = ()
    schedule: "ScheduleWitness | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One statement in a schedule: who sent it, which of its own it is, and what it did."""

    actor: str
    number: int
    sql: str
    args: tuple[str, ...]
    result: str
    background: bool = False
    guilty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleWitness:
    """A violating schedule: its short text, its statements in order, and how often it was realised.

    serial     (order of actors, outcome in words) of each serial order
    tries      attempts on one instance until the planned order came about
    realised   how many of `repeats` further runs of that order gave the same outcome
    """

    text: str
    deviations: int
    steps: tuple[Step, ...]
    outcome: str
    serial: tuple[tuple[str, str], ...]
    realised: int
    repeats: int
    tries: int
    instances: int = 1
    no_return: int = 0
    """The statement (from 1) after which every completion is bad; 0: not known."""
    kept: tuple[int, ...] = ()
    """Statements (from 1) that the smallest repair keeps together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What became of violating classes with the same end: the same replies, and the same store afterwards.

    classes      how many explored classes these are
    fate         `realised`, `split_only`, `unrealised`, or `left_out` (one of each cause was asked for)
    cause        name of the root cause, where it is known
    schedule     the order that was realised, else the easiest; "" where one instance allows none
    chance       that one try on one instance succeeds, by the connection pool's rule and by earlier tries
    tries        until the order came about for the first time; all of them, where it never did
    again        how many of `repeats` further runs of that very order showed the same anomalies
    again_tries  the tries that all of those runs took
    why          why it is split_only or unrealised, in words
    """

    anomalies: tuple[str, ...]
    classes: int
    fate: str
    schedule: str = ""
    deviations: int = 0
    chance: float = 0.0
    tries: int = 0
    again: int = 0
    repeats: int = 0
    again_tries: int = 0
    seconds: float = 0.0
    why: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """What steer looked at (docs/steer.md).

    violating    violating classes that were brought about on as many instances as were asked for
    unrealised   those that may be possible and were not brought about; `unrealised_anomalies`: what they show
    violations   every violating class, with what became of it
    orders_run   orders that were run, cut ones too; `ms_per_order` each, the start of the servers included
    doubt        why clean schedules say nothing though all of them were run; "" if nothing says so
    """

    explored: int
    classes: int
    violating: int
    split_only: int
    missed: int
    exhaustive: bool
    bound: str
    violating_orders: int = 0
    unrealised: int = 0
    unrealised_anomalies: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    causes: tuple[Cause, ...] = ()
    """The root causes of the bad schedules that one server allows, the worst harm first."""
    orders_run: int = 0
    ms_per_order: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of rounds, for drift: hits of the target and of its control."""

    first_round: int
    rounds: int
    hits: int
    control_hits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """One scenario on one target.

    reason, advice   the verdict in a sentence, with its numbers; what would settle an INCONCLUSIVE, else ""
    not_looked   what could not be looked at, a sentence each
    left_mails, left_tags   what the run left on a server that is not ours; `mailrace cleanup` removes it
    rounds_lost     rounds that do not count as clean: `rounds_dropped` and `rounds_refused` together
    rounds_dropped  lost because of mailrace or its machine: they count for nothing
    rounds_refused  lost because of the server: it refused before the release, would not show afterwards what
                    it stored, or misbehaved beside the round. With one of them a run is never PASS
    accepted     operation (`send.1`) to how often it was accepted; 0: no promise to it was put to the test
    broken_serially   promises that also break when the operations run one by one: neither RACE nor PASS
    digest       of the scenario's text, by which merging knows one scenario; "": not known
    hits         rounds (race) or schedules (steer) with an anomaly of weight RACE
    anomalies    name to count, RACE and REPORTED alike
    machine      in a campaign, the machine and the worker that looked; "": the one where it was called
    expected, found   stored copies: the range that the promises allow (least, most), and those found
    """

    name: str
    title: str
    file: str
    mode: str
    verdict: Verdict
    reason: str
    advice: str = ""
    rounds: int = 0
    rounds_lost: int = 0
    rounds_dropped: int = 0
    rounds_refused: int = 0
    accepted: Mapping[str, int] = field(default_factory=dict)
    broken_serially: Mapping[str, int] = field(default_factory=dict)
    digest: str = ""
    hits: int = 0
    interval: Interval | None = None
    anomalies: Mapping[str, int] = field(default_factory=dict)
    witnesses: tuple[Witness, ...] = ()
    sample: tuple[RoundRecord, ...] = ()
    """A few clean rounds, for the timeline."""
    not_looked: tuple[str, ...] = ()
    control: ControlResult | None = None
    profile: str = ""
    release_at: str = ""
    skew_us: Spread | None = None
    rounds_per_s: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict)
    replies: Mapping[str, int] = field(default_factory=dict)
    """Reply text (one line each, IDs masked) to count."""
    expected: tuple[int, int] = (0, 0)
    found: int = 0
    blocks: tuple[Block, ...] = ()
    schedules: Schedules | None = None
    left_mails: int = 0
    left_tags: int = 0
    machine: str = ""

    @property
    def is_clean_so_far(self) -> bool:
        """Whether it is a walk of schedules that was not finished and has found nothing until then."""
        walked = self.schedules
        return (
            self.verdict is Verdict.INCONCLUSIVE
            and walked is not None
            and not (walked.exhaustive or walked.violating or walked.unrealised or walked.missed)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The whole of run.json.

    rule    the rule by which its verdicts were reached; `whole`: what they say together, in a sentence
    parts   tokens of the runs that were merged into this one; empty: it is a run of its own
    """

    mailrace: str
    schema_version: int
    verdict: Verdict
    target: TargetInfo
    seed: int
    run: str
    command: OwnCommand
    started: str
    """ISO 8601, UTC."""
    environment: Mapping[str, str]
    scenarios: tuple[ScenarioResult, ...]
    rule: Rule = Rule()
    whole: str = ""
    parts: tuple[str, ...] = ()
    cut_off: bool = False
    """True where mailrace was killed and the document was made from the journal."""
