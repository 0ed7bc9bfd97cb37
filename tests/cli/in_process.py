"""What tests name that run the command in their own process: its type, and a shipped scenario's file."""

from collections.abc import Callable
from pathlib import Path

from mailrace.scenario import shipped

Here = Callable[..., tuple[int, str, str]]
"""Words to (status, stdout, stderr)."""


def scenario(name: str) -> Path:
    return shipped() / f"{name}.race.yaml"
