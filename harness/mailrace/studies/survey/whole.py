"""A target in, its survey out, with all its files in a folder: survey.json, the page, a scenario a cause."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any, Protocol

from mailrace.history.writing import write_whole
from mailrace.model.errors import Interrupted, TargetError, UsageError
from mailrace.model.survey import Survey, SurveyedCause
from mailrace.recorded import environment
from mailrace.report.survey import survey_page, survey_to_json
from mailrace.scenario import server_options
from mailrace.scenario.load import scenario_from
from mailrace.studies.survey.document import survey_of
from mailrace.studies.survey.operations import not_surveyed
from mailrace.studies.survey.relations import Pair, chosen, pairs
from mailrace.studies.survey.run import Surveyor
from mailrace.studies.survey.state import Header, State
from mailrace.targets import TargetName, open_target

DOOR = "http://127.0.0.1:0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a survey is asked for. `only`: names of operations; empty: all of the table."""

    target: TargetName
    only: tuple[str, ...] = ()
    time_limit_s: float | None = None
    command: str = ""


class Deciding(Protocol):
    """Who decides pairs into a state: this process, or the workers of a campaign. See `Surveyor`."""

    seconds: dict[str, float]
    offered: tuple[str, ...]
    environment: Mapping[str, str]

    def survey(self, pairs: Sequence[Pair]) -> bool:
        """Decide every pair, then show every cause; whether all was looked at."""


Decider = Callable[[TargetName, State, Path, float, Callable[[str], None]], Deciding]


def survey(
    asked: Asked,
    folder: Path,
    progress: Callable[[str], None] = lambda _: None,
    decider: Decider = Surveyor,
) -> Survey:
    """Survey a version into `folder`, or go on with the survey that the folder holds.

    Raises UsageError for a target that is not ours to start, TargetError where it cannot be had, and
    Interrupted, once the files are written, where Ctrl-C ended it.
    """
    if asked.target.kind == "url":
        raise UsageError(f"{asked.target}: a survey holds a server's statements, so it needs one of its own")
    wanted = chosen(pairs(), asked.only)
    if not wanted:
        known = sorted({name for one in pairs() for name in (one.a.name, one.b.name)})
        raise UsageError(f"--only: no pair of these operations; there are {', '.join(known)}")
    # The version is asked for before anything is kept, for a state is of one version only.
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    info = open_target(asked.target, server_options(_scenario(wanted[0], folder)), database=DOOR).info
    header = Header(target=asked.target.text, version=info.version, pairs=tuple(one.name for one in wanted))
    state = State(folder, header)
    deadline = inf if asked.time_limit_s is None else began + asked.time_limit_s
    surveyor = decider(asked.target, state, folder, deadline, progress)
    is_whole, was_ended, failed = False, False, None
    try:
        is_whole = surveyor.survey(wanted)
    except (KeyboardInterrupt, Interrupted):
        was_ended = True
    except TargetError as wrong:
        if not state.found:
            raise
        failed = wrong
    # Whatever ended it, what was found until then is told; what is left of it is INCONCLUSIVE in there.
    found = survey_of(
        state,
        wanted,
        info,
        is_whole=is_whole,
        command=asked.command,
        started=started,
        not_surveyed=not_surveyed(surveyor.offered),
        seconds={
            "whole": round(time.monotonic() - began, 3),
            **{name: round(s, 3) for name, s in surveyor.seconds.items()},
        },
    )
    found = replace(
        _with_scenarios(found, wanted, folder), environment={**environment(), **surveyor.environment}
    )
    write_whole(folder / "survey.json", survey_to_json(found).encode())
    write_whole(folder / "survey.html", survey_page(found).encode())
    if was_ended:
        raise Interrupted(folder)
    if failed is not None:
        raise failed
    return found


def _scenario(pair: Pair, folder: Path) -> Any:
    return scenario_from(pair.scenario, folder)


def _with_scenarios(found: Survey, wanted: Sequence[Pair], folder: Path) -> Survey:
    """The survey, each of its causes with the file of a scenario that shows it, which is written."""
    by_name = {pair.name: pair for pair in wanted}
    causes = []
    for cause in found.causes:
        file = f"causes/{re.sub(r'[^a-z0-9_.-]+', '-', cause.name.lower())[:120]}.race.yaml"
        (folder / "causes").mkdir(exist_ok=True)
        write_whole(folder / file, _text(by_name[cause.shown_by], cause, found.target.name).encode())
        causes.append(replace(cause, scenario=file))
    return replace(found, causes=tuple(causes))


def _text(pair: Pair, cause: SurveyedCause, target: str) -> str:
    """The text of a scenario file: the pair, and what it shows. JSON's values are YAML's, too."""
    scenario = dict(pair.scenario)
    what = f"Shows {', '.join(cause.anomalies)} on {target}: {cause.name}."
    if cause.fate == "two servers":
        scenario["target"] = {**scenario.get("target", {}), "instances": 2}
    lines = [f"{key}: {json.dumps(scenario.pop(key))}" for key in ("name", "title", "source")]
    lines.append(f"what: {json.dumps(what)}")
    for key, value in scenario.items():
        if isinstance(value, list):
            lines += [f"{key}:", *(f"  - {json.dumps(one)}" for one in value)]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"
