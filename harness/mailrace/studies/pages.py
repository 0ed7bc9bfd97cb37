"""Takes a gate, a matrix or retry policies; gives the table and conclusion for both page and terminal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mailrace.model.anomaly import AnomalyName
from mailrace.model.operation import Operation
from mailrace.model.phrases import listed, plural
from mailrace.model.result import Verdict
from mailrace.model.target_name import TargetName, parse_target
from mailrace.report.conclusion import Command, Conclusion, Seen, count_words, explained
from mailrace.report.matrix import Matrix
from mailrace.report.study import Study, StudyCell
from mailrace.report.words import names_words
from mailrace.scenario import Scenario, any_round
from mailrace.studies.bisect import Search, is_proved
from mailrace.studies.gate import Change, Finding, Gate, causes_words, headline, in_order, verdict_of
from mailrace.studies.retries import Trial, hidden_duplicates, named, sentence
from mailrace.verdict import gravest

Together = Mapping[str, tuple[Operation, ...]]
"""A scenario's name to what its actors do at the same time."""
COUNTED = {
    Change.NEW: ("finding is new", "findings are new"),
    Change.COULD_NOT_LOOK: ("finding could not be decided", "findings could not be decided"),
    Change.UNCHANGED: ("finding is unchanged", "findings are unchanged"),
    Change.FIXED: ("finding is fixed", "findings are fixed"),
}
"""What the conclusion of a gate counts by name, the gravest first."""
LEDGER = ("mails", "refused", "doubled", "lost", "given_up", "untagged", "extra")
"""The columns of a retry policy, as its ledger has them."""


def operations_of(scenarios: Iterable[Scenario]) -> Together:
    """The operations of any round of each scenario: its rounds differ in names only."""
    return {one.name: any_round(one).operations for one in scenarios}


def gate_study(gate: Gate, scenarios: Sequence[Scenario] = ()) -> Study:
    """The findings by weight. The conclusion explains what the new version shows and no baseline accepts."""
    found = in_order(gate.findings)
    header = ("scenario", "anomaly", "change", f"old ({gate.old_version})", f"new ({gate.new_version})")
    return Study(
        kind="gate",
        title=f"from {gate.old} to {gate.new}",
        verdict=gate.verdict,
        headline=headline(gate),
        header=header,
        rows=tuple(_gate_row(gate, one) for one in found),
        told=_gate_told(gate, found, operations_of(scenarios)),
        command=gate.command,
        started=gate.started,
        details=[text for one in found for text in _proof(gate, one)]
        + [f"Baseline: {note}" for note in gate.notes],
    )


def _gate_row(gate: Gate, one: Finding) -> tuple[StudyCell, ...]:
    change = f"{one.change} (accepted)" if one.accepted else str(one.change)
    verdict = verdict_of(one, is_strict=gate.is_strict)
    return (
        StudyCell(text=one.scenario),
        StudyCell(text=one.anomaly or "as a whole"),
        StudyCell(text=change, verdict=verdict),
        StudyCell(text=one.old, report="old/report.html"),
        StudyCell(text=one.new, report="new/report.html"),
    )


def _proof(gate: Gate, one: Finding) -> list[str]:
    """What a reader needs to know of a finding that counts against the upgrade; nothing for any other."""
    if verdict_of(one, is_strict=gate.is_strict) in (Verdict.PASS, Verdict.NOT_APPLICABLE):
        return []
    head = f"{one.scenario}: {one.anomaly or 'as a whole'}: {one.change}: {one.reason}"
    schedule = f"Schedule: {one.schedule}" if one.schedule else ""
    again = f"Again: {one.replay}" if one.replay else ""
    return [text for text in (head, one.proof, schedule, again) if text]


def _gate_told(gate: Gate, found: Sequence[Finding], together: Together) -> Conclusion:
    counted = causes_words(gate.causes)
    for change, (one, many) in COUNTED.items():
        names = [f.scenario for f in found if f.change is change and not f.accepted]
        if names:
            counted.append(f"{plural(len(names), one, many)}: {names_words(names)}.")
    # What needs somebody's attention is named above. The rest is counted in one sentence.
    clean = sum(f.change is Change.CLEAN for f in found)
    accepted = sum(bool(f.accepted) for f in found)
    rest = [f"{plural(clean, 'scenario is', 'scenarios are')} clean"] if clean else []
    rest += [f"{plural(accepted, 'finding is', 'findings are')} accepted"] if accepted else []
    if rest:
        text = listed(rest)
        counted.append(f"{text[:1].upper()}{text[1:]}.")
    seen = [
        Seen(
            anomaly=f.anomaly,
            scenario=f.scenario,
            version=gate.new_version,
            operations=together.get(f.scenario),
        )
        for f in found
        if f.is_seen and f.anomaly and not f.accepted
    ]
    # One command follows: the one that shows a new race again, else one for what could not be looked at.
    again = next((f.replay for f in found if f.replay and f.change is Change.NEW), "")
    commands = [Command(purpose="To see the new race again", text=again)] if again else []
    open_ = next((f.scenario for f in found if f.change is Change.COULD_NOT_LOOK), "")
    if not commands and gate.verdict is Verdict.FAILED:
        commands = [Command(purpose="To see what is there and what is missing", text="mailrace doctor")]
    elif not commands and open_:
        text = f"mailrace steer {open_} --target {gate.new}"
        commands = [Command(purpose="To look at the first of them alone", text=text)]
    return Conclusion(counted=tuple(counted), explained=explained(seen), commands=tuple(commands))


def matrix_study(matrix: Matrix, command: str, started: str, scenarios: Sequence[Scenario] = ()) -> Study:
    """Scenarios by targets. The conclusion counts for each target, and explains each anomaly once."""
    together = operations_of(scenarios)
    cells = [matrix.cell(name, target) for name in matrix.scenarios for target in matrix.targets]
    seen = [
        Seen(
            anomaly=anomaly,
            scenario=name,
            version=target.version or target.text,
            operations=together.get(name),
        )
        for target in matrix.targets
        for name in matrix.scenarios
        for anomaly in matrix.cell(name, target).anomalies
    ]
    # One sentence for each version, because a reader compares versions and not scenarios.
    counted = []
    for target in matrix.targets:
        words = [
            (name, cell.verdict)
            for name in matrix.scenarios
            if (cell := matrix.cell(name, target)).verdict is not None
        ]
        looked = [(name, word) for name, word in words if word is not None]
        counted.append(f"{target}: {count_words(looked) if looked else 'it is not available here.'}")
    # A version that was not available is an empty column, and its cells count as INCONCLUSIVE.
    what = f"{plural(len(matrix.scenarios), 'scenario')} on {plural(len(matrix.targets), 'target')}"
    return Study(
        kind="matrix",
        title=what,
        verdict=gravest(Verdict.INCONCLUSIVE if c.verdict is None else c.verdict for c in cells),
        headline=what,
        header=("scenario", *(target.text for target in matrix.targets)),
        rows=tuple(
            (StudyCell(text=name), *(matrix.cell(name, target) for target in matrix.targets))
            for name in matrix.scenarios
        ),
        told=Conclusion(counted=tuple(counted), explained=explained(seen), commands=_between(matrix)),
        command=command,
        started=started,
    )


def _between(matrix: Matrix) -> tuple[Command, ...]:
    """The command that bisects between the first two neighbours of which one races and the other does not."""
    for name in matrix.scenarios:
        for one, other in zip(matrix.targets, matrix.targets[1:], strict=False):
            words = {matrix.cell(name, target).verdict: target for target in (one, other)}
            if one.kind == other.kind and {Verdict.PASS, Verdict.RACE} == set(words):
                good, bad = words[Verdict.PASS], words[Verdict.RACE]
                text = f"mailrace bisect {name} --good {good} --bad {bad}"
                return (Command(purpose=f"To prove where {name} changes", text=text),)
    return ()


def retries_study(
    trials: Sequence[Trial],
    target: TargetName,
    name: str,
    command: str,
    started: str,
    scenario: Scenario | None = None,
) -> Study:
    """A row for each policy with and without `--ignore-duplicate-ids`: what it leaves a user with.

    name   the scenario's, as `mailrace run` takes it
    """
    has_all = all(trial.ledger.mails and not trial.cut for trial in trials)
    together = any_round(scenario).operations if scenario is not None else None
    seen = [
        Seen(
            anomaly=anomaly,
            scenario=trial.policy,
            version=target.version or target.text,
            count=count,
            operations=together,
        )
        for trial in trials
        for anomaly, count in trial.anomalies.items()
    ]
    short = sorted({f"{named(t)}: {why}" for t in trials if (why := t.failed or t.cut)})
    counted = [text for text in (sentence(trials), hidden_duplicates(trials), *short) if text]
    again = f"mailrace run {name} --target {target}"
    # The verdict is None where everything ran: a comparison of policies passes or fails nothing.
    return Study(
        kind="retries",
        title=f"retry policies: {name} on {target}",
        verdict=None if has_all else Verdict.INCONCLUSIVE,
        headline="What each retry policy leaves a user with",
        header=("policy", "ignore ids", *(column.replace("_", " ") for column in LEDGER)),
        rows=tuple(_retries_row(trial) for trial in trials),
        told=Conclusion(
            counted=tuple(counted),
            explained=explained(seen),
            commands=(Command(purpose="To race the scenario itself", text=again),),
        ),
        command=command,
        started=started,
    )


def _retries_row(trial: Trial) -> tuple[StudyCell, ...]:
    counts = [str(getattr(trial.ledger, name)) for name in LEDGER]
    words = (trial.policy, "on" if trial.ignore_duplicate_ids else "off", *counts)
    return tuple(StudyCell(text=word) for word in words)


def bisect_told(search: Search, scenario: Scenario) -> Conclusion:
    """What a bisection found: how many versions gave which answer, and what the bad ones' race means."""
    probed = Counter(known.answer.value for known in search.answers.values())
    looked = listed([f"{count} {answer}" for answer, count in probed.items()]) or "none"
    counted = [f"Of {plural(len(search.versions), 'version')} {looked} by a look at {scenario.name}."]
    if not is_proved(search):
        counted.append("That is no proof yet: not both neighbours gave a clear answer.")
    seen = [
        Seen(
            anomaly=shown,
            scenario=scenario.name,
            version=parse_target(version).version or version,
            operations=any_round(scenario).operations,
        )
        for version, known in search.answers.items()
        if (shown := known.proof.partition(",")[0]) in {one.value for one in AnomalyName}
    ]
    again = next((known.replay for known in search.answers.values() if known.replay), "")
    commands = (Command(purpose="To see it again", text=again),) if again else ()
    return Conclusion(counted=tuple(counted), explained=explained(seen), commands=commands)
