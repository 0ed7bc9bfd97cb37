"""The native engine: rounds, connections, release and its skew; from a scenario on a target to its result."""

from mailrace.race.controls import ChosenControl, choose_control
from mailrace.race.limits import LIMITS, Limits
from mailrace.race.on_target import Place, must_not_run, opened, race_on, unfit
from mailrace.race.options import RaceOptions
from mailrace.race.race import race
from mailrace.race.side import Side

__all__ = [
    "LIMITS",
    "ChosenControl",
    "Limits",
    "Place",
    "RaceOptions",
    "Side",
    "choose_control",
    "must_not_run",
    "opened",
    "race",
    "race_on",
    "unfit",
]
