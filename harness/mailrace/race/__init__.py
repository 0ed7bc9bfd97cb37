"""The native engine: rounds, connections, release, achieved skew; a scenario on a target to its result."""

from mailrace.race.controls import WHY, ChosenControl, choose_control
from mailrace.race.on_target import Place, must_not_run, not_raced, race_on
from mailrace.race.race import RaceOptions, Side, race

__all__ = [
    "WHY",
    "ChosenControl",
    "Place",
    "RaceOptions",
    "Side",
    "choose_control",
    "must_not_run",
    "not_raced",
    "race",
    "race_on",
]
