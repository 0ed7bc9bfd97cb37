"""Takes a scenario's result and an anomaly; gives whether the anomaly may be called absent, and why.

Seeing one is proof. Not seeing one says something only by the rule for PASS (docs/verdicts.md), or after a
walk of every schedule (docs/steer-inside.md). Gate and bisect take no other answer for a clean one.
"""

from dataclasses import dataclass, replace

from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.verdict import doubt_of, evidence_of, rule_pairs, why_unfinished

ENDS = frozenset({AnomalyName.HANG.value, AnomalyName.CRASH.value})
"""Where a server hangs or has ended, its store is not read."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Whether an anomaly may be called absent, with the reason in a clause, either way."""

    is_shown: bool
    reason: str


def races_of(result: ScenarioResult) -> tuple[str, ...]:
    """Names of the anomalies of weight RACE that the result counts, in the table's order."""
    return tuple(
        name.value
        for name in AnomalyName
        if name.weight is Weight.RACE and result.anomalies.get(name.value, 0) > 0
    )


def found_by_walk(walk: ScenarioResult) -> tuple[str, ...]:
    """The anomalies of all bad schedules that a walk has found, whether one server showed them or not."""
    unrealised = walk.schedules.unrealised_anomalies if walk.schedules is not None else ()
    return (*unrealised, *races_of(walk))


def no_others(result: ScenarioResult, rule: Rule) -> Absence:
    """Whether it may be said that the target has no other anomalies of weight RACE than those it showed."""
    seen = races_of(result)
    unfinished = why_unfinished(result.schedules, seen) if result.schedules is not None else ""
    if seen and result.schedules is not None and result.verdict is Verdict.RACE:
        # A schedule that hangs may hide other anomalies. That counts for nothing here: the hang itself is
        # told.
        finished = f"all {result.schedules.classes} classes of schedules were walked"
        return Absence(not unfinished, unfinished or finished)
    # Where some were seen, one that was not seen stands for all the others: the question is the same.
    unseen = next(name.value for name in AnomalyName if name.value not in seen)
    return absence(result, unseen if seen else None, rule)


def hidden_by(anomaly: str) -> frozenset[str]:
    """The anomalies that hide this one: it is not looked for in a round that shows one of them.

    Those of `ENDS` hide every other one. All of them hide `not_serializable`, because an outcome is compared
    with those of the serial orders only where no finer name fits.
    """
    if anomaly == AnomalyName.NOT_SERIALIZABLE:
        return frozenset(name.value for name in AnomalyName if name.weight is Weight.RACE) - {anomaly}
    return ENDS - {anomaly}


def _rounds_hidden(result: ScenarioResult, anomaly: str | None) -> int:
    """In how many of the hits the anomaly was not looked for, at most."""
    hiding = hidden_by(anomaly) if anomaly is not None else ()
    return min(result.hits, sum(result.anomalies.get(name, 0) for name in hiding))


def doubt(result: ScenarioResult) -> str:
    """Why nothing may be called absent in a raced result, whatever fired in it; "" where there is no reason.

    Missing copies are no reason where the result shows a race, because they may be just what the race did.
    """
    seen = evidence_of(result)
    found = doubt_of(replace(seen, promised=0) if seen.hits else seen)
    return found[0] if found else ""


def absence(result: ScenarioResult, anomaly: str | None, rule: Rule) -> Absence:
    """Whether it may be said that the target does not have `anomaly` (None: any of weight RACE).

    Where other anomalies were raced often enough in the same rounds, they serve as the control: they are
    races that are open in this very program, with the same window.
    """
    seen = races_of(result)
    if (anomaly in seen) if anomaly is not None else bool(seen):
        return Absence(False, f"{anomaly or ', '.join(seen)} was seen")
    if result.verdict not in (Verdict.PASS, Verdict.RACE):
        return Absence(False, result.reason.rstrip("."))
    # It was not seen, and the scenario was looked at to the end. A walk of all schedules is an answer by
    # itself; a race needs statistics.
    if result.schedules is not None:
        if unfinished := why_unfinished(result.schedules, seen):
            return Absence(False, unfinished)
        # In a walk only a hang or a crash hides another anomaly, because nothing is read afterwards.
        if anomaly is not None and (ends := [name for name in seen if name in ENDS]):
            return Absence(
                False, f"some schedules show {', '.join(ends)}, and nothing else is looked for in these"
            )
        return Absence(True, f"none of its {result.schedules.classes} classes of schedules shows it")
    # From here on rounds are counted, and they count only if nothing casts doubt on all of them.
    if doubted := doubt(result):
        return Absence(False, doubted)
    if result.verdict is Verdict.PASS:
        return Absence(True, result.reason.rstrip("."))
    needed, hidden = rule_pairs(rule), _rounds_hidden(result, anomaly)
    looked = result.hits - hidden
    if looked >= needed:
        return Absence(
            True,
            f"{', '.join(seen)} fired in {looked} rounds of the same run, {anomaly or 'it'} in none",
        )
    control = result.control
    fired = control.pairs_fired - hidden if control is not None and control.kind in (1, 2) else 0
    if control is not None and fired >= needed:
        return Absence(True, f"the control {control.target} fired in {fired} pairs")
    without = f" without what hides {anomaly}" if hidden else ""
    return Absence(
        False,
        f"only {looked} of {result.rounds} rounds raced at all{without}, and a clean word needs {needed}; "
        "more rounds, or steer, would tell",
    )
