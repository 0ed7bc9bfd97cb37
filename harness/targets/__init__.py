"""Servers under test: a name to a `Target` that can be started, looked at and stopped."""

from harness.targets.api import Api, ApiError, BadAnswer, Unanswered, Unreachable
from harness.targets.choose import AtHand, open_target, targets_at_hand, why_not
from harness.targets.name import TargetName, parse_target

__all__ = [
    "Api",
    "ApiError",
    "AtHand",
    "BadAnswer",
    "TargetName",
    "Unanswered",
    "Unreachable",
    "open_target",
    "parse_target",
    "targets_at_hand",
    "why_not",
]
