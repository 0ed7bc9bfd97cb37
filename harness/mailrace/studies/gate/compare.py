"""Takes what two versions of a server showed; gives what an upgrade changes, finding by finding. Pure.

"New" is said only after the old version was put to the very same test without showing it: the schedule, run
on it `RUNS_NEEDED` times, or natively as many pairs in which the new version showed it. Whatever could not be
looked at is a finding of its own, and never PASS: a walk that was not finished, rounds that the server
refused, or rounds in which nothing shows that a race would have been seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.consequences import HARMS, consequence
from mailrace.model.result import Rule, ScenarioResult, Verdict, Witness
from mailrace.report.words import rate_words
from mailrace.studies.absence import absence, doubt, races_of
from mailrace.verdict import gravest, rule_pairs

RUNS_NEEDED = 30
CLAIMS = 3
"""Of one scenario a clean word can come from pairs beside the old version, from its own controls, and as
"fixed": each takes its part of the gate's confidence."""
RACES = sum(name.weight is Weight.RACE for name in AnomalyName)


class Change(StrEnum):
    """What an upgrade does to one anomaly of one scenario; in the order of weight."""

    NEW = "new"
    COULD_NOT_LOOK = "could not look"
    UNCHANGED = "unchanged"
    FIXED = "fixed"
    CLEAN = "clean"
    """The scenario as a whole: looked at, and nothing on the new version that counts."""
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """One version put to the test in which the other showed an anomaly.

    runs   times that the test was the very same; `hits` of them with the anomaly
    missed times that the test could not be repeated, e.g. since the version sends other statements
    said   how that was found, in a clause
    """

    runs: int
    hits: int
    missed: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a gate: an anomaly of a scenario, or ("") the scenario as a whole.

    harm      the worst that it does where it was seen; "" of a scenario as a whole
    is_seen   the new version shows it, with `proof` and the command `replay`
    accepted  why it is let pass: a baseline's reason, or that it does less harm than is asked for; else ""
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


def compare(
    old: ScenarioResult,
    new: ScenarioResult,
    again: Mapping[str, Again],
    rule: Rule,
) -> tuple[Finding, ...]:
    """The findings of one scenario; `again`, by anomaly, is what the version without it did in its test."""
    if new.verdict is Verdict.NOT_APPLICABLE:
        return (_finding(old, new, "", Change.NOT_APPLICABLE, new.reason),)
    failed = next((r for r in (new, old) if r.verdict is Verdict.FAILED), None)
    seen = races_of(new)
    found = []
    for name in AnomalyName:
        if name in seen:
            found.append(_seen(old, new, name, again.get(name), rule))
        elif name in races_of(old):
            found.append(_gone(old, new, name, again.get(name), rule))
    if failed is not None:
        found.append(_finding(old, new, "", Change.COULD_NOT_LOOK, failed.reason, has_failed=True))
        return tuple(found)
    looked = absence(new, _unseen(seen), rule)
    # A baseline may accept what was seen, so only an anomaly that was not seen speaks for the scenario.
    is_told = any(f.change is Change.COULD_NOT_LOOK and not f.is_seen for f in found)
    if not looked.is_shown and not is_told:
        found.append(_finding(old, new, "", Change.COULD_NOT_LOOK, f"{looked.reason}.{_space(new.advice)}"))
    elif not found:
        found.append(_finding(old, new, "", Change.CLEAN, f"{looked.reason}."))
    return tuple(found)


def with_raced(
    walked: Sequence[Finding], raced: Sequence[Finding], walk: ScenarioResult
) -> tuple[Finding, ...]:
    """What a scenario's walks say, and where they leave something open, what racing both versions says of it.

    walk   that of the new version: what it has found stays, whatever a race natively missed
    """
    found = found_by_walk(walk)
    # An anomaly stays open where the race has no line of it; the scenario as a whole is as the race left it.
    still_open = {f.anomaly: f for f in walked if f.anomaly}
    natively = {f.anomaly: f for f in raced if not (f.change is Change.FIXED and f.anomaly in found)}
    decided = {f.anomaly: f for f in walked if f.change is not Change.COULD_NOT_LOOK}
    told = still_open | natively | decided
    return tuple(f for f in told.values() if f.change is not Change.CLEAN or len(told) == 1)


def found_by_walk(walk: ScenarioResult) -> tuple[str, ...]:
    """The anomalies that a walk came to, shown on one server or not."""
    unrealised = walk.schedules.unrealised_anomalies if walk.schedules is not None else ()
    return (*unrealised, *races_of(walk))


def of_each_anomaly(rule: Rule) -> Rule:
    """The rule for one anomaly's "fixed": any of them may be claimed, so they share one verdict's part."""
    return replace(rule, verdicts=rule.verdicts * RACES)


def gate_verdict(findings: Iterable[Finding], *, is_strict: bool = False) -> Verdict:
    """The word for a gate; INCONCLUSIVE where nothing was looked at."""
    return gravest(verdict_of(finding, is_strict=is_strict) for finding in findings)


def verdict_of(finding: Finding, *, is_strict: bool = False) -> Verdict:
    """What one finding does to the gate. Strict: all that the new version shows counts."""
    if finding.accepted:
        return Verdict.PASS
    if finding.change is Change.NEW or (is_strict and finding.is_seen):
        return Verdict.RACE
    if finding.change is Change.COULD_NOT_LOOK:
        return Verdict.FAILED if finding.has_failed else Verdict.INCONCLUSIVE
    return Verdict.NOT_APPLICABLE if finding.change is Change.NOT_APPLICABLE else Verdict.PASS


def _seen(old: ScenarioResult, new: ScenarioResult, name: str, again: Again | None, rule: Rule) -> Finding:
    """An anomaly that the new version shows: unchanged, new, or not known which."""
    if name in races_of(old):
        return _finding(old, new, name, Change.UNCHANGED, "both versions show it.")
    if again is not None and again.hits:
        how = again.said or f"{again.hits} of {again.runs} times in the same test"
        reason = f"the old version shows it too: {how}."
        return _finding(old, new, name, Change.UNCHANGED, reason)
    if old.verdict is Verdict.NOT_APPLICABLE:
        reason = f"the new version shows it, and the old one cannot: {old.reason}"
        return _finding(old, new, name, Change.NOT_APPLICABLE, reason)
    if again is not None and again.runs >= RUNS_NEEDED:
        reason = f"the old version did not show it in {again.runs} runs of the same test."
        return _finding(old, new, name, Change.NEW, reason)
    cannot_follow = old.schedules is not None and again is not None and again.missed and not again.runs
    if cannot_follow and (without := absence(old, name, rule)).is_shown:
        reason = f"the old version cannot follow this schedule, and of its own, {without.reason}."
        return _finding(old, new, name, Change.NEW, reason)
    done = f"{again.runs} times" if again is not None else "not at all"
    reason = (
        "the new version shows it; whether the old one does is not known: it was put to the same test "
        f"{done}, and {RUNS_NEEDED} times are needed"
    )
    reason += f" ({again.said})." if again is not None and again.said else "; more rounds would tell."
    return _finding(old, new, name, Change.COULD_NOT_LOOK, reason)


def _gone(
    old: ScenarioResult,
    new: ScenarioResult,
    name: str,
    again: Again | None,
    rule: Rule,
) -> Finding:
    """An anomaly that only the old version showed: fixed, unchanged, or not known which."""
    if again is not None and again.hits:
        how = again.said or f"{again.hits} of {again.runs} times in the same test"
        reason = f"the new version shows it too: {how}."
        return _finding(old, new, name, Change.UNCHANGED, reason)
    rule = of_each_anomaly(rule)
    is_raced = new.schedules is None  # one schedule that is clean now says nothing of the others
    if is_raced and not doubt(new) and again is not None and again.runs >= rule_pairs(rule):
        reason = f"the new version did not show it in {again.runs} runs of the test in which the old one did."
        return _finding(old, new, name, Change.FIXED, reason)
    without = absence(new, name, rule)
    if without.is_shown:
        return _finding(old, new, name, Change.FIXED, f"{without.reason}.")
    reason = f"the old version shows it, and the new one was not looked at well enough: {without.reason}."
    return _finding(old, new, name, Change.COULD_NOT_LOOK, reason)


def _finding(
    old: ScenarioResult,
    new: ScenarioResult,
    anomaly: str,
    change: Change,
    reason: str,
    *,
    has_failed: bool = False,
) -> Finding:
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
    """The worst harm of what shows the anomaly in the scenario: by its causes, else by what it means."""
    causes = result.schedules.causes if result.schedules is not None else ()
    harms = [cause.harm for cause in causes if anomaly in cause.anomalies]
    return min(harms or [consequence(anomaly).harm], key=HARMS.index).value


def seen_words(result: ScenarioResult, anomaly: str) -> str:
    """What was seen of an anomaly: `3 of 1,470 rounds`, `2 of 59 classes`; "" the verdict and all hits."""
    if result.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILED):
        return result.verdict.value.lower()
    if not anomaly:
        return f"{result.verdict}: {rate_words(result)}"
    count = result.anomalies.get(anomaly, 0)
    if result.schedules is not None:
        return f"{count:,} of {result.schedules.classes:,} classes"
    return f"{count:,} in {result.rounds:,} rounds"


def _unseen(seen: tuple[str, ...]) -> str | None:
    """Any anomaly that was not seen, to ask whether others would have been; None: all were unseen."""
    return next((name.value for name in AnomalyName if name.value not in seen), None) if seen else None


def _space(advice: str) -> str:
    return f" What would help: {advice}" if advice else ""
