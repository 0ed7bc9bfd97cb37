"""Takes what the user asks of a race and what the scenario says; gives one frozen value for the engine."""

from collections.abc import Callable
from dataclasses import dataclass, fields

from mailrace.model.choices import Profile
from mailrace.model.request import Racing
from mailrace.race.limits import LIMITS, Limits
from mailrace.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceOptions(Racing):
    """How long and how to race one scenario: what was asked, with nothing left to the scenario.

    time_limit  monotonic seconds after which no further round begins; None: no limit
    replay      the command that replays a witness, without `--round`
    pruned_from   the first round by which a server that is not ours may have deleted what it accepted
    progress    told after each block: (rounds done, rounds in all, hits, control's hits)
    limits      how long it waits, and how often it tries
    enough      asked after each block, once it is judged; true ends the race
    """

    rounds: int
    profile: Profile
    seed: int
    time_limit: float | None = None
    replay: str = ""
    pruned_from: int | None = None
    limits: Limits = LIMITS
    progress: Callable[[int, int, int, int], None] | None = None
    enough: Callable[[], bool] | None = None

    @classmethod
    def of(cls, scenario: Scenario, asked: Racing, *, seed: int) -> "RaceOptions":
        """What was asked, completed by what the scenario says."""
        values = {one.name: getattr(asked, one.name) for one in fields(Racing)}
        values["rounds"] = asked.rounds or scenario.rounds
        values["profile"] = asked.profile or scenario.release.profile
        return cls(**values, seed=seed)
