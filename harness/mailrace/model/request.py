"""What a person asks of a run, as one frozen value with its parts: the plan of every run's folder holds it.

    RunRequest
    ├── target, seed, mode, time_limit_s, command
    ├── racing      how to race: rounds, profile, when to stop, how sure to be
    ├── steering    how to steer: budget, bound, depth
    ├── server      what may be done with the server, and how it is started
    └── output      where the files go; not in the plan, because a replay writes into a folder of its own

The ranges stand beside the fields. They are checked when a plan is read (`mailrace.history.read_plan`),
because a plan may come from a stranger. A command line's values are checked by its own options.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mailrace.model import choices
from mailrace.model.command_line import OwnCommand
from mailrace.model.result import Rule
from mailrace.model.target_name import TargetName, parse_target
from mailrace.model.time_limit import cut_at

OFFSET_US_MAX = 10_000_000.0
"""The longest recorded offset: no release waits longer than ten seconds."""

Rounds = Annotated[int, Field(ge=1, le=choices.ROUNDS_MAX)]
Offset = Annotated[float, Field(ge=-OFFSET_US_MAX, le=OFFSET_US_MAX, allow_inf_nan=False)]
KEPT = 50
"""Folders of runs that are kept under `reports/`, unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Racing:
    """How to race natively.

    rounds, profile   None takes the scenario's own
    until       `rounds`: all of them; `hit`: the first one; `decided`: when more can change nothing
    trial       `cold`: a fresh process of target and control for each round
    theta       a PASS is about races at least this many times as frequent as the control's
    verdicts    that share the confidence: a session makes it its scenarios times its targets, at least
    control     whether a known-bad control runs beside it; without one, a clean run is never PASS
    recorded    offsets (µs) and decoys of a recorded round, to be used in every round
    """

    rounds: Rounds | None = None
    profile: choices.Profile | None = None
    until: choices.Until = "rounds"
    trial: choices.Trial = "warm"
    confidence: Annotated[float, Field(ge=choices.CONFIDENCE_MIN, le=choices.CONFIDENCE_MAX)] = 0.99
    theta: Annotated[float, Field(ge=choices.THETA_MIN, le=choices.THETA_MAX)] = 1 / 3
    verdicts: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    control: bool = True
    recorded: (
        tuple[Annotated[tuple[Offset, ...], Field(max_length=64)], Annotated[int, Field(ge=0, le=64)]] | None
    ) = None

    @property
    def rule(self) -> Rule:
        """What a PASS must reach."""
        return Rule(confidence=self.confidence, theta=self.theta, verdicts=self.verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """How to steer.

    budget              at most this many schedules
    bound               only schedules with at most this many context switches beyond the necessary ones
    depth               of the random walk where actors are too many for every schedule
    confirm_rounds      what it finds is raced natively for at most this many rounds; 0: it is not
    one_of_each         one class is realised for each anomaly, for each root cause, or each class itself is
    """

    budget: Annotated[int, Field(ge=1, le=choices.BUDGET_MAX)] | None = None
    bound: Annotated[int, Field(ge=0, le=choices.BOUND_MAX)] | None = None
    depth: Annotated[int, Field(ge=1, le=choices.DEPTH_MAX)] = 3
    confirm_rounds: Annotated[int, Field(ge=0, le=choices.ROUNDS_MAX)] = 0
    one_of_each: choices.OneOfEach = "cause"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUse:
    """How a server of ours is started, and what may be done with one that is not ours.

    gomaxprocs        `GOMAXPROCS` of a server of ours; None: the CPUs, at least 4
    allow_deletions   on a server that is not ours, actors may delete and edit tags
    cleanup           delete there what this run stored
    """

    gomaxprocs: Annotated[int, Field(ge=1, le=choices.GOMAXPROCS_MAX)] | None = None
    allow_deletions: bool = False
    cleanup: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where a run's files go: into a new folder under `reports`, of which `keep` are kept, or into `out`."""

    reports: Path = Path("reports")
    out: Path | None = None
    formats: tuple[str, ...] = ("json", "junit", "html", "md")
    keep: int = KEPT


Part = Racing | Steering | ServerUse | Output
_FIELDS = {Racing: "racing", Steering: "steering", ServerUse: "server", Output: "output"}
"""Where each part stands in a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a run is asked for, whatever command asks it.

    target        parsed once, where the user's words come in
    seed          draws the plan
    time_limit_s  of the whole run, its start included; None: no limit
    ends          when that time is over (monotonic seconds), for a run and all its parts; None: the time
                  begins with the run. It means something in this process only, so it stands in no plan
    command       as it was typed, for the report
    """

    target: TargetName
    seed: int = 1
    mode: choices.Mode = "race"
    time_limit_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    ends: float | None = None
    command: OwnCommand = ""
    racing: Racing = field(default_factory=Racing)
    steering: Steering = field(default_factory=Steering)
    server: ServerUse = field(default_factory=ServerUse)
    output: Output = field(default_factory=Output)

    @property
    def cut_at(self) -> float | None:
        """The instant (monotonic seconds) at which whatever still runs is cut off; None: no limit."""
        return cut_at(self.ends, self.time_limit_s)

    def without_control(self) -> "RunRequest":
        """The same, without a known-bad control beside it."""
        return replace(self, racing=replace(self.racing, control=False))

    @classmethod
    def of(cls, target: str | TargetName, *parts: Part, **own: Any) -> "RunRequest":
        """A request for a target by its name, with its parts in any order: what plugins and tests write."""
        named = {_FIELDS[type(part)]: part for part in parts}
        return cls(target=parse_target(target), **{**own, **named})
