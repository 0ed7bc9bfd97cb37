"""Servers under test: a name to a `Target` that can be started, looked at and stopped."""

from harness.targets.api import Api, ApiError, BadAnswer, Unanswered, Unreachable
from harness.targets.choose import AtHand, open_target, targets_at_hand, why_not
from harness.targets.credentials import credentials_for, tls_context
from harness.targets.external import ExternalTarget
from harness.targets.mailpit.install import install
from harness.targets.managed import ManagedTarget
from harness.targets.name import EMBEDDED_VERSIONS, TargetName, parse_target

__all__ = [
    "Api",
    "ApiError",
    "AtHand",
    "BadAnswer",
    "EMBEDDED_VERSIONS",
    "ExternalTarget",
    "ManagedTarget",
    "TargetName",
    "Unanswered",
    "Unreachable",
    "credentials_for",
    "install",
    "open_target",
    "parse_target",
    "targets_at_hand",
    "tls_context",
    "why_not",
]
