"""Scenarios and a request in, what can be said before the first mail out: what is missing or cannot come."""

from typing import Literal

from mailrace.model.errors import UsageError
from mailrace.model.request import Mode
from mailrace.model.target_name import TargetName

GateMode = Literal["auto", "race", "steer"]


def chosen_mode(*targets: TargetName, mode: GateMode) -> Mode:
    """Steer where all targets are ours to start; UsageError where steer is asked for and cannot be."""
    external = [name for name in targets if name.kind == "url"]
    if mode == "steer" and external:
        raise UsageError(
            f"--mode steer: {external[0]} is not ours to start, so its statements cannot be held; "
            "give mailpit@VERSION, an image, or --mode race"
        )
    if mode == "auto":
        return "race" if external else "steer"
    return mode
