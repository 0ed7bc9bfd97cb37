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
    """Each run alone, no statement of one writes a table of the other's; run together, none is bad."""
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
    schedules, bad   that one server allows
    machine          of a campaign: the machine and the worker that decided it
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

    preemptions   that the easiest schedule of it takes on one server
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
    """Pairs of statements of which one writes what the other reads or writes, as the operations' traces say.

    predicted    all of them, over all pairs of operations
    exercised    run in both orders
    """

    predicted: int = 0
    exercised: int = 0
    unreachable: tuple[Unreachable, ...] = ()


class TripleVerdict(StrEnum):
    """What a survey says of three operations at a time."""

    BY_THREE = "BY THREE"
    """The servers did what no two of the three do: it breaks more, or by a cause that no pair shows."""
    AS_PAIRS = "AS PAIRS"
    """It has bad schedules, and they break what two of the three break as well."""
    PASS = "PASS"
    """Every class of its schedules was run on the servers, and none was bad."""
    PREDICTED = "PREDICTED"
    """Walked without a server, and one schedule of each outcome run on the servers: none was bad. No PASS."""
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT APPLICABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedTriple:
    """Three operations at a time. `why`: the verdict in a sentence; `causes`: those that no pair shows.

    schedules, bad   that are predicted, an instance an actor; `states`: of all of them
    outcomes         that are predicted, of each of which a schedule was run on the servers
    asked            schedules that were run on the servers to learn what an operation does
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

    causes   that no pair of the survey shows, each shown by the servers
    apart    triples in which one operation shares nothing with the other two: not looked at, the pairs do
    left     triples that the time did not suffice for
    """

    triples: tuple[SurveyedTriple, ...]
    causes: tuple[SurveyedCause, ...]
    apart: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The whole of survey.json.

    is_whole       everything was looked at; else what is left is INCONCLUSIVE
    not_surveyed   operations that the server offers and no pair holds, each with the reason
    environment    what a reader must know of the machine: no name, no user, no path
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
