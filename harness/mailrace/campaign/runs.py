"""Takes scenarios, targets and a campaign; gives each target's run, put together from its cells' outcomes."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from mailrace.campaign.cell import Cell, Outcome, file_name, scenario_cell
from mailrace.campaign.dispatch import Campaign, who_did_what
from mailrace.campaign.look import file_token, run_token
from mailrace.history import make_latest
from mailrace.listener import Listener
from mailrace.model.errors import UsageError
from mailrace.model.request import RunRequest
from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.model.target_name import TargetName
from mailrace.preflight import require_own_names
from mailrace.report import from_json
from mailrace.run import Run
from mailrace.scenario import Scenario, not_exercised
from mailrace.session import Session, session


def run_on(
    campaign: Campaign, scenarios: Sequence[Scenario], request: RunRequest, listener: Listener | None = None
) -> Run:
    """Does what `run` does, with the same folder and documents, but workers look at the scenarios."""
    with session(scenarios, request, listener) as now:
        campaign.keep_in(now.folder, now.request.seed, request.command)
        (done,) = look_at_all(campaign, scenarios, [now])
        campaign.finish()
        return done


def columns_on(
    campaign: Campaign, scenarios: Sequence[Scenario], columns: Mapping[str, TargetName], whole: Session
) -> Iterator[tuple[str, RunResult]]:
    """The run of each column of a matrix, by the name of its folder; all cells are sent at once."""
    campaign.keep_in(whole.folder, whole.request.seed, whole.request.command)
    formats = whole.request.output.formats
    with ExitStack() as stack:
        sessions = [
            stack.enter_context(session(scenarios, whole.part(under, formats, target=target), whole.listener))
            for under, target in columns.items()
        ]
        for under, done in zip(columns, look_at_all(campaign, scenarios, sessions), strict=True):
            yield under, done.result
    whole.extra["workers"] = who_did_what(campaign.by)
    campaign.finish()


def look_at_all(
    campaign: Campaign, scenarios: Sequence[Scenario], sessions: Sequence[Session]
) -> tuple[Run, ...]:
    """Has workers look at every scenario at every session's target; gives the sessions' finished runs."""
    require_own_names(scenarios)
    cells, asked = [], {}
    for now in sessions:
        for scenario in scenarios:
            cells.append(scenario_cell("look", scenario, now.request, (now.request.target,)))
            asked[cells[-1].key] = now, scenario
    deadline = sessions[0].deadline if sessions else None
    for cell, outcome in campaign.outcomes(cells, deadline):
        now, scenario = asked[cell.key]
        take(now, scenario, named_here(outcome.files, cell, now.folder, scenario), outcome)
    for now in sessions:
        in_order(now, scenarios, campaign)
    return tuple(now.finish() for now in sessions)


def in_order(now: Session, scenarios: Sequence[Scenario], campaign: Campaign) -> None:
    """Put the session's results into the order of the scenarios, and note in it who did what."""
    # They came in any order, and the documents must not depend on that.
    names = [scenario.name for scenario in scenarios]
    now.results.sort(key=lambda one: names.index(one.name))
    now.extra["workers"] = who_did_what(campaign.by)


def take(now: Session, scenario: Scenario, files: Mapping[str, str], outcome: Outcome) -> None:
    """Put the files of one run of that scenario into the session's folder, and its results into the session.

    What cannot be read, or is of another scenario, is INCONCLUSIVE.
    """
    found = None
    try:
        found = from_json(files["run.json"]) if not outcome.why else None
    except (KeyError, UsageError) as wrong:
        outcome = replace(outcome, why=f"its outcome cannot be read ({wrong!s:.300})")
    if found is None or {one.name for one in found.scenarios} != {scenario.name}:
        outcome = outcome if outcome.why else replace(outcome, why="its outcome is of another scenario")
        now.add(unlooked(scenario, outcome, now.request.mode))
        return
    # It is the run that was asked for. From here on it is treated like a run of this machine.
    now.info = found.target
    results = [of_worker(one, scenario, outcome) for one in found.scenarios]
    keep_files(now.folder, files)
    if history := files.get("history.jsonl"):
        now.journal.copy(history.encode())
        now.results.extend(results)
        if now.listener is not None:
            for one in results:
                now.listener.ended(one)
        if any(one.verdict is not Verdict.FAILED for one in results):
            make_latest(now.folder)
    else:
        for one in results:
            now.add(one)


def of_worker(found: ScenarioResult, scenario: Scenario, outcome: Outcome) -> ScenarioResult:
    """A result as it stands here: with our file's name, who found it, and what did not travel."""
    return replace(
        found,
        file=str(scenario.file or ""),
        machine=outcome.machine,
        not_looked=(*found.not_looked, *outcome.notes),
    )


def unlooked(scenario: Scenario, outcome: Outcome, mode: str) -> ScenarioResult:
    """INCONCLUSIVE, with the reason and the next step."""
    found = not_exercised(scenario, Verdict.INCONCLUSIVE, outcome.why, mode, advice=outcome.step)
    return replace(found, machine=outcome.machine)


def named_here(files: Mapping[str, str], cell: Cell, folder: Path, scenario: Scenario) -> dict[str, str]:
    """The texts with the names of this machine's folders where the worker's own stood."""
    here = os.path.relpath(folder)
    file = str(scenario.file or file_name(scenario))
    names = {
        f"{file_token(cell)}/{file_name(scenario)}": file,
        file_token(cell): str(Path(file).parent),
        run_token(cell): here,
    }
    found = {}
    for name, text in files.items():
        for token, mine in names.items():
            shown = json.dumps(mine)[1:-1] if name.endswith((".json", ".jsonl")) else mine
            text = text.replace(token, shown)
        found[name] = text
    return found


def keep_files(folder: Path, files: Mapping[str, str]) -> None:
    """Append the logs of a cell to those of the run."""
    for name in ("server.log", "bug.txt"):
        if name in files:
            with (folder / name).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(files[name])
