"""The native engine: rounds, connections, release, achieved skew; a scenario on a target to its result."""

from harness.race.controls import WHY, ChosenControl, choose_control
from harness.race.race import RaceOptions, Side, race

__all__ = ["WHY", "ChosenControl", "RaceOptions", "Side", "choose_control", "race"]
