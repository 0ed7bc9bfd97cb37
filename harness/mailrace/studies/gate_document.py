"""What a gate is asked for, and its document as frozen values: gate.json holds it field by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from mailrace.model.result import Verdict
from mailrace.model.target_name import TargetName
from mailrace.run import RunRequest
from mailrace.studies.baseline import Accepted
from mailrace.studies.gate import Finding

Mode = Literal["auto", "race", "steer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """What a gate is asked for. `run` is the pattern of each run: its target, mode and folder are replaced.

    names   what to call the two in the report where their target is a stand-in (a container image)
    """

    old: TargetName
    new: TargetName
    run: RunRequest
    mode: Mode = "auto"
    is_strict: bool = False
    accepted: tuple[Accepted, ...] = ()
    today: date = date(1970, 1, 1)
    names: Mapping[TargetName, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The document of a gate: gate.json holds it field by field.

    old, new   targets as asked for, with the version each said it is; `notes` sentences for the reader
    """

    mailrace: str
    verdict: Verdict
    old: str
    new: str
    old_version: str
    new_version: str
    mode: str
    is_strict: bool
    seed: int
    command: str
    started: str
    environment: Mapping[str, str]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
