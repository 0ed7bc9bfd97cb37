"""Takes a scenario's result and an anomaly; gives whether the anomaly may be called absent, and why.

Seeing one is proof; not seeing one says something only by the rule for PASS (docs/verdicts.md) or by a walk
of every order (docs/steer-inside.md). Gate and bisect ask nothing else of a clean answer.
"""

from dataclasses import dataclass, replace

from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.verdict import doubt_of, evidence_of, rule_pairs, why_unfinished

ENDS = frozenset({AnomalyName.HANG.value, AnomalyName.CRASH.value})
"""Of a server that hangs or has ended no store is read."""


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
    """The anomalies that a walk came to, shown on one server or not."""
    unrealised = walk.schedules.unrealised_anomalies if walk.schedules is not None else ()
    return (*unrealised, *races_of(walk))


def no_others(result: ScenarioResult, rule: Rule) -> Absence:
    """Whether it may be said that the target has no anomalies of weight RACE but those that it showed."""
    seen = races_of(result)
    unfinished = why_unfinished(result.schedules, seen) if result.schedules is not None else ""
    if seen and result.schedules is not None and result.verdict is Verdict.RACE:
        # What its schedules that hang may hide is not held against it here: they are told themselves.
        finished = f"all {result.schedules.classes} classes of schedules were walked"
        return Absence(not unfinished, unfinished or finished)
    # Where others were seen, any that was not asks for all of them.
    unseen = next(name.value for name in AnomalyName if name.value not in seen)
    return absence(result, unseen if seen else None, rule)


def hidden_by(anomaly: str) -> frozenset[str]:
    """The anomalies in whose rounds this one is not looked for.

    Those of `ENDS`; and an outcome is compared with those of the serial orders only where no finer name fits.
    """
    if anomaly == AnomalyName.NOT_SERIALIZABLE:
        return frozenset(name.value for name in AnomalyName if name.weight is Weight.RACE) - {anomaly}
    return ENDS - {anomaly}


def _rounds_hidden(result: ScenarioResult, anomaly: str | None) -> int:
    """At most so many of the hits are rounds in which the anomaly was not looked for."""
    hiding = hidden_by(anomaly) if anomaly is not None else ()
    return min(result.hits, sum(result.anomalies.get(name, 0) for name in hiding))


def doubt(result: ScenarioResult) -> str:
    """Why nothing may be called absent in a raced result, whatever fired in it; "" if nothing says so.

    Of a result that shows a race, copies may be missing: that is what it shows.
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
    # It was not seen, and the scenario was looked at to the end. A walk of all schedules needs no statistics,
    # a race does.
    if result.schedules is not None:
        if unfinished := why_unfinished(result.schedules, seen):
            return Absence(False, unfinished)
        # Which schedules another name hides is known: only where nothing was read nothing was looked for.
        if anomaly is not None and (ends := [name for name in seen if name in ENDS]):
            return Absence(
                False, f"schedules of it show {', '.join(ends)}, and there nothing else is looked for"
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
