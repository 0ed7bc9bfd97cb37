"""Surveys a target; writes survey.json, the page and a scenario for each cause into a folder."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from mailrace.history.writing import write_whole
from mailrace.model.errors import Interrupted, TargetError, UsageError
from mailrace.model.survey import Survey, SurveyedCause, ThreeActors
from mailrace.model.time_limit import TimeOver, cut_at, over_by
from mailrace.recorded import environment
from mailrace.report import to_json
from mailrace.report.survey import survey_page
from mailrace.scenario import server_options
from mailrace.scenario.load import scenario_from
from mailrace.session import PROXY_ADDRESS
from mailrace.studies.survey.document import survey_of
from mailrace.studies.survey.operations import not_surveyed
from mailrace.studies.survey.relations import Pair, chosen, pairs
from mailrace.studies.survey.run import Surveyor
from mailrace.studies.survey.state import CAUSES, Header, State
from mailrace.studies.survey.three import ThreeSurveyor, three_actors
from mailrace.studies.survey.triples import Triple, triples, worth_looking_at
from mailrace.studies.surveyed import keep_survey
from mailrace.targets import TargetName, open_target

THREE_S_MAX = 300.0
"""All triples of a version would take hours, so they have a limit of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a survey is asked for. `only`: names of operations; empty: all of the table.

    actors         3: after the pairs, three operations at a time as well
    three_s_max    so long these are looked at, where there is no time limit for the whole
    """

    target: TargetName
    only: tuple[str, ...] = ()
    time_limit_s: float | None = None
    command: str = ""
    actors: int = 2
    three_s_max: float = THREE_S_MAX


Decider = Callable[[TargetName, State, Path, float, Callable[[str], None]], Surveyor]
"""Makes the one that decides pairs into a state: in this process, or by the workers of a campaign."""


def survey(
    asked: Asked,
    folder: Path,
    progress: Callable[[str], None] = lambda _: None,
    decider: Decider = Surveyor,
) -> Survey:
    """Survey a version into `folder`, or go on with the survey that the folder holds.

    Raises UsageError for a target that is not ours to start, and TargetError where it is not available. Where
    Ctrl-C ended it, the files are written first and then Interrupted is raised.
    """
    wanted = _wanted(asked)
    # The version is asked for before anything is kept, because a state belongs to one version only.
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    options = server_options(scenario_from(wanted[0].scenario, folder))
    info = open_target(asked.target, options, database=PROXY_ADDRESS).info
    header = Header.of(asked.target, info.version, [one.name for one in wanted])
    state = State(folder, header)
    deadline = inf if asked.time_limit_s is None else began + asked.time_limit_s
    surveyor = decider(asked.target, state, folder, deadline, progress)
    is_whole, was_ended, failed = False, False, None
    try:
        with over_by(cut_at(deadline, asked.time_limit_s)):
            is_whole = surveyor.survey(wanted)
            if asked.actors == 3 and is_whole:
                _look_at_three(asked, state, folder, deadline, progress)
    except TimeOver:
        pass  # the pair that was under way is not decided
    except (KeyboardInterrupt, Interrupted):
        was_ended = True
    except TargetError as wrong:
        if not state.found:
            raise
        failed = wrong
    # Whatever ended it, what was found until then is told. Pairs that were not reached are INCONCLUSIVE.
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
    causes = _with_scenarios(found.causes, {pair.name: pair for pair in wanted}, folder, info.name)
    made = {**environment(), **surveyor.environment}
    found = replace(found, environment=made, causes=causes, three=_three(asked, state, folder, info.name))
    write_whole(folder / "survey.json", to_json(found).encode())
    write_whole(folder / "survey.html", survey_page(found).encode())
    if is_whole:
        keep_survey(found)
    if was_ended:
        raise Interrupted(folder)
    if failed is not None:
        raise failed
    return found


def _wanted(asked: Asked) -> list[Pair]:
    """The pairs that are asked for. Raises UsageError where there is none, or the server is not ours."""
    if asked.target.kind == "url":
        raise UsageError(f"{asked.target}: a survey holds a server's statements, so it needs one of its own")
    if wanted := chosen(pairs(), asked.only):
        return wanted
    known = sorted({name for one in pairs() for name in (one.a.name, one.b.name)})
    raise UsageError(f"--only: no pair of these operations; there are {', '.join(known)}")


def _look_at_three(
    asked: Asked, state: State, folder: Path, deadline: float, progress: Callable[[str], None]
) -> None:
    """Look at three operations at a time until the time is up. Raises TargetError."""
    until = deadline if deadline < inf else time.monotonic() + asked.three_s_max
    known = frozenset(cause.name for one in state.found.values() for cause in one.causes)
    ThreeSurveyor(asked.target, state, folder, known, until, progress).survey(_triples(asked, state)[0])


def _three(asked: Asked, state: State, folder: Path, target: str) -> ThreeActors | None:
    """What was found of three operations at a time, each cause with its scenario; None: not asked for."""
    if asked.actors < 3:
        return None
    every, apart = _triples(asked, state)
    found = three_actors(state, every, apart)
    causes = _with_scenarios(found.causes, {one.name: one for one in every}, folder, target, "three-")
    return replace(found, causes=causes)


def _triples(asked: Asked, state: State) -> tuple[list[Triple], int]:
    """See `worth_looking_at`, by the conflicts that the pairs of the survey showed."""
    conflicts: dict[tuple[str, str], int] = {}
    for one in state.found.values():
        key = (one.pair.a, one.pair.b)
        conflicts[key] = max(conflicts.get(key, 0), one.coverage.predicted)
    return worth_looking_at(list(triples()), asked.only, conflicts)


def _with_scenarios(
    causes: Sequence[SurveyedCause],
    by_name: Mapping[str, Pair | Triple],
    folder: Path,
    target: str,
    prefix: str = "",
) -> tuple[SurveyedCause, ...]:
    """Write a scenario that shows it for each cause; the causes with the names of these files."""
    kept = []
    for cause in causes:
        file = f"{CAUSES}/{prefix}{re.sub(r'[^a-z0-9_.-]+', '-', cause.name.lower())[:120]}.race.yaml"
        (folder / CAUSES).mkdir(exist_ok=True)
        write_whole(folder / file, _text(by_name[cause.shown_by].scenario, cause, target).encode())
        kept.append(replace(cause, scenario=file))
    return tuple(kept)


_INSTANCES = {"two servers": 2, "three servers": 3}


def _text(shown: Mapping[str, object], cause: SurveyedCause, target: str) -> str:
    """The text of a scenario file that shows the cause. Its values are JSON, which YAML takes as well."""
    scenario = dict(shown)
    what = f"Shows {', '.join(cause.anomalies)} on {target}: {cause.name}."
    if cause.fate in _INSTANCES:
        own = scenario.get("target")
        options = own if isinstance(own, dict) else {}
        scenario["target"] = {**options, "instances": _INSTANCES[cause.fate]}
    lines = [f"{key}: {json.dumps(scenario.pop(key))}" for key in ("name", "title", "source")]
    lines.append(f"what: {json.dumps(what)}")
    for key, value in scenario.items():
        if isinstance(value, list):
            lines += [f"{key}:", *(f"  - {json.dumps(one)}" for one in value)]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"
