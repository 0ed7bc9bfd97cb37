"""Takes what a command saw; gives its conclusion in plain sentences, and what to do next.

`mailrace.model` has what each anomaly means, which versions have it, and what helps. Pure.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mailrace.model.catalogue import LOOKED, NEWEST_LOOKED, Race, races_behind
from mailrace.model.command_line import own_command
from mailrace.model.consequences import consequence, in_order
from mailrace.model.operation import Operation
from mailrace.model.phrases import listed, plural
from mailrace.model.result import RunResult, ScenarioResult, Verdict
from mailrace.report.causes import causes_words
from mailrace.report.words import NAMES_MAX, is_race, legible, names_words
from mailrace.scenario import shipped

UNKNOWN = "The catalogue knows no race that shows this in such rounds on that version: it may be a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One anomaly in one scenario on one version; `count` is 0 where the command does not count.

    is_steered   `count` counts classes of schedules, and not rounds
    operations   of the rounds that showed it; None where they are not known
    """

    anomaly: str
    scenario: str
    version: str
    count: int = 0
    is_steered: bool = False
    operations: tuple[Operation, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command to copy, and what it is for, as the beginning of a sentence: `To see it again`."""

    purpose: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One anomaly for a reader: what was seen, what that means, which versions have it, what to do."""

    anomaly: str
    harm: str
    seen: str
    meaning: str
    known: tuple[str, ...]
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a command ends with.

    `counted`: sentences with the numbers of what was found, the gravest first.
    """

    counted: tuple[str, ...]
    explained: tuple[Explained, ...] = ()
    commands: tuple[Command, ...] = ()


def conclusion(result: RunResult) -> Conclusion:
    """The conclusion of one run, steered walk or merge."""
    version = result.target.version
    seen = [
        Seen(
            anomaly=name,
            scenario=one.name,
            version=version,
            count=count,
            is_steered=one.mode == "steer",
            operations=_operations(one),
        )
        for one in result.scenarios
        for name, count in one.anomalies.items()
        if name not in one.broken_serially
    ]
    # For one scenario its reason says everything. For several ones their verdicts are counted.
    if len(result.scenarios) == 1:
        (one,) = result.scenarios
        counted = [f"{one.name}: {legible(one.reason, 2000).removesuffix('.')}."]
    else:
        counted = [count_words([(one.name, one.verdict) for one in result.scenarios])]
    counted += _lost_words(result.scenarios)
    # What breaks serially is left out of the anomalies above, so it has a sentence of its own.
    counted += [
        f"{names_words(names)} is broken in {scenario.name} when the operations run one after the other as "
        "well: a broken promise or a setting of the server, not a race."
        for scenario in result.scenarios
        if (names := in_order(scenario.broken_serially))
    ]
    if result.whole and len(result.scenarios) > 1:
        counted.append(f"{legible(result.whole, 1000).removesuffix('.')}.")
    # A maintainer wants to know first why, and what to change: the causes, the worst harm first.
    causes = [
        (one.name, cause) for one in result.scenarios if one.schedules for cause in one.schedules.causes
    ]
    return Conclusion(
        counted=(*causes_words(causes), *counted),
        explained=explained(seen),
        commands=tuple(_commands(result)),
    )


def _lost_words(scenarios: Sequence[ScenarioResult]) -> list[str]:
    """A sentence on the rounds that could not be exercised and who caused that; "" where there are none."""
    lost = [one for one in scenarios if one.rounds_lost]
    if not lost:
        return []
    whose = {
        "because of mailrace or its machine": sum(one.rounds_dropped for one in lost),
        "because of the server, which rules out PASS": sum(one.rounds_refused for one in lost),
    }
    whole = sum(one.rounds_lost for one in lost)
    parts = [f"{count:,} {who}" for who, count in whose.items() if count]
    by = f" ({listed(parts)})" if parts else ""
    # Where the same one caused them all, their number need not be said again.
    by = next((f" {who}" for who, count in whose.items() if count == whole), by)
    return [
        f"{plural(whole, 'round')} could not be exercised{by}, in {names_words([one.name for one in lost])}."
    ]


def count_words(words: Sequence[tuple[str, Verdict]]) -> str:
    """`Of 22 scenarios, 2 are RACE (a, b), 1 is INCONCLUSIVE (c) and 19 are PASS.`, the gravest first."""
    parts = []
    for verdict in (Verdict.RACE, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.PASS):
        names = [name for name, word in words if word is verdict]
        if names:
            which = "" if verdict is Verdict.PASS else f" ({names_words(names)})"
            parts.append(f"{len(names)} {'is' if len(names) == 1 else 'are'} {verdict.value}{which}")
    return f"Of {plural(len(words), 'scenario')}, {listed(parts)}." if parts else "There was no scenario."


def explained(seen: Sequence[Seen]) -> tuple[Explained, ...]:
    """Each anomaly once, the worst first, with what the catalogue knows of the versions it was seen on."""
    return tuple(
        _explained(name, [one for one in seen if one.anomaly == name])
        for name in in_order(one.anomaly for one in seen)
    )


def _explained(name: str, seen: Sequence[Seen]) -> Explained:
    known = consequence(name)
    races = [race for one in seen for race in races_behind(name, one.version, one.operations)]
    behind = list({race.number: race for race in races}.values())
    count = sum(one.count for one in seen)
    if all(one.is_steered for one in seen) and count:
        times = f"{plural(count, 'class')} of schedules in "
    else:
        times = f"{count:,} times in " if count > 1 else "once in " if count else "in "
    # First comes how often and where it was seen. The rest depends on whether it makes a run a RACE.
    where = f"{times}{names_words(one.scenario for one in seen)}"
    told = Explained(
        anomaly=name,
        harm=known.harm.value,
        seen=where,
        meaning=known.meaning,
        known=tuple(_known_words(race, seen) for race in behind) or (UNKNOWN,),
        remedy=" ".join(dict.fromkeys(remedy_words(race) for race in behind)) or known.remedy,
    )
    if is_race(name):
        return told
    where = f"{where}; it is counted, and makes no run a RACE"
    return replace(told, seen=where, known=(), remedy=known.remedy)


def _known_words(race: Race, seen: Sequence[Seen]) -> str:
    """Which versions have the race, which one mended it, and what it needs. It is never said to be proved."""
    fits = all(one.operations is not None and race.is_in(one.version) for one in seen)
    begin = "It looks like" if fits else "It may be"
    return f"{begin} race {race.number}, {race.versions}. That one needs {race.needs}."


def _operations(scenario: ScenarioResult) -> tuple[Operation, ...] | None:
    """The operations of one of the scenario's rounds that was kept: the rounds differ in names only."""
    records = [witness.record for witness in scenario.witnesses] + list(scenario.sample)
    return records[0].plan.operations if records else None


def remedy_words(race: Race) -> str:
    """What helps against a race: a version without it, if there is one, or what a user can avoid."""
    upgrade = f"Use {race.fixed} or newer. Until then: " if race.fixed else ""
    avoid = race.avoid if not upgrade else race.avoid[:1].lower() + race.avoid[1:]
    return f"{upgrade}{avoid}"


def _commands(result: RunResult) -> Iterable[Command]:
    """What to type next, for the gravest verdict of the run."""
    raced = [one for one in result.scenarios if one.verdict is Verdict.RACE and one.witnesses]
    if raced:
        again = raced[0].witnesses[0].replay
        yield Command(purpose="To see it again", text=again)
        mended = _mended(raced[0], result.target.version)
        if mended and result.target.name.startswith("mailpit@"):
            text = re.sub(r" (--target|-t) \S+", "", again) + f" --target mailpit@{mended}"
            yield Command(purpose=f"To see whether {mended} mends it", text=text)
        yield Command(purpose="To report it", text=shlex.join(["mailrace", "bundle", *_folder(again)]))
        return
    target = shlex.quote(result.target.name)
    for verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASS):
        found = [one for one in result.scenarios if one.verdict is verdict]
        if found:
            yield _next(verdict, found, target)
            return


def _next(verdict: Verdict, found: Sequence[ScenarioResult], target: str) -> Command:
    if verdict is Verdict.FAILED:
        return Command(purpose="To see what is there and what is missing", text="mailrace doctor")
    which = " ".join(shlex.quote(_file(one)) for one in found[:NAMES_MAX])
    # A walk answers more than a race does, so it is advised wherever it can be made.
    is_foreign = "://" in target
    if found[0].mode == "race" and not is_foreign:
        return Command(
            purpose="To walk every schedule of the server's statements, which leaves nothing to chance",
            text=f"mailrace steer {which} --target {target}",
        )
    if verdict is Verdict.INCONCLUSIVE:
        rounds = "--rounds 2000 --until decided"
        return Command(
            purpose="To race it natively until it is decided",
            text=f"mailrace run {which} --target {target} {rounds}",
        )
    # There is an answer for this target. The next question is another version.
    newest = f"mailpit@{NEWEST_LOOKED}"
    if target.startswith("embedded"):
        return Command(purpose="To look at a real server", text=f"mailrace steer {which} --target {newest}")
    if target == newest:
        versions = ",".join(LOOKED)
        return Command(
            purpose="To see which versions have what", text=f"mailrace matrix --versions {versions}"
        )
    return Command(
        purpose="To ask whether an upgrade brings a race", text=f"mailrace gate --from {target} --to {newest}"
    )


def _mended(scenario: ScenarioResult, version: str) -> str:
    """The version that, by the catalogue, mended everything the scenario shows; "" if there is none."""
    races = [
        races_behind(name, version, _operations(scenario)) for name in scenario.anomalies if is_race(name)
    ]
    fixed = {race.fixed for behind in races for race in behind}
    return fixed.pop() if len(fixed) == 1 and all(races) else ""


def _file(scenario: ScenarioResult) -> str:
    """What names the scenario in a command: its file, or for a shipped one its name."""
    is_own = scenario.file and Path(scenario.file).parent != shipped()
    return scenario.file if is_own else scenario.name


def _folder(replay: str) -> list[str]:
    """The folder of the run that the command of a replay names; empty where it names none."""
    words = shlex.split(own_command(replay))
    is_replay = words[:2] == ["mailrace", "replay"]
    return [word.removesuffix("/run.json") for word in words[2:3]] if is_replay else []
