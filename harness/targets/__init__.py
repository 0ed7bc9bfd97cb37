"""Servers under test: a name to a `Target` that can be started, looked at and stopped.

Names are imported when they are first used: this file also runs in each process of the embedded reference,
which is to be ready quickly, and before `mailrace --help`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model.target_name import EMBEDDED_VERSIONS, TargetName, parse_target
    from harness.targets.api import Api, ApiError, BadAnswer, Unanswered, Unreachable
    from harness.targets.choose import AtHand, open_target, targets_at_hand, why_not
    from harness.targets.credentials import credentials_for, tls_context
    from harness.targets.external import ExternalTarget
    from harness.targets.mailpit.install import install
    from harness.targets.managed import ManagedTarget

__all__ = [
    "EMBEDDED_VERSIONS",
    "Api",
    "ApiError",
    "AtHand",
    "BadAnswer",
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

_HOMES = {
    "harness.model.target_name": ("EMBEDDED_VERSIONS", "TargetName", "parse_target"),
    "harness.targets.api": ("Api", "ApiError", "BadAnswer", "Unanswered", "Unreachable"),
    "harness.targets.choose": ("AtHand", "open_target", "targets_at_hand", "why_not"),
    "harness.targets.credentials": ("credentials_for", "tls_context"),
    "harness.targets.external": ("ExternalTarget",),
    "harness.targets.mailpit.install": ("install",),
    "harness.targets.managed": ("ManagedTarget",),
}


def __getattr__(name: str) -> object:
    """A public name, from the module that defines it (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
