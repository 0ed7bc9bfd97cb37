"""The folder of a run in, its RunResult out: from run.json, or from the journal of a run that was killed."""

from collections.abc import Sequence
from pathlib import Path

from mailrace import __version__
from mailrace.check import check_round, not_looked
from mailrace.history import HISTORY, RUN, read_journal, read_plan
from mailrace.model.anomaly import Weight
from mailrace.model.errors import UsageError
from mailrace.model.result import SCHEMA_VERSION, RunResult, ScenarioResult, Verdict
from mailrace.model.target import TargetInfo
from mailrace.race.tally import Judged, Tally
from mailrace.recorded import scenarios_of
from mailrace.report import from_json
from mailrace.scenario import Plan, Scenario, server_options
from mailrace.verdict import clopper_pearson, gravest


def result_of(folder: Path) -> RunResult:
    """What the run found. Of a run without a run.json, what its journal shows, marked as cut off.

    Raises UsageError where the folder is no run's.
    """
    document = folder / RUN
    if document.is_file():
        return from_json(document.read_text(encoding="utf-8"))
    plan = read_plan(folder)
    try:
        scenarios = scenarios_of(folder, plan)
        tallies = _tallied(folder / HISTORY, scenarios)
        results = tuple(_result(s, tallies[s.name]) for s in scenarios)
        return RunResult(
            mailrace=__version__,
            schema_version=SCHEMA_VERSION,
            verdict=gravest(r.verdict for r in results),
            target=TargetInfo.unknown(plan.request.target.text),
            seed=plan.request.seed,
            run=plan.run,
            command=plan.request.command,
            started=plan.started,
            environment={},
            scenarios=results,
            rule=plan.request.racing.rule,
            cut_off=True,
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise UsageError(f"{folder}: its plan or history cannot be read ({wrong!r})") from wrong


def _tallied(history: Path, scenarios: Sequence[Scenario]) -> dict[str, Tally]:
    """Judge again what the journal holds of the target's rounds, by the promises alone."""
    options = {s.name: server_options(s) for s in scenarios}
    tallies = {s.name: Tally(options[s.name], "mailrace run") for s in scenarios}
    if history.is_file():
        for name, lane, record in read_journal(history):
            if lane == "target" and name in tallies:
                anomalies = check_round(record, options[name])
                is_hit = any(a.name.weight is Weight.RACE for a in anomalies)
                tallies[name].add(Judged(record, anomalies, "" if is_hit else not_looked(record)))
    return tallies


def _result(scenario: Scenario, tally: Tally) -> ScenarioResult:
    done = f"the run was cut off after {tally.rounds} rounds that were looked at, {tally.hits} of them hits"
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        file=str(scenario.file or ""),
        digest=scenario.digest,
        mode="race",
        verdict=Verdict.RACE if tally.hits else Verdict.INCONCLUSIVE,
        reason=f"{done}.",
        advice="" if tally.hits else "run it again to its end.",
        rounds=tally.rounds,
        rounds_lost=tally.lost,
        accepted=tally.accepted(Plan(scenario, 0, "mr00000000").round(0)),
        rounds_dropped=tally.lost - tally.refused,
        rounds_refused=tally.refused,
        hits=tally.hits,
        interval=clopper_pearson(tally.hits, tally.rounds) if tally.rounds else None,
        anomalies=dict(tally.anomalies),
        witnesses=tuple(tally.witnesses),
        sample=tuple(tally.sample),
        not_looked=("all that would have come after the cut", *tally.not_looked),
        profile=scenario.release.profile,
        release_at=scenario.release.at,
        skew_us=tally.skew(),
        replies=dict(tally.replies.most_common()),
        expected=tally.expected,
        found=tally.found,
    )
