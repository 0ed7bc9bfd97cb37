"""Why schedules end badly, and what would mend it, as frozen values for run.json and survey.json."""

from dataclasses import dataclass
from typing import Literal

from mailrace.model.consequences import Harm

Fate = Literal["realised", "unrealised", "left_out", "two servers", "three servers"]

TURN = "from here on every order ends badly"
"""A cause's story has these words at the statement after which every completion is bad."""
UNANSWERED = "; unanswered: "
"""Stands in the outcome of a schedule or a serial order before what the server never answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTogether:
    """A run of an operation's statements, from `first` to `last`: their texts without arguments.

    operation   kind of the operation
    steps       how many statements that is, where there are most
    nth         which of the statements of that text it begins and ends with, from 1 (first, last)
    """

    operation: str
    first: str
    last: str
    steps: int
    nth: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What would happen if these runs were kept together, each as if it were one statement.

    schedules, bad   how many schedules are left, and how many of them are bad; 0 bad ones make it a repair
    verified   "": the schedules were run again with these runs kept together, and none was bad; else what
               kept that from being shown; None: not tried
    """

    kept: tuple[KeptTogether, ...]
    schedules: int
    bad: int
    verified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One root cause: two statements whose exchange makes the difference, and what breaks.

    name        stable from run to run and from version to version
    statements  `operation: text` of the one that comes too early, and of the one that had to come before;
                empty where the state graph is not whole
    anomalies   all that its schedules break, the worst first
    classes     classes of schedules that show it; `realised`: how many of them the server was made to show
    fate        `realised`; `unrealised`: the server could not be made to do it, so it is no race by itself;
                `left_out`: not tried, because another cause had already shown what it breaks
    schedule    the realised one, short; `why`: its story, a sentence a statement
    shares      how many of all its completions are bad (0 to 1): before its first step, after each step;
                `drawn`: the same, weighted as the server's pool draws its connections
    no_return   the step (from 1) after which every completion is bad; 0: not known
    schedules, bad   all schedules of its operations that one server allows, and the bad ones
    repair      the smallest; `no_help`: whole operations that, kept together alone, leave bad schedules
    is_cut      the time to look for repairs ended before all runs of statements were tried
    witness     index among the scenario's witnesses; -1: none
    """

    name: str
    harm: Harm
    anomalies: tuple[str, ...]
    operations: tuple[str, ...]
    statements: tuple[str, ...] = ()
    classes: int = 0
    realised: int = 0
    fate: Fate = "unrealised"
    schedule: str = ""
    why: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    drawn: tuple[float, ...] = ()
    no_return: int = 0
    schedules: int = 0
    bad: int = 0
    repair: tuple[Repair, ...] = ()
    no_help: tuple[Repair, ...] = ()
    is_cut: bool = False
    witness: int = -1

    @property
    def turn(self) -> str:
        """The sentence of the story that tells of the point of no return; "" where none does."""
        return next((line for line in self.why if line.endswith(TURN)), "")

    def may_be(self, other: "Cause") -> bool:
        """Whether the two may be one cause, as one of them does not know which statements decide."""
        alike = self.name.partition("/")[0] == other.name.partition("/")[0]
        return self.name == other.name or (alike and not (self.statements and other.statements))
