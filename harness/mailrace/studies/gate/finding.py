"""Takes two results and what changed; gives a line of the gate and its part in the verdict. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mailrace.model.consequences import HARMS, consequence
from mailrace.model.result import ScenarioResult, Verdict, Witness
from mailrace.report.words import rate_words
from mailrace.studies.absence import races_of
from mailrace.verdict import gravest, why_unfinished


class Change(StrEnum):
    """What an upgrade does to one anomaly of one scenario; the gravest first."""

    NEW = "new"
    COULD_NOT_LOOK = "could not look"
    UNCHANGED = "unchanged"
    FIXED = "fixed"
    CLEAN = "clean"
    """The scenario as a whole was looked at, and the new version shows nothing that counts."""
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a gate: an anomaly of a scenario, or ("") the scenario as a whole.

    harm      the worst that the anomaly does there; "" of a scenario as a whole
    is_seen   the new version shows it, with `proof` and the command `replay`
    accepted  why it does not count: a baseline's reason, or that it does too little harm; "" if it counts
    """

    scenario: str
    file: str
    anomaly: str
    change: Change
    reason: str
    old: str = ""
    new: str = ""
    harm: str = ""
    is_seen: bool = False
    proof: str = ""
    schedule: str = ""
    replay: str = ""
    has_failed: bool = False
    accepted: str = ""


def gate_verdict(findings: Iterable[Finding], *, is_strict: bool = False) -> Verdict:
    """The word for a gate; INCONCLUSIVE where nothing was looked at."""
    return gravest(verdict_of(finding, is_strict=is_strict) for finding in findings)


def verdict_of(finding: Finding, *, is_strict: bool) -> Verdict:
    """What one finding does to the gate. Strict: all that the new version shows counts."""
    if finding.accepted:
        return Verdict.PASS
    if finding.change is Change.NEW or (is_strict and finding.is_seen):
        return Verdict.RACE
    if finding.change is Change.COULD_NOT_LOOK:
        return Verdict.FAILED if finding.has_failed else Verdict.INCONCLUSIVE
    return Verdict.NOT_APPLICABLE if finding.change is Change.NOT_APPLICABLE else Verdict.PASS


def finding_of(
    old: ScenarioResult,
    new: ScenarioResult,
    anomaly: str,
    change: Change,
    reason: str,
    *,
    has_failed: bool = False,
) -> Finding:
    """The line of an anomaly, or ("") of the scenario as a whole, with what both versions showed of it."""
    # The proof is the new version's. What only the old one showed stands in the old version's own run.
    witness = _witness(new, anomaly)
    return Finding(
        scenario=new.name,
        file=new.file,
        anomaly=str(anomaly),
        change=change,
        reason=reason,
        old=seen_words(old, anomaly),
        new=seen_words(new, anomaly),
        harm=harm_of(new if anomaly in races_of(new) else old, anomaly) if anomaly else "",
        is_seen=bool(anomaly) and anomaly in races_of(new),
        proof=witness.anomaly.proof if witness else "",
        schedule=witness.schedule.text if witness and witness.schedule else "",
        replay=witness.replay if witness else "",
        has_failed=has_failed,
    )


def _witness(result: ScenarioResult, anomaly: str) -> Witness | None:
    return next((w for w in result.witnesses if w.anomaly.name == anomaly), None)


def harm_of(result: ScenarioResult, anomaly: str) -> str:
    """The worst harm of what shows the anomaly in the scenario: by its causes, else by what it means.

    A walk that was not finished may have more causes, which do all that the anomaly can.
    """
    walk = result.schedules
    harms = [cause.harm for cause in walk.causes if anomaly in cause.anomalies] if walk is not None else []
    if not harms or (walk is not None and why_unfinished(walk, races_of(result))):
        harms.append(consequence(anomaly).harm)
    return min(harms, key=HARMS.index).value


def seen_words(result: ScenarioResult, anomaly: str) -> str:
    """What was seen of an anomaly: `3 in 1,470 rounds`, `2 of 59 classes`; for "", verdict and all hits."""
    if result.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILED):
        return result.verdict.value.lower()
    if not anomaly:
        return f"{result.verdict}: {rate_words(result)}"
    count = result.anomalies.get(anomaly, 0)
    if result.schedules is not None:
        return f"{count:,} of {result.schedules.classes:,} classes"
    return f"{count:,} in {result.rounds:,} rounds"
