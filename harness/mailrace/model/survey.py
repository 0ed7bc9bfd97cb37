"""The shape of survey.json: every pair of a version's operations, decided, and the causes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from mailrace.model.cause import Cause
from mailrace.model.command_line import OwnCommand
from mailrace.model.target import TargetInfo

SURVEY_SCHEMA_VERSION = 1


class PairVerdict(StrEnum):
    """What a survey says of one pair in one relation."""

    INDEPENDENT = "INDEPENDENT"
    """Run alone, neither writes a table that the other uses; run together, no schedule was bad."""
    PASS = "PASS"
    """Every schedule explored, none bad on one server."""
    RACE = "RACE"
    """A bad schedule of this very pair was realised on one server."""
    SAME_CAUSE = "SAME CAUSE"
    """It has bad schedules that one server allows, and their causes were realised by other pairs."""
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT APPLICABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedPair:
    """One pair in one relation. `why`: the verdict in a sentence; `causes`: their names, the worst first.

    kinds            kinds of the two operations
    harm             the worst of its causes; "" without one
    schedules, bad   how many schedules one server allows, and how many of them are bad
    machine          in a campaign, the machine and the worker that decided it
    """

    a: str
    b: str
    kinds: tuple[str, str]
    relation: str
    verdict: PairVerdict
    why: str
    causes: tuple[str, ...] = ()
    harm: str = ""
    schedules: int = 0
    bad: int = 0
    classes: int = 0
    seconds: float = 0.0
    machine: str = ""

    @property
    def name(self) -> str:
        """`send ∥ delete, the tag's last holder`."""
        return f"{self.a} ∥ {self.b}, {self.relation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedCause(Cause):
    """A cause with the pairs that show it, by name; `shown_by`: the one that was realised, else the easiest.

    preemptions   how many the easiest of its schedules takes on one server
    scenario      the file of a scenario that shows it, relative to survey.json
    """

    pairs: tuple[str, ...] = ()
    shown_by: str = ""
    preemptions: int = 0
    scenario: str = ""

    @classmethod
    def of(
        cls, cause: Cause, *, pairs: tuple[str, ...], shown_by: str, preemptions: int = 0
    ) -> "SurveyedCause":
        """The cause with these."""
        own = {one.name: getattr(cause, one.name) for one in fields(Cause)}
        return cls(**own, pairs=pairs, shown_by=shown_by, preemptions=preemptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """Two statements that are in conflict and can come in one order only, and why."""

    pair: str
    statements: tuple[str, str]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictCoverage:
    """Counts pairs of statements in conflict: by the traces, one writes what the other reads or writes.

    predicted    all of them, over all pairs of operations
    exercised    those that were run in both orders
    """

    predicted: int = 0
    exercised: int = 0
    unreachable: tuple[Unreachable, ...] = ()


class TripleVerdict(StrEnum):
    """What a survey says of three operations at a time."""

    BY_THREE = "BY THREE"
    """On the servers the three broke more than any two of them do, or by a cause that no pair shows."""
    AS_PAIRS = "AS PAIRS"
    """It has bad schedules, and they break only what two of the three break as well."""
    PASS = "PASS"
    """Every class of its schedules was run on the servers, and none was bad."""
    PREDICTED = "PREDICTED"
    """Walked in a model; one schedule of each outcome was run on the servers, and none was bad. No PASS."""
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT APPLICABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedTriple:
    """Three operations at a time. `why`: the verdict in a sentence; `causes`: those that no pair shows.

    schedules, bad   how many are predicted, with an instance for each actor; `states`: states they have
    outcomes         how many are predicted; a schedule of each was run on the servers
    asked            how many schedules were run on the servers to learn what an operation does
    """

    operations: tuple[str, str, str]
    kinds: tuple[str, str, str]
    relation: str
    verdict: TripleVerdict
    why: str
    causes: tuple[str, ...] = ()
    harm: str = ""
    schedules: int = 0
    bad: int = 0
    states: int = 0
    outcomes: int = 0
    asked: int = 0
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """`send ∥ delete ∥ rename tag, the tag's last holder`."""
        return f"{' ∥ '.join(self.operations)}, {self.relation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeActors:
    """What three operations at a time show beside the pairs.

    causes   those that no pair of the survey shows, each shown on the servers
    apart    triples in which one operation shares nothing with the other two: the pairs answer for them
    left     triples that were left when the time was over
    """

    triples: tuple[SurveyedTriple, ...]
    causes: tuple[SurveyedCause, ...]
    apart: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The whole of survey.json.

    is_whole       everything was looked at; else what is left is INCONCLUSIVE
    not_surveyed   operations that the server offers and that are in no pair, each with the reason
    environment    what a reader must know about the machine: no name, no user, no path
    """

    mailrace: str
    schema_version: int
    target: TargetInfo
    command: OwnCommand
    started: str
    """ISO 8601, UTC."""
    is_whole: bool
    pairs: tuple[SurveyedPair, ...]
    causes: tuple[SurveyedCause, ...]
    coverage: ConflictCoverage
    not_surveyed: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    three: ThreeActors | None = None
