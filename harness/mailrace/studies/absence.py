"""One scenario's result and an anomaly in, whether that anomaly may be said to be absent, and why, out.

Seeing one is proof; not seeing one says something only by the rule for PASS (DESIGN.md, "Controls") or by a
walk of every order (STEER.md). Gate and bisect ask nothing else of a clean answer.
"""

from dataclasses import dataclass

from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.verdict import CONFIDENCE, THETA, pairs_needed


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


def absence(
    result: ScenarioResult, anomaly: str | None, *, confidence: float = CONFIDENCE, theta: float = THETA
) -> Absence:
    """Whether `anomaly` (None: any of weight RACE) may be said to be absent on this result's target.

    Natively also where other anomalies fired in enough rounds: they are a race open in the very binary, with
    the same window, so the rule holds with them as the control.
    """
    seen = races_of(result)
    if (anomaly in seen) if anomaly is not None else bool(seen):
        return Absence(False, f"{anomaly or ', '.join(seen)} was seen")
    if result.verdict is Verdict.PASS:
        return Absence(True, result.reason.rstrip("."))
    if result.verdict is not Verdict.RACE:
        return Absence(False, result.reason.rstrip("."))
    if result.schedules is not None:
        return _walked(result)
    needed = pairs_needed(theta, confidence)
    if result.hits >= needed:
        return Absence(
            True,
            f"{', '.join(seen)} fired in {result.hits} rounds of the same run, {anomaly or 'it'} in none",
        )
    control = result.control
    if control is not None and control.kind in (1, 2) and control.pairs_fired >= needed:
        return Absence(True, f"the control {control.target} fired in {control.pairs_fired} pairs")
    return Absence(
        False,
        f"only {result.hits} of {result.rounds} rounds raced at all, and a clean word needs {needed}; "
        "more rounds, or steer, would tell",
    )


def _walked(result: ScenarioResult) -> Absence:
    walked = result.schedules
    assert walked is not None
    if unknown := sorted(set(walked.unrealised_anomalies) - set(races_of(result))):
        return Absence(False, f"orders that would show {', '.join(unknown)} were found and not realised")
    if walked.missed:
        return Absence(False, f"{walked.missed} of {walked.classes} classes of orders were missed")
    if not walked.exhaustive:
        return Absence(False, f"only {walked.explored} orders were walked, not all")
    return Absence(True, f"none of all {walked.classes} classes of orders shows it")
