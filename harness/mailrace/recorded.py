"""The record of what was run: scenarios and a request as the plan in a run's folder, and back.

A folder is complete: it keeps the scenarios' text and the users' own messages. So later edits of their files
change nothing, and it can be replayed where those files are gone.
"""

import hashlib
import os
import platform
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from traceback import format_exception

from mailrace import __version__
from mailrace.history import RecordedPlan, RecordedScenario, mail_of, read_plan, write_plan
from mailrace.model.choices import Study
from mailrace.model.request import RunRequest
from mailrace.model.result import RunResult
from mailrace.model.secrets import without_secrets
from mailrace.model.target_name import TargetName, is_by_version
from mailrace.report import render
from mailrace.scenario import Scenario, scenario_from

BUG = "bug.txt"
"""Where the traceback of a bug of ours stands, in the run's folder."""


def write_plan_of(
    folder: Path,
    scenarios: Sequence[Scenario],
    request: RunRequest,
    *,
    started: str,
    run: str,
    study: Study,
    targets: Sequence[TargetName],
) -> None:
    """Write the plan of a run, or of a study's folder, before anything is sent; `run`: its token."""
    plan, mails = plan_of(scenarios, request, study=study, targets=targets)
    write_plan(folder, replace(plan, started=started, run=run), mails)


def plan_of(
    scenarios: Sequence[Scenario],
    request: RunRequest,
    *,
    study: Study = "run",
    targets: Sequence[TargetName] = (),
) -> tuple[RecordedPlan, dict[str, bytes]]:
    """The plan of a run that has not begun, and the users' own messages that it sends, by digest."""
    # A run's folder must be complete, so it keeps the users' own message files, each once, under their
    # digests.
    contents, recorded = {}, []
    for one in scenarios:
        digests = {name: hashlib.sha256(mail).hexdigest() for name, mail in one.contents.items()}
        contents.update({digests[name]: mail for name, mail in one.contents.items()})
        recorded.append(
            RecordedScenario(name=one.name, file=str(one.file or ""), data=one.as_data(), mails=digests)
        )
    plan = RecordedPlan(
        mailrace=__version__,
        study=study,
        started="",
        run="",
        request=request,
        targets=tuple(targets) or (request.target,),
        scenarios=tuple(recorded),
    )
    return plan, contents


def write_merged(folder: Path, sources: Sequence[Path], result: RunResult) -> None:
    """Write the plan and the reports of runs that were merged: the plan holds the scenarios of them all."""
    plans = {source: read_plan(source) for source in sources}
    scenarios = {one.name: one for plan in plans.values() for one in plan.scenarios}
    mails = {
        digest: mail
        for source, plan in plans.items()
        for one in plan.scenarios
        for digest in one.mails.values()
        if (mail := mail_of(source, digest)) is not None
    }
    first = plans[sources[0]]
    request = replace(first.request, seed=result.seed, command=result.command)
    plan = replace(
        first,
        study="merge",
        run=result.run,
        request=request,
        scenarios=tuple(scenarios.values()),
        folders=tuple(str(source) for source in sources),
    )
    write_plan(folder, plan, mails)
    render(result, folder, ("json", "html", "md", "junit", "ctrf"))


def scenarios_of(folder: Path, plan: RecordedPlan, *, are_mails_needed: bool = True) -> tuple[Scenario, ...]:
    """The scenarios as that run ran them: from its plan, so that later edits of their files change nothing.

    The users' own messages come from the run's folder and from nowhere else: a plan may be a stranger's, and
    must not choose files on this machine. Raises ScenarioError where one is wrong or lacks a message.
    """
    found = []
    for one in plan.scenarios:
        kept = {name: mail_of(folder, digest) for name, digest in one.mails.items()}
        mails = {name: mail for name, mail in kept.items() if mail is not None}
        if not are_mails_needed:
            mails = {name: kept[name] or b"" for name in one.mails}
        data = {key: _by_version(held) if key == "controls" else held for key, held in one.data.items()}
        place = Path(one.file) if one.file else folder
        found.append(scenario_from(data, place, mails, reach="nothing"))
    return tuple(found)


def _by_version(controls: object) -> object:
    """Only the controls that are named by version: a plan must not start a program or reach an address."""
    if not isinstance(controls, list):
        return controls
    return [c for c in controls if not isinstance(c, dict) or is_by_version(str(c.get("target", "")))]


def replay_command(folder: Path, scenario: Scenario, target: TargetName) -> str:
    """The command that replays a witness of that folder, without `--round`.

    A target that is a program or an address stands in it, because `replay` takes neither from a file.
    """
    own = [] if is_by_version(target.text) else ["--target", target.text]
    return shlex.join(["mailrace", "replay", os.path.relpath(folder), "--scenario", scenario.name, *own])


def environment() -> dict[str, str]:
    """What a reader must know of the machine: no name, no user, no path."""
    load = " ".join(f"{x:.2f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": str(os.cpu_count() or 0),
        "load": load,
    }


def write_bug(folder: Path, bug: Exception) -> str:
    """Write the traceback of a bug of ours into a run's folder; the sentence that says so."""
    trace = without_secrets("".join(format_exception(bug)))
    with suppress(OSError):  # a full disk must not hide what went wrong
        (folder / BUG).write_text(trace, encoding="utf-8")
    return f"a bug of mailrace ({bug!r}); please report it with {folder / BUG}"
