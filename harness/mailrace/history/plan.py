"""Writes plan.json, what was asked, before anything is sent; reads it back, checked, from anybody's folder.

One codec for every command. `write_plan` takes a `RecordedPlan`, `read_plan` gives it back or raises
UsageError with the field, its value and what is wanted.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from mailrace.history.regular import read_regular
from mailrace.history.writing import write_whole, writing
from mailrace.model.choices import Study
from mailrace.model.codec import codec, why_unreadable
from mailrace.model.errors import TargetNameError, UsageError
from mailrace.model.request import RunRequest
from mailrace.model.target_name import TargetName, parse_target

T = TypeVar("T")
PLAN = "plan.json"
MAILS = "mails"
"""The folder in a run's folder that holds the users' own messages that its scenarios send, by digest."""
BYTES_MAX = 20_000_000
MISTAKES_SHOWN_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedScenario:
    """A scenario as it was run: its file's path, its text as plain data, and the digests of its messages.

    mails   name in the scenario to SHA-256 of the file `mails/<digest>` in the run's folder
    """

    name: str
    file: str
    data: Mapping[str, object]
    mails: Mapping[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPlan:
    """The whole of plan.json.

    study     what made the folder
    run       the token of the run, by which its mail is known
    targets   all targets that are looked at: a gate's old and new, a matrix's columns, a run's only one
    folders   the runs that a merge was made from
    """

    mailrace: str
    study: Study
    started: str
    run: str
    request: RunRequest
    targets: tuple[TargetName, ...]
    scenarios: tuple[RecordedScenario, ...]
    folders: tuple[str, ...] = ()


def write_plan(folder: Path, plan: RecordedPlan, mails: Mapping[str, bytes] | None = None) -> None:
    """Write plan.json, and the users' own messages (`mails`, by digest), before anything is sent."""
    for digest, content in (mails or {}).items():
        with writing(folder / MAILS):
            (folder / MAILS).mkdir(exist_ok=True)
        write_whole(folder / MAILS / digest, content)
    write_whole(folder / PLAN, plan_text(plan).encode("utf-8", "backslashreplace"))


def plan_text(plan: RecordedPlan) -> str:
    """The text of plan.json; equal plans give equal texts."""
    request = codec(RunRequest).dump_python(plan.request, mode="json", exclude={"output", "target"})
    document = {
        "mailrace": plan.mailrace,
        "study": plan.study,
        "started": plan.started,
        "run": plan.run,
        "target": plan.request.target.text,
        "targets": [target.text for target in plan.targets],
        **request,
        **({"folders": list(plan.folders)} if plan.folders else {}),
        "scenarios": [{"file": s.file, "mails": dict(s.mails), **s.data} for s in plan.scenarios],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_plan(folder: Path) -> RecordedPlan:
    """What plan.json says. Raises UsageError where the folder has none, or it is not one of ours."""
    document = _document(folder)
    place = folder / PLAN
    targets = [
        _target(place, f"targets.{i}", name) for i, name in enumerate(_list(place, document, "targets"))
    ]
    request = {key: document[key] for key in _REQUEST if key in document}
    target = request["target"] = _target(place, "target", document.get("target"))
    plan = {
        **{key: document.get(key) for key in ("mailrace", "study", "started", "run")},
        "folders": _list(place, document, "folders"),
        "request": request,
        "targets": targets or [target],
        "scenarios": [_scenario(place, i, one) for i, one in enumerate(_list(place, document, "scenarios"))],
    }
    return _validated(place, RecordedPlan, plan)


def mail_of(folder: Path, digest: str) -> bytes | None:
    """A user's own message that a run sent; None where the folder does not hold it whole."""
    try:
        content = read_regular(folder / MAILS / digest)
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None


_REQUEST = ("seed", "mode", "time_limit_s", "command", "racing", "steering", "server")


def _document(folder: Path) -> dict[str, object]:
    place = folder / PLAN
    try:
        raw = read_regular(place, BYTES_MAX)
    except OSError as error:
        raise UsageError(f"{folder}: no {PLAN} ({error.strerror}); name the folder of a run") from error
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: no JSON ({why_unreadable(error)}); name the folder of a run") from error
    if not isinstance(document, dict):
        raise UsageError(f"{place}: not the plan of a run")
    return document


def _list(place: Path, document: Mapping[str, object], key: str) -> list[object]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise UsageError(f"{place}: {key}: {_shown(value)} is no list")
    return value


def _target(place: Path, key: str, name: object) -> TargetName:
    if not isinstance(name, str):
        raise UsageError(f"{place}: {key}: {_shown(name)} is no target's name")
    try:
        return parse_target(name)
    except TargetNameError as wrong:
        raise UsageError(f"{place}: {key}: {wrong}") from wrong


def _scenario(place: Path, number: int, value: object) -> dict[str, object]:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise UsageError(f"{place}: scenarios.{number}: {_shown(value)} is no scenario with a name")
    data = {key: held for key, held in value.items() if key not in ("file", "mails")}
    return {
        "name": value["name"],
        "file": value.get("file", ""),
        "mails": value.get("mails", {}),
        "data": data,
    }


def _validated(place: Path, of: type[T], value: object) -> T:
    try:
        return codec(of).validate_python(value)
    except ValidationError as wrong:
        mistakes = wrong.errors(include_url=False)
        said = [
            f"{_dotted(one['loc'])}: {_shown(one['input'])}: {one['msg']}"
            for one in mistakes[:MISTAKES_SHOWN_MAX]
        ]
        raise UsageError(f"{place}: {'; '.join(said)}") from wrong


def _dotted(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in path if part != "request")


def _shown(value: object) -> str:
    """A value as a message shows it: short, and without what a terminal would obey."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
