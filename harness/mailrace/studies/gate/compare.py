"""Takes what two versions of a server showed; gives what an upgrade changes, finding by finding. Pure.

"New" is said only after the old version passed the very same test: the schedule was run on it `RUNS_NEEDED`
times, or it did not show the anomaly in as many native pairs in which the new version did. Whatever could not
be looked at is a finding of its own, and never PASS: a walk that was not finished, rounds that the server
refused, or rounds in which nothing shows that a race would have been seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.consequences import HARMS
from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.studies.absence import Absence, absence, doubt, found_by_walk, no_others, races_of
from mailrace.studies.gate.finding import Change, Finding, finding_of
from mailrace.verdict import rule_pairs

RUNS_NEEDED = 30
CLAIMS = 3
"""A scenario can get a clean word in three ways: from pairs beside the old version, from its own controls,
and as "fixed". Each of them takes its part of the gate's confidence."""
RACES = sum(name.weight is Weight.RACE for name in AnomalyName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What one version did in the test in which the other version showed an anomaly.

    runs     how often the test was the very same; `hits`: how often it showed the anomaly then
    missed   how often the test could not be repeated, for instance because the version sends other statements
    said     how that was found, in a clause
    """

    runs: int
    hits: int
    missed: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What both versions showed of one scenario, both walked or both raced.

    again   by anomaly: what the version without it did in the test that showed it on the other
    """

    old: ScenarioResult
    new: ScenarioResult
    again: Mapping[str, Again]


def compare(
    old: ScenarioResult,
    new: ScenarioResult,
    again: Mapping[str, Again],
    rule: Rule,
) -> tuple[Finding, ...]:
    """The findings of one scenario; `again` as in `Looked`."""
    if new.verdict is Verdict.NOT_APPLICABLE:
        return (finding_of(old, new, "", Change.NOT_APPLICABLE, new.reason),)
    looked = Looked(old, new, again)
    lines = [_doubted(line, looked) for name in AnomalyName if (line := _line(looked, name, rule))]
    return (*lines, *_whole(looked, lines, no_others(new, rule)))


def with_raced(walk: Looked, race: Looked, rule: Rule) -> tuple[Finding, ...]:
    """The findings of one scenario for which the walks left something open, so that both were raced as well.

    What was seen counts, whether it was walked or raced: an anomaly that each version showed in either way is
    on both. And no race clears what a walk has found.
    """
    lines = [line for name in AnomalyName if (line := _line_of_both(walk, race, name, rule))]
    told = {line.anomaly for line in lines}
    others = no_others(race.new, rule)
    if left := [name for name in found_by_walk(walk.new) if name not in told]:
        others = Absence(False, f"steer has found {', '.join(left)}, which no race clears")
    elif not others.is_shown and (walked := no_others(walk.new, rule)).is_shown:
        others = walked
    return (*lines, *_whole(race, lines, others))


def of_each_anomaly(rule: Rule) -> Rule:
    """The rule for one anomaly's "fixed": any of them may be claimed, so they share one verdict's part."""
    return replace(rule, verdicts=rule.verdicts * RACES)


def _line(looked: Looked, name: AnomalyName, rule: Rule) -> Finding | None:
    """What becomes of one anomaly; None: neither version shows it."""
    old, new, again = looked.old, looked.new, looked.again.get(name)
    if name in races_of(new):
        return _seen(old, new, name, again, rule)
    return _gone(old, new, name, again, rule) if name in races_of(old) else None


def _line_of_both(walk: Looked, race: Looked, name: AnomalyName, rule: Rule) -> Finding | None:
    """What becomes of one anomaly by the walks of both versions and by their race."""
    each = [line for looked in (walk, race) if (line := _line(looked, name, rule))]
    if not each:
        return None
    # Whichever is told, what the anomaly did in either look counts.
    worst = min((line.harm for line in each), key=HARMS.index)
    each = [replace(line, harm=worst) for line in each]
    # Each line knows only one of the two looks, and what the other look showed counts as well.
    decided = [line for line in each if line.change is not Change.COULD_NOT_LOOK]
    line = next((one for one in decided if one.change is Change.UNCHANGED), (*decided, each[-1])[0])
    was = [name in races_of(looked.old) for looked in (walk, race)]
    now = [name in races_of(looked.new) for looked in (walk, race)]
    if line.change is Change.UNCHANGED or not (any(was) and any(now)):
        return _doubted(line, walk)
    shown = next(one for one in each if one.is_seen)
    old, new = ("walk", "race") if was[0] else ("race", "walk")
    reason = f"both versions show it: the old one in the {old}, the new one in the {new}."
    return replace(shown, change=Change.UNCHANGED, reason=reason)


def _doubted(line: Finding, walk: Looked) -> Finding:
    """The line; it is open who has the anomaly where a walk found its schedules and realised none."""
    sides = {Change.NEW: ("old", walk.old), Change.FIXED: ("new", walk.new)}
    word, side = sides.get(line.change, ("", None))
    if side is None or line.anomaly not in found_by_walk(side):
        return line
    reason = f"steer has found schedules of the {word} version that would show it, and did not realise them."
    return replace(line, change=Change.COULD_NOT_LOOK, reason=reason)


def _whole(looked: Looked, lines: Sequence[Finding], others: Absence) -> tuple[Finding, ...]:
    """The line of the scenario as a whole beside those of its anomalies, if there is something to say."""
    old, new = looked.old, looked.new
    if failed := next((r for r in (new, old) if r.verdict is Verdict.FAILED), None):
        return (finding_of(old, new, "", Change.COULD_NOT_LOOK, failed.reason, has_failed=True),)
    # A baseline may accept what was seen. So the scenario is told as open by itself only where no line
    # already says that something was not looked at.
    is_told = any(f.change is Change.COULD_NOT_LOOK and not f.is_seen for f in lines)
    if not others.is_shown and not is_told:
        reason = f"{others.reason}.{_space(new.advice)}"
        return (finding_of(old, new, "", Change.COULD_NOT_LOOK, reason),)
    return () if lines else (finding_of(old, new, "", Change.CLEAN, f"{others.reason}."),)


def _seen(old: ScenarioResult, new: ScenarioResult, name: str, again: Again | None, rule: Rule) -> Finding:
    """An anomaly that the new version shows: unchanged, new, or not known which."""
    if name in races_of(old):
        return finding_of(old, new, name, Change.UNCHANGED, "both versions show it.")
    if again is not None and again.hits:
        how = again.said or f"{again.hits} of {again.runs} times in the same test"
        reason = f"the old version shows it too: {how}."
        return finding_of(old, new, name, Change.UNCHANGED, reason)
    if old.verdict is Verdict.NOT_APPLICABLE:
        reason = f"the new version shows it, and the old one cannot: {old.reason}"
        return finding_of(old, new, name, Change.NOT_APPLICABLE, reason)
    # From here on it is new only where the old version was looked at in the same way and did not show it.
    if name in old.broken_serially:
        reason = (
            "the new version shows it; on the old one the promise breaks without any race, so no race shows."
        )
        return finding_of(old, new, name, Change.COULD_NOT_LOOK, reason)
    # Another promise that breaks without any race hides only an outcome that no finer name fits.
    judged = old if name == AnomalyName.NOT_SERIALIZABLE else replace(old, broken_serially={})
    if old.schedules is None and (doubted := doubt(judged)):
        reason = f"the new version shows it; the old one cannot be called clean: {doubted}."
        return finding_of(old, new, name, Change.COULD_NOT_LOOK, reason)
    # A schedule is the same each time. Natively a race is missed by chance: the rule says what is enough.
    needed = RUNS_NEEDED if old.schedules is not None else max(RUNS_NEEDED, rule_pairs(rule))
    if again is not None and again.runs >= needed:
        reason = f"the old version did not show it in {again.runs} runs of the same test."
        return finding_of(old, new, name, Change.NEW, reason)
    cannot_follow = old.schedules is not None and again is not None and again.missed and not again.runs
    if cannot_follow and (without := absence(old, name, rule)).is_shown:
        reason = f"the old version cannot follow this schedule, and {without.reason}."
        return finding_of(old, new, name, Change.NEW, reason)
    done = f"{again.runs} times" if again is not None else "not at all"
    reason = (
        "the new version shows it; whether the old one does is not known: it was put to the same test "
        f"{done}, and {needed} times are needed"
    )
    reason += f" ({again.said})." if again is not None and again.said else "; more rounds would tell."
    return finding_of(old, new, name, Change.COULD_NOT_LOOK, reason)


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
        return finding_of(old, new, name, Change.UNCHANGED, reason)
    rule = of_each_anomaly(rule)
    is_raced = new.schedules is None  # one schedule that is clean now says nothing of the others
    if is_raced and not doubt(new) and again is not None and again.runs >= rule_pairs(rule):
        reason = f"the new version did not show it in {again.runs} runs of the test in which the old one did."
        return finding_of(old, new, name, Change.FIXED, reason)
    without = absence(new, name, rule)
    if without.is_shown:
        return finding_of(old, new, name, Change.FIXED, f"{without.reason}.")
    reason = f"the old version shows it, and the new one was not looked at well enough: {without.reason}."
    return finding_of(old, new, name, Change.COULD_NOT_LOOK, reason)


def _space(advice: str) -> str:
    return f" What would help: {advice}" if advice else ""
