"""Takes what was explored and realised; gives its `ScenarioResult`: verdict, reason, bound in words."""

import statistics
from collections.abc import Mapping

from mailrace.model.anomaly import Weight
from mailrace.model.phrases import plural
from mailrace.model.result import ScenarioResult, Schedules, Verdict
from mailrace.scenario import Scenario, not_exercised
from mailrace.steer.database_proxy.quiet import how_known
from mailrace.steer.one_instance.realisations import Summary
from mailrace.steer.one_instance.words import violations_in_words

_WITHOUT_SERIAL = {
    False: "the serial orders are too many: the promises stand alone",
    True: "every serial order hangs the server by itself: the promises stand alone",
}
_UNSTEADY = (
    "what the server sends hangs on more than what it was told: let it do without (no random order, no work "
    "at every n-th request) while it is steered, or race it natively, where that does not matter"
)


def bound_in_words(summary: Summary) -> str:
    """What was covered, in words, as printed with each verdict."""
    kept = ""
    is_shared = summary.instances < summary.actors
    if is_shared and (summary.actors == 2 or summary.schedules != summary.all_schedules):
        kept = " that keeps together what one instance was seen to keep together"
    servers = f" on {summary.instances} instances" if summary.instances > 1 else ""
    return (
        f"{_which(summary)} of the SQL statements of these operations{kept}, each operation once, "
        f"from this store{servers}, all of them begun before the first; not covered: in-process state, "
        "background writes (cron, --max), row order of tables without a key, driver differences, what POP3 "
        "alone shows of other mail, what a restart changes"
    )


def _which(summary: Summary) -> str:
    """Which schedules were run, in words."""
    found = summary.space.coverage
    if summary.is_exhaustive:
        return "every schedule"
    part = f"only part of it, for {found.why_not}: every schedule"
    if found.within < 0:
        return part
    within = f"every schedule with at most {plural(found.within, 'context switch')} beyond the necessary ones"
    if found.within == found.bound:
        return within
    return f"{within}, and part of those with more, for {found.why_not},"


def schedules_of(summary: Summary) -> Schedules:
    """The counts as run.json has them."""
    found = summary.space.coverage
    return Schedules(
        explored=found.explored,
        classes=summary.space.classes,
        violating=summary.shown.realised,
        split_only=summary.shown.split_only,
        missed=found.missed,
        exhaustive=summary.is_exhaustive,
        bound=bound_in_words(summary),
        violating_orders=summary.schedules.bad,
        unrealised=summary.shown.unrealised,
        unrealised_anomalies=tuple(sorted(summary.shown.unrealised_names)),
        violations=summary.shown.violations,
        causes=summary.shown.causes,
        orders_run=summary.space.coverage.runs,
        ms_per_order=round(summary.ms_per_schedule, 2),
        seconds={name: round(s, 3) for name, s in summary.seconds.items()},
        notes=tuple(notes_of(summary)),
        doubt=summary.doubt,
    )


def notes_of(summary: Summary) -> list[str]:
    """What the counts alone do not say."""
    space, shown = summary.space, summary.shown
    total, bad, by_name = summary.schedules
    notes = []
    # Only a whole graph has every schedule, so only there they can be counted.
    if space.graph.is_whole:
        each = "; ".join(f"{name} in {count:,}" for name, count in by_name.items())
        how = "predicted by a walk without a server: " if space.is_predicted else ""
        notes.append(f"{how}{bad:,} of {total:,} schedules are bad" + (f": {each}" if each else ""))
    if space.graph.is_whole and summary.all_schedules != summary.schedules:
        total, bad, _ = summary.all_schedules
        notes.append(f"with one instance an actor: {bad:,} of {total:,}")
    # Then what it took, and how well one instance could be brought into the bad schedules.
    seconds = summary.seconds
    notes.append(
        f"{plural(space.coverage.runs, 'schedule')} run in {seconds.get('explore', 0.0):.2f} s; "
        f"{summary.ms_per_schedule:.1f} ms a schedule, {seconds.get('start', 0.0):.2f} s of start included"
    )
    if summary.points:
        missed = f", {summary.points_missed} missed" if summary.points_missed else ""
        notes.append(
            f"0 preemptions (release points): {summary.points_bad} of {summary.points} are bad{missed}"
        )
    if space.coverage.cut:
        notes.append(f"{space.coverage.cut} runs were cut: only exchanged schedules were left there")
    if shown.tries:
        median, worst = statistics.median(shown.tries), max(shown.tries)
        notes.append(
            f"tries a realisation: median {median:g}, worst {worst}; "
            f"{shown.same} of {shown.repeats} repeats came to the same"
        )
    if left_out := shown.classes_that("left_out"):
        notes.append(
            f"{plural(left_out, 'more class')} of the same causes left out; --all-classes realises each"
        )
    # At last what became of each bad class, and what was not counted.
    notes += violations_in_words(shown.violations)
    if summary.unattributed:
        notes.append(f"{summary.unattributed} statements could not be attributed; their runs were dropped")
    return [*notes, *shown.notes, how_known()]


def scenario_result(scenario: Scenario, summary: Summary) -> ScenarioResult:
    """The verdict and everything that the report shows."""
    verdict, reason, advice = judged(summary)
    shown, judge = summary.shown, summary.space.judge
    # What was only explored may need more servers than one: of races only those that were shown count.
    anomalies: dict[str, int] = {}
    for run in summary.space.executions:
        is_race = run in shown.classes
        names = {a.name.value for a in judge.findings(run) if is_race or a.name.weight is not Weight.RACE}
        for name in sorted(names):
            anomalies[name] = anomalies.get(name, 0) + 1
    # What one instance did with a smaller round, or at a release point, is judged where it was run.
    for one in shown.elsewhere:
        for name in sorted(one.names):
            anomalies[name.value] = max(1, anomalies.get(name.value, 0) + one.is_beyond)
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        file=str(scenario.file or ""),
        mode="steer",
        verdict=verdict,
        reason=reason,
        advice=advice,
        rounds=summary.space.coverage.explored,
        rounds_lost=summary.space.coverage.missed,
        hits=shown.realised,
        broken_serially=judge.broken_serially,
        anomalies=anomalies,
        witnesses=shown.witnesses,
        sample=tuple(run.record for run in summary.space.executions if not judge.races(run))[:2],
        not_looked=() if judge.serial else (_WITHOUT_SERIAL[bool(judge.told)],),
        seconds=summary.seconds,
        replies=_replies(summary),
        schedules=schedules_of(summary),
    )


def judged(summary: Summary) -> tuple[Verdict, str, str]:
    """The verdict, its reason, and what would settle it."""
    shown, found = summary.shown, summary.space.coverage
    looked = f"{plural(found.explored, 'class')} explored"
    if not found.is_complete:
        looked = f"{plural(found.explored, 'schedule')} of {plural(summary.space.classes, 'class')} explored"
    orders = ""
    if summary.space.graph.is_whole:
        how = "predicted " if summary.space.is_predicted else ""
        orders = f", {summary.schedules.bad:,} of {summary.schedules.schedules:,} {how}schedules bad"
    # A race that was shown is a race, whatever else was missed. Without one, anything that was missed, or is
    # in doubt, leaves the question open. What then is left came to its end, or ran out of something.
    if shown.realised:
        again = f"{shown.same} of {shown.repeats} repeats came to the same"
        where = "one instance" if summary.instances == 1 else f"{summary.instances} instances"
        return (
            Verdict.RACE,
            f"{plural(shown.realised, 'violating class')} realised on {where} ({again}); {looked}{orders}",
            "",
        )
    if shown.unrealised:
        return (
            Verdict.INCONCLUSIVE,
            f"{plural(shown.unrealised, 'violating class')} neither realised on one instance nor seen to be "
            f"kept apart there; {looked}{orders}",
            "steer again with more time, or race it natively with decoys",
        )
    if found.missed:
        return (
            Verdict.INCONCLUSIVE,
            f"{plural(found.missed, 'schedule')} missed ({found.why_not}); {looked}",
            _UNSTEADY if found.diverged else "steer again on a quieter machine",
        )
    if summary.doubt:
        return (
            Verdict.INCONCLUSIVE,
            f"{summary.doubt}; {looked}{orders}",
            _UNSTEADY if found.diverged else "see the replies and notes in the report, and race it natively",
        )
    split = f"; two instances would show {plural(shown.split_only, 'bad class')}" if shown.split_only else ""
    if not summary.is_exhaustive:
        within = (
            f", and every one with up to {plural(found.within, 'switch')} was run"
            if found.within >= 0
            else ""
        )
        return (
            Verdict.INCONCLUSIVE,
            f"not finished, for {found.why_not}{within}; {looked}, none bad on one server{split}{orders}",
            _more(found.bound is not None),
        )
    return Verdict.PASS, f"{looked}, none bad on one server{split}; exhaustive{orders}", ""


def _more(is_bounded: bool) -> str:
    native = "or race it natively beside a control with --confirm, which can carry a PASS"
    if is_bounded:
        return f"leave --bound out: what lies beyond it was not looked at; {native}"
    return f"give a larger --budget, or fewer actors; {native}"


def not_steerable(scenario: Scenario, reason: str) -> ScenarioResult:
    """A scenario that steer cannot look at: nothing is known of it, so it is no PASS."""
    why = f"steer cannot look at it: {reason}"
    return not_exercised(scenario, Verdict.INCONCLUSIVE, why, "steer", "race it: `mailrace run`.")


def _replies(summary: Summary) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for run in summary.space.executions:
        for attempt in run.record.attempts:
            line = f"{attempt.code or attempt.word.value}"
            counts[line] = counts.get(line, 0) + 1
    return counts
