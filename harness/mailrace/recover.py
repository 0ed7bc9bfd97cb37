"""Takes a run's folder; gives its RunResult: from run.json, or from the history where the run was killed."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mailrace import __version__
from mailrace.check import check_round, not_looked
from mailrace.history import (
    HISTORY,
    RUN,
    Contents,
    RecordedPlan,
    ScenarioHistory,
    contents,
    open_regular,
    read_histories,
    read_plan,
)
from mailrace.model.anomaly import Weight
from mailrace.model.codec import why_unreadable
from mailrace.model.errors import ScenarioError, UsageError
from mailrace.model.phrases import plural
from mailrace.model.request import RunRequest
from mailrace.model.result import SCHEMA_VERSION, RunResult, ScenarioResult, Schedules, Verdict, Witness
from mailrace.model.target import TargetInfo
from mailrace.race.tally import Judged, Tally
from mailrace.recorded import replay_command, scenarios_of
from mailrace.report import from_json
from mailrace.report.document import text_of
from mailrace.scenario import Scenario, blank_result, not_exercised, server_options
from mailrace.verdict import clopper_pearson, gravest

CUT = "all that would have come after the cut"
KILLED = "the run was cut off"
NOT_BEGUN = "the run ended before this scenario"


def result_of(folder: Path) -> RunResult:
    """What the run found; where it has no run.json, what its history shows, marked as cut off.

    Raises UsageError where the folder is no run's.
    """
    document = folder / RUN
    if document.is_file():
        return from_json(text_of(document), document)
    plan = read_plan(folder)
    try:
        return _from_history(folder, plan)
    except (KeyError, TypeError, ValueError, OSError) as wrong:
        raise UsageError(f"{folder}: its history cannot be read ({why_unreadable(wrong)})") from wrong


def _from_history(folder: Path, plan: RecordedPlan) -> RunResult:
    histories = read_histories(folder / HISTORY) if (folder / HISTORY).is_file() else []
    scenarios = {one.name: one for one in _scenarios(folder, plan)}
    results = [
        one.result or _cut_off(scenario, one, replay_command(folder, scenario, plan.request.target))
        for one in histories
        if (scenario := scenarios.get(one.name)) is not None
    ]
    # What the journal holds is told as it stands. Scenarios that it does not mention were never begun.
    seen = {one.name for one in histories}
    results += [
        not_exercised(one, Verdict.INCONCLUSIVE, NOT_BEGUN, plan.request.mode)
        for one in scenarios.values()
        if one.name not in seen
    ]
    found = (one.header.info for one in histories if one.header is not None and one.header.info is not None)
    return RunResult(
        mailrace=__version__,
        schema_version=SCHEMA_VERSION,
        verdict=gravest(r.verdict for r in results),
        target=next(found, TargetInfo.unknown(plan.request.target.text)),
        seed=plan.request.seed,
        run=plan.run,
        command=plan.request.command,
        started=plan.started,
        environment={},
        scenarios=tuple(results),
        rule=plan.request.racing.rule,
        cut_off=True,
    )


def _scenarios(folder: Path, plan: RecordedPlan) -> Sequence[Scenario]:
    """The plan's scenarios, without message files that are gone: nothing is sent any more."""
    try:
        return scenarios_of(folder, plan)
    except ScenarioError:
        return scenarios_of(folder, plan, are_mails_needed=False)


def cut_off(folder: Path, scenario: Scenario, request: RunRequest, why: str) -> ScenarioResult:
    """What the history in the folder of a run under way shows of the scenario that was cut off there last.

    why   what cut it off, in a clause
    """
    replay = replay_command(folder, scenario, request.target)
    # A gate races a version several times over; a RACE in any of them stays one.
    cut = [
        _cut_off(scenario, one, replay, why)
        for one in reversed(read_histories(folder / HISTORY))
        if one.name == scenario.name and one.result is None
    ]
    reason = f"{why} before anything was looked at"
    none = not_exercised(scenario, Verdict.INCONCLUSIVE, reason, request.mode)
    return next((one for one in cut if one.verdict is Verdict.RACE), next(iter(cut), none))


def _cut_off(scenario: Scenario, history: ScenarioHistory, replay: str, why: str = KILLED) -> ScenarioResult:
    """The result of a scenario that was cut off: a RACE stays one, all else is INCONCLUSIVE."""
    if history.header is not None and history.header.mode == "steer":
        return _steered(scenario, history, why)
    return _raced(scenario, history, replay, why)


def _raced(scenario: Scenario, history: ScenarioHistory, replay: str, why: str) -> ScenarioResult:
    """The target's rounds as they were judged; of those that were not judged yet, the clean ones count."""
    options = server_options(scenario)
    tally = Tally(options, replay)
    for lane, record, judged in history.rounds:
        if lane != "target":
            continue
        if judged is not None:
            tally.add(Judged(record, judged.anomalies, judged.not_looked))
            continue
        anomalies = check_round(record, options)
        if any(a.name.weight is Weight.RACE for a in anomalies):
            # Nobody could look any more whether it needs a race at all, and whether it comes twice.
            said = f"round {record.index} was cut off before it was judged: {anomalies[0].proof}"
            tally.add(Judged(record, (), said))
        else:
            tally.add(Judged(record, anomalies, not_looked(record)))
    # A hit is proof, whatever came after it. Without one, rounds that did not come to their end prove
    # nothing, so the verdict is INCONCLUSIVE.
    done = f"{why} after {tally.rounds} rounds that were looked at, {tally.hits} of them hits"
    verdict = Verdict.RACE if tally.hits else Verdict.INCONCLUSIVE
    advice = "" if tally.hits else "run it again to its end."
    planned = history.rounds[0][1].plan if history.rounds else None
    return replace(
        tally.onto(blank_result(scenario, "race", verdict, f"{done}.", advice), planned),
        digest=scenario.digest,
        interval=clopper_pearson(tally.hits, tally.rounds) if tally.rounds else None,
        not_looked=(CUT, *tally.not_looked),
        profile=scenario.release.profile,
        release_at=scenario.release.at,
    )


def _steered(scenario: Scenario, history: ScenarioHistory, why: str) -> ScenarioResult:
    """What steer had looked at and shown; what it only explored is no race yet."""
    shown, explored = _distinct(history.witnesses), len(history.schedules)
    bad = {one.schedule for one in history.schedules if one.anomalies}
    fates = Counter(one.fate for one in history.realisations)
    done = f"{why} after {plural(explored, 'schedule')}, {len(bad)} of them violating"
    # When the run ended the number of classes was not known yet, so only the explored ones are counted.
    schedules = Schedules(
        explored=explored,
        classes=explored,
        violating=len(shown),
        split_only=fates["split_only"],
        missed=0,
        exhaustive=False,
        bound="cut off",
        unrealised=max(0, len(bad) - len(shown)),
    )
    verdict = Verdict.RACE if shown else Verdict.INCONCLUSIVE
    reason = f"{done}; {len(shown)} of them were shown on the instances that were asked for."
    advice = "" if shown else "steer it again to its end."
    return replace(
        blank_result(scenario, "steer", verdict, reason, advice),
        digest=scenario.digest,
        rounds=explored,
        hits=len(shown),
        anomalies=dict(Counter(one.anomaly.name.value for one in shown)),
        witnesses=tuple(shown),
        not_looked=(CUT,),
        schedules=schedules,
    )


def _distinct(witnesses: Sequence[Witness]) -> list[Witness]:
    """The witnesses of a race: each schedule once for each anomaly, as it was shown last."""
    found = {
        (one.anomaly.name, one.schedule.text if one.schedule else "", one.record.index): one
        for one in witnesses
        if one.anomaly.name.weight is Weight.RACE
    }
    return list(found.values())


def looked_up(source: Path) -> tuple[Contents, dict[Path, RunResult]]:
    """What is in a folder, and what each run in it found. Raises UsageError where that is nothing."""
    found = contents(source)
    return found, {run: result_of(run) for run in found.runs}


def run_of(source: Path) -> Path:
    """The one run in that folder, as `merge` takes it. Raises UsageError, with what to name, for several."""
    found = contents(source)
    if len(found.runs) == 1:
        return found.runs[0]
    if not found.runs:
        raise UsageError(f"{source}: holds a {found.study} in which no run was begun")
    raise UsageError(
        f"{source}: holds a {found.study}, whose {len(found.runs)} runs are of different kinds; name one: "
        f"{found.named()}"
    )


def run_with(
    source: Path, *, scenario: str | None, round_: int | None = None, anomaly: str | None = None
) -> tuple[Path, RunResult, list[tuple[ScenarioResult, Witness]]]:
    """The run in that folder that holds such a witness, what it found, and all its witnesses of that kind.

    In a gate it is the run of the new version, if that shows one. Raises UsageError, with what to name
    instead, where no run has one or several have.
    """
    found, results = looked_up(source)
    fitting = {
        run: pairs
        for run, result in results.items()
        if (pairs := _witnesses(result, scenario, round_, anomaly))
    }
    if not fitting:
        asked = {"scenario": scenario, "round": round_, "anomaly": anomaly}
        named = ", ".join(f"{word} {value}" for word, value in asked.items() if value is not None)
        of = f"of {named} " if named else ""
        raise UsageError(f"{source}: no witness {of}is recorded there{_newest_race(found.folder)}")
    # Both versions of a gate may show it. The new one's is meant, because the gate asks about that one.
    if len(fitting) > 1 and found.study == "gate":
        new = {
            run: pairs for run, pairs in fitting.items() if "old" not in run.relative_to(found.folder).parts
        }
        fitting = dict([next(iter((new or fitting).items()))])
    if len(fitting) > 1:
        names = found.named(tuple(fitting))
        raise UsageError(f"{source}: {len(fitting)} runs of this {found.study} show it; name one: {names}")
    run, pairs = next(iter(fitting.items()))
    return run, results[run], pairs


def _witnesses(
    result: RunResult, scenario: str | None, round_: int | None, anomaly: str | None
) -> list[tuple[ScenarioResult, Witness]]:
    return [
        (one, witness)
        for one in result.scenarios
        if scenario in (None, one.name)
        for witness in one.witnesses
        if round_ in (None, witness.record.index) and anomaly in (None, witness.anomaly.name.value)
    ]


def _newest_race(folder: Path) -> str:
    """The next step: the newest run beside that folder that ended with RACE."""
    runs = sorted(folder.resolve().parent.glob("*/run.json"), key=lambda f: f.stat().st_mtime, reverse=True)
    for file in runs[:50]:
        with suppress(OSError), open_regular(file) as begins:
            if f'"verdict": "{Verdict.RACE}"'.encode() in begins.read(20_000):
                return f"; the newest run with one is {file.parent.name}"
    return ""
