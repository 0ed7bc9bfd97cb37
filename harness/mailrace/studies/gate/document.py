"""What a gate is asked for, what it found, and its files: document, page, annotations, CI files.

GitHub's limits: a step's summary holds 1 MiB, and a step shows ten annotations of a kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from mailrace.history import write_whole
from mailrace.model.choices import ModeAsked
from mailrace.model.codec import codec
from mailrace.model.consequences import HARMS, Harm
from mailrace.model.errors import UsageError
from mailrace.model.request import RunRequest
from mailrace.model.result import Rule, RunResult, ScenarioResult, Verdict
from mailrace.model.target_name import TargetName
from mailrace.report import render, to_json
from mailrace.report.markdown import code, prose, prose_and_code
from mailrace.report.words import legible
from mailrace.scenario.read import read
from mailrace.studies.gate.baseline import Accepted
from mailrace.studies.gate.causes import GateCause, causes_words
from mailrace.studies.gate.finding import Change, Finding, verdict_of
from mailrace.verdict import gravest

SUMMARY_BYTES_MAX = 1_000_000
ANNOTATIONS_MAX = 10
PROOFS_MAX = 20
GATE, PAGE = "gate.json", "gate.md"
_HEADLINE = {
    Verdict.PASS: "Nothing new: the upgrade brings no race that was not there.",
    Verdict.RACE: "The upgrade brings a race that counts.",
    Verdict.INCONCLUSIVE: "Not known: something could not be looked at, so this is no yes.",
    Verdict.FAILED: "Not known: a server or mailrace itself failed.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """What a gate is asked for. `run` is the pattern of each run: its target, mode and folder are replaced.

    harm    a finding that does less harm is told and does not count
    names   how the report calls a target that stands in for something else, such as a container image
    is_elsewhere   both versions are looked at on other machines, so they need not be available here
    """

    old: TargetName
    new: TargetName
    run: RunRequest
    mode: ModeAsked = "auto"
    is_strict: bool = False
    harm: Harm = Harm.REPLY
    accepted: tuple[Accepted, ...] = ()
    today: date = date(1970, 1, 1)
    names: Mapping[TargetName, str] = field(default_factory=dict)
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The document of a gate: gate.json holds it field by field.

    old, new   targets as they were asked for; `old_version`, `new_version`: what each says it is
    harm       a finding counts from this harm on
    causes     root causes that steer found on the two, the worst harm first
    rule       what all clean words together have reached
    notes      sentences for the reader
    """

    mailrace: str
    verdict: Verdict
    old: str
    new: str
    old_version: str
    new_version: str
    mode: str
    is_strict: bool
    seed: int
    command: str
    started: str
    environment: Mapping[str, str]
    findings: tuple[Finding, ...]
    harm: Harm = Harm.REPLY
    causes: tuple[GateCause, ...] = ()
    rule: Rule = field(default_factory=Rule)
    notes: tuple[str, ...] = ()


def write_gate(gate: Gate, new: RunResult, folder: Path) -> tuple[Path, ...]:
    """Write gate.json, gate.md, junit.xml and ctrf.json into the folder; the files, in that order."""
    folder.mkdir(exist_ok=True)  # where no server ever started, the runs left none
    write_whole(folder / GATE, to_json(gate).encode())
    write_whole(folder / PAGE, gate_markdown(gate).encode())
    return (folder / GATE, folder / PAGE, *render(as_run(gate, new), folder, ("junit", "ctrf")))


def gate_from_json(text: str) -> Gate:
    """The gate that `to_json` wrote. Raises UsageError where the text is none."""
    try:
        return codec(Gate).validate_json(text)
    except (ValueError, RecursionError):
        raise UsageError("gate.json: no document of a gate") from None


def headline(gate: Gate) -> str:
    """What the gate answers, in a sentence."""
    is_spared = any(f.accepted and f.change is Change.NEW for f in gate.findings)
    if gate.verdict is Verdict.PASS and is_spared:
        return "Nothing new that counts: what is new is accepted, each for the reason that stands with it."
    return _HEADLINE[gate.verdict]


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by the weight of their change; those that are accepted come after all others."""
    rank = list(Change)
    return sorted(findings, key=lambda f: (bool(f.accepted), rank.index(f.change), f.scenario))


def gate_markdown(gate: Gate) -> str:
    """The text of gate.md, cut to the size limit of a job summary; its end tells of a cut."""
    # A maintainer wants to know first why: the causes. Then the findings follow, which decide the verdict.
    head = [
        f"## mailrace gate: {gate.verdict}",
        "",
        headline(gate),
        "",
        *(f"- {prose_and_code(said)}" for said in causes_words(gate.causes)),
        *([""] if gate.causes else []),
        f"From {code(gate.old)} (version {prose(gate.old_version)}) to {code(gate.new)} "
        f"(version {prose(gate.new_version)}), by {'steering' if gate.mode == 'steer' else 'racing'}, "
        f"seed {gate.seed}.{_from_harm(gate)}",
        "",
        "| scenario | anomaly | change | old | new | why |",
        "|---|---|---|---|---|---|",
    ]
    # Below the table stand the notes, and proofs of what counts, since these may be cut off.
    found = in_order(gate.findings)
    rows = [_row(f) for f in found]
    notes = [f"- {prose(note)}" for note in gate.notes]
    counted = [f for f in found if verdict_of(f, is_strict=gate.is_strict) is not Verdict.PASS and f.proof]
    proofs = [part for finding in counted[:PROOFS_MAX] for part in ("", *_proof(finding))]
    lines = [*head, *rows, "", *notes, *proofs, ""]
    text = "\n".join(lines)
    if len(text.encode()) <= SUMMARY_BYTES_MAX:
        return text
    cut = text.encode()[:SUMMARY_BYTES_MAX].decode(errors="ignore")
    return cut[: cut.rfind("\n")] + f"\n\nCut here, at {SUMMARY_BYTES_MAX:,} bytes; the whole is in {GATE}.\n"


def annotations(gate: Gate, root: Path) -> list[str]:
    """At most ten GitHub workflow commands, the gravest first, each at its scenario's file below `root`."""
    counted = [
        (word, f)
        for f in in_order(gate.findings)
        if (word := verdict_of(f, is_strict=gate.is_strict))
        in (Verdict.RACE, Verdict.INCONCLUSIVE, Verdict.FAILED)
    ]
    shown = counted if len(counted) <= ANNOTATIONS_MAX else counted[: ANNOTATIONS_MAX - 1]
    lines = [_annotation(word, finding, gate, root) for word, finding in shown]
    if len(shown) < len(counted):
        lines.append(f"::warning title=mailrace::{len(counted) - len(shown)} more in the job summary")
    return lines


def as_run(gate: Gate, new: RunResult) -> RunResult:
    """The new version's run with the gate's words as its verdicts, for junit.xml and ctrf.json."""
    # A scenario that was steered and then raced stands there twice; the later one, the race, was compared.
    last = {one.name: one for one in new.scenarios}
    scenarios = tuple(_as_scenario(gate, one) for one in last.values())
    return replace(new, verdict=gate.verdict, scenarios=scenarios)


def _as_scenario(gate: Gate, one: ScenarioResult) -> ScenarioResult:
    own = [f for f in gate.findings if f.scenario == one.name]
    verdicts = [verdict_of(f, is_strict=gate.is_strict) for f in own]
    is_skipped = bool(verdicts) and all(v is Verdict.NOT_APPLICABLE for v in verdicts)
    causes = causes_words([c for c in gate.causes if one.name in c.scenarios])
    reason = " ".join([*causes, *(f"{f.anomaly or f.scenario}: {f.change}: {f.reason}" for f in own)])
    word = Verdict.NOT_APPLICABLE if is_skipped else gravest(verdicts)
    return replace(one, verdict=word, reason=reason)


def _from_harm(gate: Gate) -> str:
    """The least harm that counts, in a sentence; "" where all findings count."""
    return "" if gate.harm is HARMS[-1] else f" Counted from the harm {gate.harm.value} on."


def _row(finding: Finding) -> str:
    change = f"**{finding.change}**" if finding.change is Change.NEW else str(finding.change)
    if finding.accepted:
        change += " (accepted)"
    why = f"{finding.reason} Accepted: {finding.accepted}" if finding.accepted else finding.reason
    cells = (prose(finding.scenario), prose(finding.anomaly) or "–", change)
    return "| " + " | ".join((*cells, prose(finding.old), prose(finding.new), prose(why))) + " |"


def _proof(finding: Finding) -> list[str]:
    lines = [f"**{prose(finding.scenario)}, {prose(finding.anomaly)}**: {prose(finding.proof)}"]
    if finding.schedule:
        lines += ["", f"Schedule: {code(finding.schedule)}"]
    return [*lines, "", f"Again: {code(finding.replay)}"] if finding.replay else lines


def _annotation(word: Verdict, finding: Finding, gate: Gate, root: Path) -> str:
    kind = "error" if word is Verdict.RACE else "warning"
    title = f"mailrace: {finding.scenario}: {finding.anomaly or 'not looked at'} is {finding.change}"
    if not finding.anomaly:
        title = f"mailrace: {finding.scenario}: {finding.change}"
    text = f"{gate.old} to {gate.new}: {finding.reason}"
    if finding.replay:
        text += f"\nAgain: {finding.replay}"
    place = _place(finding.file, root)
    return f"::{kind} {place}title={_property(title)}::{_data(text)}"


def _place(file: str, root: Path) -> str:
    """`file=…,line=…,` of the scenario's name; "" for a file that does not stand under `root`."""
    path = Path(file)
    try:
        shown = path.resolve().relative_to(root.resolve())
        line, _ = read(path.read_bytes()).place(("name",))
    except (OSError, ValueError):
        return ""
    return f"file={_property(shown.as_posix())},line={line},"


def _data(text: str) -> str:
    return legible(text, len(text), lines=True).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
