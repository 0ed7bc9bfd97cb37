"""Takes a scenario file; gives the scenario, or all of its mistakes at once."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from mailrace.model.errors import Mistake, ScenarioError, UsageError
from mailrace.model.target_name import is_by_version
from mailrace.scenario.actor import BODY_BYTES_MAX
from mailrace.scenario.explain import explain, holds
from mailrace.scenario.needs import derived
from mailrace.scenario.read import FILE_BYTES_MAX, Document, Fault, read
from mailrace.scenario.read import Path as Place
from mailrace.scenario.rules import contradictions
from mailrace.scenario.scenario import Scenario
from mailrace.scenario.schema import schema

SUFFIX = ".race.yaml"


Reach = Literal["nothing", "folder", "anywhere"]
"""What a scenario may make us read and run.

`nothing`: no file, for a plan's or a bundle's, which brings its messages; `folder`: messages in its own
folder, and controls that are named by version; `anywhere`: whatever it names.
"""


def load(path: Path, reach: Reach = "folder") -> Scenario:
    """The scenario in a file. `reach`: what it may make us read and run, since it may be a stranger's.

    Raises ScenarioError with every mistake of the file, in file order, each with line, column, path, what
    is wrong with the value and what is wanted; UsageError if the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; give a scenario file (*{SUFFIX}) or a folder") from error
    return parse(raw, path, reach=reach)


def parse(
    raw: bytes, path: Path, mails: Mapping[str, bytes] | None = None, *, reach: Reach = "folder"
) -> Scenario:
    """The scenario in a file's bytes; `path` says where it stands and its message files are sought.

    mails   message files by name that are at hand and not to be read, e.g. those that a run has kept
    """
    document = read(raw)
    faults = list(document.faults)
    scenario: Scenario | None = None
    contents: dict[str, bytes] = {}
    if document.data is not None and not isinstance(document.data, dict):
        faults.append(Fault((), "is no mapping; begin with name: and actors:"))
    elif document.data is not None:
        known_bad = frozenset(fault.path for fault in faults)
        scenario, found = _validated(document.data, known_bad)
        faults += found
        if scenario is not None:
            faults += contradictions(scenario, frozenset(fault.path for fault in faults))
            faults += _message_files(scenario, path.parent, mails or {}, contents, reach)
            faults += _controls_of_others(scenario, reach)
    if faults or scenario is None:
        raise ScenarioError(mistakes_of(faults, document, str(path)))
    return _completed(scenario).with_source(path, contents)


def _completed(scenario: Scenario) -> Scenario:
    """The scenario with what its author may leave out: a title, and from which release on it applies."""
    found = {"title": scenario.title or scenario.name.replace("-", " ").capitalize()}
    found["needs"] = scenario.needs or derived(scenario)
    changed = {key: value for key, value in found.items() if value != getattr(scenario, key)}
    return scenario.model_copy(update=changed) if changed else scenario


def _validated(data: dict[str, object], known_bad: frozenset[Place]) -> tuple[Scenario | None, list[Fault]]:
    """The scenario and its faults; with faults, the scenario that is left without them, if there is one.

    Faulty values are taken out and the rest is validated again, so that the rules between keys can judge the
    rest in the same go.
    """
    faults: list[Fault] = []
    scenario = None
    for _ in range(4):
        try:
            scenario = Scenario.model_validate_json(json.dumps(data))
            break
        except ValidationError as error:
            found = explain(error, data, schema())
        said = {fault.path for fault in faults} | known_bad
        fresh = [fault for fault in found if not any(fault.path[: len(p)] == p for p in said if p)]
        faults += fresh
        data = _without(data, [fault.path for fault in found])
    return scenario, faults


def _without(data: dict[str, object], paths: Sequence[Place]) -> dict[str, object]:
    """A copy without the values at these paths; where a value is missing, without what lacks it.

    A list keeps its length, so that later paths still stand where they stand in the file.
    """
    copy: dict[str, object] = json.loads(json.dumps(data))
    for path in sorted(paths, key=len, reverse=True):
        _remove(copy, path)
    # A stand-in takes the place of what every scenario must have, so that the rest can be validated.
    copy.setdefault("name", "unnamed")
    copy["actors"] = copy.get("actors") or [{"send": {"count": 2}}]
    return copy


_STAND_INS: dict[str, object] = {"actors": {}, "given": {}, "controls": {"target": "embedded"}, "on": "4xx"}
"""What takes the place of a faulty list item while the rest is looked at, by the list's key."""


def _remove(data: object, path: Place) -> None:
    holder = data
    for part in path[:-1]:
        if not holds(holder, part):
            return
        holder = holder[part]
    if path and holds(holder, path[-1]):
        if isinstance(holder, list):
            holder[path[-1]] = _STAND_INS.get(str(path[-2] if len(path) > 1 else ""), "x")
        else:
            del holder[path[-1]]
    elif len(path) > 1:
        _remove(data, path[:-1])


def _controls_of_others(scenario: Scenario, reach: Reach) -> list[Fault]:
    """Controls that are programs or addresses: trying a stranger's file must not run or reach them."""
    wanted = "give a version, such as mailpit@1.17.0, or allow it with --allow-outside"
    return [
        Fault(("controls", index, "target"), f'"{control.target}" is a program or an address; {wanted}')
        for index, control in enumerate(scenario.controls)
        if control.target is not None and reach != "anywhere" and not is_by_version(control.target)
    ]


def _message_files(
    scenario: Scenario, folder: Path, mails: Mapping[str, bytes], contents: dict[str, bytes], reach: Reach
) -> list[Fault]:
    faults = []
    for index, actor in enumerate(scenario.actors):
        if actor.send is None or actor.send.file is None:
            continue
        name = actor.send.file
        place = ("actors", index, "send", "file")
        # A run that is replayed brings its files along, and reads none here.
        if name in mails:
            contents[name] = mails[name]
            continue
        try:
            path = _within(folder, name, reach)
            with path.open("rb") as file:
                raw = file.read(BODY_BYTES_MAX + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no such name"
            wanted = "give a message file, relative to the scenario file"
            faults.append(Fault(place, f'"{name}" cannot be read ({reason}); {wanted}'))
            continue
        # One byte more than the limit was read at most, so a huge file costs no memory.
        if len(raw) > BODY_BYTES_MAX:
            faults.append(Fault(place, f'"{name}" is over {BODY_BYTES_MAX} bytes; give a smaller message'))
        elif not raw.strip():
            faults.append(Fault(place, f'"{name}" is empty; give a message with headers and a body'))
        contents[name] = raw
    return faults


def _within(folder: Path, name: str, reach: Reach) -> Path:
    """The message's file. Raises OSError where it is not there, is no file, or must not be read."""
    if reach == "nothing":
        raise FileNotFoundError(0, "it did not come along with the run")
    # Links are followed first, so that none leads outside; a loop of links is found when it is opened.
    path = Path(os.path.realpath(folder / name))
    if reach == "folder" and not path.is_relative_to(folder.resolve()):
        raise PermissionError(0, "it is outside of the scenario's folder; --allow-outside allows it")
    if not path.is_file():
        raise FileNotFoundError(0, "no such file")
    return path


def mistakes_of(faults: Sequence[Fault], document: Document, file: str) -> tuple[Mistake, ...]:
    """The faults with their places, in the order of the file, each once."""
    mistakes: dict[tuple[int, int, str, str], Mistake] = {}
    for fault in faults:
        line, column = fault.line, fault.column
        if not line and document.data is not None:
            line, column = document.place(fault.path)
        where = ".".join(_printable(part) for part in fault.path)
        # A text may quote what stands in the file, which may hold line breaks and signs of control.
        text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in fault.text)
        mistakes[line, column, where, text] = Mistake(
            file=file, line=line, column=column, path=where, text=text
        )
    return tuple(mistakes[key] for key in sorted(mistakes))


def _printable(part: str | int) -> str:
    text = str(part)
    return text if text.isprintable() else json.dumps(text)


def scenario_from(
    data: Mapping[str, object],
    beside: Path,
    mails: Mapping[str, bytes] | None = None,
    *,
    reach: Reach = "folder",
) -> Scenario:
    """A scenario from plain data, as tests, plans and the shrinker make them; mistakes as in `load`.

    beside   its file, whether that is still there or not, or the folder in which its message files are
    mails, reach   as in `parse`
    """
    name = Path(str(data.get("name", "scenario"))).name
    return parse(
        json.dumps(data).encode(),
        beside / f"{name}{SUFFIX}" if beside.is_dir() else beside,
        mails,
        reach=reach,
    )
