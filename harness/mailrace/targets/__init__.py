"""Servers under test: a name to a `Target` that can be started, looked at and stopped.

Names are imported when they are first used: this file also runs in each process of the embedded reference,
which is to be ready quickly, and before `mailrace --help`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailrace.model.target_name import EMBEDDED_VERSIONS, TargetName, parse_target
    from mailrace.targets.api import Api, ApiError, BadAnswer, Unanswered, Unreachable
    from mailrace.targets.choose import AtHand, open_target, targets_at_hand, why_not
    from mailrace.targets.credentials import credentials_for, tls_context
    from mailrace.targets.external import ExternalTarget
    from mailrace.targets.mailpit.install import install
    from mailrace.targets.mailpit.lookup import cache_folder
    from mailrace.targets.managed import ManagedTarget

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
    "cache_folder",
    "credentials_for",
    "install",
    "open_target",
    "parse_target",
    "targets_at_hand",
    "tls_context",
    "why_not",
]

_HOMES = {
    "mailrace.model.target_name": ("EMBEDDED_VERSIONS", "TargetName", "parse_target"),
    "mailrace.targets.api": ("Api", "ApiError", "BadAnswer", "Unanswered", "Unreachable"),
    "mailrace.targets.choose": ("AtHand", "open_target", "targets_at_hand", "why_not"),
    "mailrace.targets.credentials": ("credentials_for", "tls_context"),
    "mailrace.targets.external": ("ExternalTarget",),
    "mailrace.targets.mailpit.install": ("install",),
    "mailrace.targets.mailpit.lookup": ("cache_folder",),
    "mailrace.targets.managed": ("ManagedTarget",),
}


def __getattr__(name: str) -> object:
    """A public name, from the module that defines it (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
