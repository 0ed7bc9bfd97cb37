"""A question of a campaign and its outcome as frozen values; each as JSON, and back from anybody's text.

A cell holds all that a worker on another machine needs, and nothing that differs from call to call, so equal
questions have equal keys. What a worker sends back is read as carefully as a stranger's text.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError

from mailrace import __version__
from mailrace.history import plan_text
from mailrace.model.choices import ModeAsked
from mailrace.model.codec import codec, why_unreadable
from mailrace.model.errors import UsageError
from mailrace.model.request import RunRequest
from mailrace.model.target_name import TargetName
from mailrace.recorded import plan_of
from mailrace.scenario import Scenario, load, resolve, shipped
from mailrace.targets.mailpit import programs

T = TypeVar("T")
Kind = Literal["look", "gate", "decide", "show"]
BYTES_MAX = 64 * 1024 * 1024
"""How much all files of an outcome may take; what is over stays behind, and the outcome says so."""
FILES: dict[Kind, tuple[str, ...]] = {
    "look": ("run.json", "history.jsonl", "server.log", "bug.txt"),
    "gate": (
        "gate.json",
        *(f"{version}/{name}" for version in ("old", "new") for name in ("run.json", "history.jsonl")),
        *(f"{version}/{name}" for version in ("old", "new") for name in ("server.log", "bug.txt")),
    ),
    "decide": ("survey.jsonl",),
    "show": ("survey.jsonl",),
}
"""The files that an outcome may bring back from the cell's folder, the most needed first; no others."""
_Short = Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One question for one worker.

    kind       `look`: a scenario at a target; `gate`: at two; `decide`: pairs of a survey; `show`: a cause
    name       what it is, in a few words, for people
    plan       text of a plan.json with one scenario; in a survey's cell, with none
    mails      the users' own messages that it sends, by digest, in base64
    beside     files that stood beside the scenario's and that its controls need, by name, in base64
    programs   SHA-256 of each target that is a program on a disk, by the target's text
    mode       in a gate's cell, the mode that was asked for
    pairs      in a survey's cell, the names of its pairs; `cause`: of the cause that one of them is to show
    mailrace   version of the caller, which the worker's must equal
    """

    kind: Kind
    name: str
    plan: str
    mails: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    mode: ModeAsked = "auto"
    pairs: tuple[str, ...] = ()
    cause: str = ""
    mailrace: str = __version__

    @property
    def key(self) -> str:
        """The digest of the question: equal cells have equal keys, on every machine."""
        return hashlib.sha256(text_of(self).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A cell on its way to a worker, with what differs from call to call.

    left_s     seconds that are left of the command's time limit; None: it has none
    known      causes that need not be shown any more
    is_alone   native races wait until nothing else of a campaign runs on the machine
    topic      under which the worker tells how it goes on
    """

    cell: Cell
    left_s: float | None = None
    known: tuple[str, ...] = ()
    is_alone: bool = True
    topic: str = "mailrace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a cell.

    host, worker   who looked at it
    files          files of the cell's folder, by name
    why, step      why it could not be looked at and what would help, in sentences; "" where it was
    notes          which files did not travel, a sentence each
    is_whole       another try would come to the same: no time limit ended it, and nothing failed
    """

    key: _Short
    host: _Short = ""
    worker: _Short = ""
    seconds: float = 0.0
    files: Mapping[str, str] = field(default_factory=dict)
    why: Annotated[str, Field(max_length=4_000)] = ""
    step: Annotated[str, Field(max_length=4_000)] = ""
    notes: tuple[_Short, ...] = ()
    is_whole: bool = True

    @property
    def machine(self) -> str:
        """Who did it, as reports say it: `build-2, worker 1`."""
        return f"{self.host}, worker {self.worker}" if self.host else ""


def text_of(value: Cell | Sent | Outcome) -> str:
    """The value as JSON; equal values give equal texts. Raises UsageError for a name that is no text."""
    try:
        return codec(type(value)).dump_json(value).decode()
    except ValueError:
        raise UsageError(
            "a file of a scenario has a name that is no UTF-8, so it cannot be sent to workers; rename it"
        ) from None


def sent_from(text: str) -> Sent:
    """What `text_of` wrote. Raises UsageError where it is none."""
    return _read(Sent, text, "no cell of a campaign")


def outcome_from(text: str, cell: Cell) -> Outcome:
    """The outcome of that cell. Raises UsageError where the text is none, or another cell's.

    It may come from anybody: its files have the names that such a cell leaves, and no other.
    """
    if len(text) > 2 * BYTES_MAX:
        raise UsageError(f"{cell.name}: its outcome is longer than any worker of ours sends")
    found = _read(Outcome, text, f"{cell.name}: no outcome of a cell")
    if found.key != cell.key:
        raise UsageError(f"{cell.name}: this is the outcome of another cell")
    if strange := sorted(set(found.files) - set(FILES[cell.kind])):
        raise UsageError(f"{cell.name}: its outcome holds a file that no such cell leaves: {strange[0]:.80}")
    return found


def scenario_cell(
    kind: Kind,
    scenario: Scenario,
    request: RunRequest,
    targets: tuple[TargetName, ...],
    mode: ModeAsked = "auto",
) -> Cell:
    """The cell of one scenario at these targets, as `request` asks; `verdicts` stays as it is there."""
    asked = _without_what_differs(request)
    named = scenario.with_source(Path(file_name(scenario)), scenario.contents)
    plan, mails = plan_of([named], asked, study="gate" if kind == "gate" else "run", targets=targets)
    where = " → ".join(target.text for target in targets)
    return Cell(
        kind=kind,
        name=f"{scenario.name} on {where}",
        plan=plan_text(plan),
        mails={digest: b64encode(mail).decode() for digest, mail in mails.items()},
        beside=_beside(scenario),
        programs=programs(targets),
        mode=mode,
    )


def survey_cell(kind: Kind, name: str, request: RunRequest, pairs: tuple[str, ...], cause: str) -> Cell:
    """The cell of some pairs of a survey, by their names, or of a cause that one of them is to show."""
    plan, _ = plan_of([], _without_what_differs(request))
    return Cell(
        kind=kind,
        name=name,
        plan=plan_text(plan),
        programs=programs((request.target,)),
        pairs=pairs,
        cause=cause,
    )


def file_name(scenario: Scenario) -> str:
    """How the scenario's file is called, wherever it stands."""
    return scenario.file.name if scenario.file is not None else f"{scenario.name}.race.yaml"


def unpacked(held: Mapping[str, str]) -> dict[str, bytes]:
    """Base64 texts as bytes. Raises UsageError for what is none."""
    try:
        return {name: b64decode(text, validate=True) for name, text in held.items()}
    except ValueError as wrong:
        raise UsageError(f"a cell of a campaign: no base64 ({wrong})") from None


def _beside(scenario: Scenario) -> dict[str, str]:
    """The files of the controls that are scenarios of the user's own, and the messages that those send."""
    found: dict[str, str] = {}
    for control in scenario.controls:
        path = resolve(control.scenario, scenario.file or shipped()) if control.scenario else None
        if path is None or path.parent == shipped():
            continue
        found[path.name] = b64encode(path.read_bytes()).decode()
        found |= {name: b64encode(mail).decode() for name, mail in load(path).contents.items()}
    return found


def _without_what_differs(request: RunRequest) -> RunRequest:
    """The request without what may differ when the same question is asked again."""
    return replace(request, command="", time_limit_s=None, ends=None)


def _read(of: type[T], text: str, wrong: str) -> T:
    try:
        return codec(of).validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise UsageError(f"{wrong}: {why_unreadable(error)}") from None
