"""Takes scenarios and a request; gives what is known before the first mail, such as what is missing.

Every command that looks at a server asks here first, so that nothing turns out to be missing after a minute's
work.
"""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mailrace.model.choices import Mode, ModeAsked
from mailrace.model.errors import Mistake, TargetError, UsageError
from mailrace.model.hints import did_you_mean
from mailrace.model.operation import ServerOptions
from mailrace.model.request import RunRequest
from mailrace.model.target import Target
from mailrace.model.target_name import TargetName
from mailrace.model.time_limit import TimeOver, over_by
from mailrace.race import choose_control, must_not_run
from mailrace.report.words import names_words
from mailrace.scenario import Scenario, name_of, resolve, shipped, why_not_applicable
from mailrace.scenario.read import read
from mailrace.steer import why_not_steerable
from mailrace.targets import open_target


def chosen_mode(*targets: TargetName, mode: ModeAsked) -> Mode:
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


def preflight(
    scenarios: Sequence[Scenario],
    request: RunRequest,
    targets: Sequence[TargetName] = (),
) -> tuple[str, ...]:
    """Look for all targets and controls; tell in sentences what this run cannot answer, and which run could.

    targets   all that will be looked at; none: the request's own
    Installs a version that is asked for and not at hand. Raises TargetError for a target that is not there,
    UsageError for a question without an answer, ScenarioError for a control whose own file is wrong.
    """
    require_own_names(scenarios)
    said: dict[str, None] = {}
    for name in targets or (request.target,):
        if request.mode == "steer" and name.kind == "url":
            what = scenarios[0].name if len(scenarios) == 1 else "SCENARIO"
            raise UsageError(
                f"{name}: is not ours to start, so its statements cannot be held and it cannot be steered; "
                f"race it: {_command('run', [what], name)}"
            )
        # The target can be looked at in this mode. Now it is found out, before the first mail, whether it is
        # there.
        with _had(name, request.cut_at) as target:
            said.update(dict.fromkeys(_what_cannot_come(scenarios, request, name, target)))
    return tuple(said)


def unknown_controls(scenario: Scenario) -> tuple[Mistake, ...]:
    """The controls in a scenario's file whose scenario does not exist, each with its line."""
    if scenario.file is None:
        return ()
    document = read(scenario.file.read_bytes())
    found = []
    for number, control in enumerate(scenario.controls):
        if control.scenario is not None and resolve(control.scenario, scenario.file) is None:
            path = ("controls", number, "scenario")
            known = scenario_names([scenario])
            text = f'"{control.scenario}" is no scenario of this folder or of the shipped ones'
            found.append(
                Mistake(
                    str(scenario.file),
                    *document.place(path),
                    f"controls.{number}.scenario",
                    text + did_you_mean(control.scenario, known),
                )
            )
    return tuple(found)


def scenario_names(scenarios: Sequence[Scenario]) -> list[str]:
    """The names that a control or a baseline may mean: of these, of files beside them, of the shipped."""
    folders = {one.file.parent for one in scenarios if one.file is not None} | {shipped()}
    beside = {name_of(file) for folder in folders for file in folder.glob("*.race.yaml")}
    return sorted(beside | {one.name for one in scenarios})


def require_own_names(scenarios: Sequence[Scenario]) -> None:
    """UsageError where two have one name: results and baselines know a scenario only by its name."""
    files: dict[str, Scenario] = {}
    for scenario in scenarios:
        other = files.setdefault(scenario.name, scenario)
        if other is not scenario:
            raise UsageError(
                f"{scenario.file} and {other.file}: both are named {scenario.name}; give each its own"
            )


@contextmanager
def _had(name: TargetName, ends: float | None) -> Iterator[Target]:
    """The target, once its program is found or its server answers; TargetError if not by `ends`."""
    target = open_target(name, ServerOptions())
    if target.is_ours:
        yield target
        return
    try:
        with over_by(ends):
            target.start()
        yield target
    except TimeOver:
        raise TargetError(f"{name}: the time limit ended the first look at it") from None
    finally:
        target.stop()


def _what_cannot_come(
    scenarios: Sequence[Scenario], request: RunRequest, name: TargetName, target: Target
) -> Iterator[str]:
    """Sentences on one target; scenarios with the same reason share one."""
    version = target.info.version
    fitting = [one for one in scenarios if not why_not_applicable(one, version)]
    if not fitting:
        yield f"None of the scenarios is for {name} ({version}), so nothing will be looked at there."
    reasons: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in fitting:
        if request.mode == "steer":
            if why := why_not_steerable(one):
                reasons["steer cannot look at it", why, "run"].append(one.name)
        elif why := must_not_run(one, target, allow_deletions=request.server.allow_deletions):
            how = "run --allow-deletions" if "--allow-deletions" in why else "steer"
            reasons["it will not be run", why, how].append(one.name)
        elif request.racing.control and (why := _why_no_control(one, name)):
            reasons["it can show a race, and never PASS", why, "steer"].append(one.name)
    # A server that is not ours cannot be steered; one of ours of the same version can.
    ours = TargetName(
        text=f"mailpit@{version if target.info.version_source.is_known else 'VERSION'}", kind="mailpit"
    )
    for (what, why, how), names in reasons.items():
        where = ours if how == "steer" and name.kind == "url" else name
        command = _command(how, names, where)
        yield f"{names_words(names)} on {name}: {what}, for {why}. What can answer it: {command}"


def _why_no_control(scenario: Scenario, name: TargetName) -> str:
    """Why its rounds there cannot be PASS even if clean, in a clause; "" where a control may allow it."""
    chosen, missing = choose_control(scenario, name)
    if chosen is not None and chosen.kind in (1, 2):
        return ""
    if chosen is not None:
        return f"its only available control ({chosen.target}) is of kind 3: it tells nothing of this one"
    if missing:
        return f"none of its controls is available ({'; '.join(missing)})"
    return "it names no control for such a target"


def _command(how: str, names: Sequence[str], name: TargetName) -> str:
    verb, _, option = how.partition(" ")
    words = ["mailrace", verb, *names, "--target", name.text, *([option] if option else [])]
    return f"`{shlex.join(words)}`"
