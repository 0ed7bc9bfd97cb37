"""Two targets and scenarios in, every scenario looked at on both, the gate's document out.

Steered where both targets allow it: each version's schedules are walked, and what only one shows is put to
the other as the very same schedule. Else raced side by side. The comparison itself is `gate.compare`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from mailrace import __version__
from mailrace.history import make_latest
from mailrace.model.errors import UsageError
from mailrace.model.result import Rule, RunResult, ScenarioResult, Verdict
from mailrace.model.target_name import TargetName
from mailrace.recorded import environment
from mailrace.run import Listener
from mailrace.run import run as run_scenarios
from mailrace.scenario import Scenario, applies
from mailrace.session import Session, part_of, session
from mailrace.studies.absence import absence, races_of
from mailrace.studies.baseline import apply_baseline
from mailrace.studies.gate import RUNS_NEEDED, Again, Finding, compare, gate_verdict
from mailrace.studies.gate_document import Gate, GateOptions, Mode
from mailrace.studies.gate_raced import Looked, look_by_racing
from mailrace.verdict import gravest


class PutAgain(Protocol):
    """Runs one version's witness of an anomaly on another target (steer's replay)."""

    def __call__(
        self,
        scenario: Scenario,
        shown: ScenarioResult,
        anomaly: str,
        target: TargetName,
        runs: int,
        gomaxprocs: int | None,
    ) -> Again:
        """What the target did in that many runs of the very schedule."""


@dataclass(frozen=True, slots=True)
class GateRun:
    """A gate, the runs of both versions, and the folder that holds all files."""

    gate: Gate
    old: RunResult
    new: RunResult
    folder: Path


def chosen_mode(*targets: TargetName, mode: Mode) -> Literal["race", "steer"]:
    """Steer where all targets are ours to start; UsageError where steer is asked for and cannot be."""
    external = [name for name in targets if name.kind == "url"]
    if mode == "steer" and external:
        raise UsageError(
            f"--mode steer: {external[0]} is not ours to start, so its statements cannot be held; "
            "give mailpit@VERSION, an image, or --mode race"
        )
    if mode == "auto":
        return "race" if external else "steer"
    return mode


def run_gate(
    scenarios: Sequence[Scenario],
    options: GateOptions,
    *,
    put_again: PutAgain,
    listener: Listener | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> GateRun:
    """Look at all scenarios on both targets, compare, and write gate.json, old/run.json and new/run.json."""
    how = chosen_mode(options.old, options.new, mode=options.mode)
    what, targets = f"gate-{options.old}-{options.new}", (options.old, options.new)
    request = replace(options.run, mode=how)
    with session(scenarios, request, listener, study="gate", targets=targets, what=what) as whole:
        folder, started = whole.folder, whole.started
        if how == "steer":
            old, new, findings = _look(scenarios, options, whole, put_again, tell)
        else:
            old, new, findings = look_by_racing(scenarios, options, whole, tell)
    names = [scenario.name for scenario in scenarios]
    if any(one.verdict is not Verdict.FAILED for one in (*old.scenarios, *new.scenarios)):
        make_latest(folder)
    findings, notes = apply_baseline(findings, options.accepted, options.today, names)
    gate = Gate(
        mailrace=__version__,
        verdict=gate_verdict(findings, is_strict=options.is_strict),
        old=str(options.names.get(options.old, options.old)),
        new=str(options.names.get(options.new, options.new)),
        old_version=old.target.version,
        new_version=new.target.version,
        mode=how,
        is_strict=options.is_strict,
        seed=options.run.seed,
        command=options.run.command,
        started=started,
        environment=environment(),
        findings=tuple(findings),
        notes=tuple(notes),
    )
    return GateRun(gate, old, new, folder)


def _look(
    scenarios: Sequence[Scenario],
    options: GateOptions,
    whole: Session,
    put_again: PutAgain,
    tell: Callable[[str], None],
) -> Looked:
    """Steer what steer can answer for, race the rest; both versions' runs hold all scenarios, in order."""
    is_auto = options.mode == "auto"
    small = [s for s in scenarios if not (is_auto and _is_large(s))]
    parts: list[Looked] = []
    left = [s for s in scenarios if s not in small]
    if small:
        steered = _steered(small, options, whole, put_again, tell)
        parts.append(steered)
        old, new, _ = steered
        for scenario, before, after in zip(small, old.scenarios, new.scenarios, strict=True):
            if is_auto and _is_beyond_steer(scenario, (old, before), (new, after)):
                left.append(scenario)
    if left:
        parts.append(look_by_racing(left, options, whole, tell, "natively"))
    raced = {s.name for s in left}
    found = [f for part in parts for f in part[2] if part is parts[-1] or f.scenario not in raced]
    order = [s.name for s in scenarios]
    return _joined([p[0] for p in parts], order), _joined([p[1] for p in parts], order), tuple(found)


def _steered(
    scenarios: Sequence[Scenario],
    options: GateOptions,
    whole: Session,
    put_again: PutAgain,
    tell: Callable[[str], None],
) -> Looked:
    """Walk every scenario's schedules on both versions, and put what one alone shows to the other."""
    runs = []
    for word, target in (("old", options.old), ("new", options.new)):
        tell(f"{word} version: {options.names.get(target, target)}")
        steering = replace(options.run.steering, is_one_enough=True)
        formats = options.run.output.formats
        asked = part_of(
            whole.request, whole.folder / word, formats, target=target, mode="steer", steering=steering
        )
        runs.append(run_scenarios(scenarios, asked, whole.listener).result)
    old, new = runs
    rule = whole.request.racing.rule
    findings: list[Finding] = []
    for scenario, before, after in zip(scenarios, old.scenarios, new.scenarios, strict=True):
        again: dict[str, Again] = {}
        for shown, other, target in ((after, before, options.old), (before, after, options.new)):
            for name in _in_question(shown, other, rule, is_new=shown is after):
                tell(f"{scenario.name}: {name}: the same schedule on {options.names.get(target, target)}")
                again[name] = put_again(
                    scenario, shown, name, target, RUNS_NEEDED, options.run.server.gomaxprocs
                )
        findings += compare(before, after, again, rule)
    return old, new, tuple(findings)


def _in_question(shown: ScenarioResult, other: ScenarioResult, rule: Rule, *, is_new: bool) -> list[str]:
    """What one version alone shows, so far as the other's own walk does not answer for it.

    What is new is always put to the old version: then its absence there is seen, not only concluded.
    """
    if other.verdict in (Verdict.NOT_APPLICABLE, Verdict.FAILED):
        return []
    alone = [name for name in races_of(shown) if name not in races_of(other)]
    return [name for name in alone if is_new or not absence(other, name, rule).is_shown]


def _is_beyond_steer(scenario: Scenario, *looked: tuple[RunResult, ScenarioResult]) -> bool:
    """Whether the scenario applies to both versions and steer has nothing to say of it: it is raced then."""
    unseen = [one for _, one in looked if one.schedules is None and one.verdict is not Verdict.FAILED]
    return bool(unseen) and all(applies(scenario.needs, run.target.version) for run, _ in looked)


def _is_large(scenario: Scenario) -> bool:
    """Whether more actors share an instance than steer can walk every order of (STEER.md, "Realise")."""
    return scenario.actor_count > 2 and scenario.target.instances < scenario.actor_count


def _joined(parts: Sequence[RunResult], order: Sequence[str]) -> RunResult:
    """One run of what was steered and what was raced; of a scenario in both, the race."""
    found = {one.name: one for part in parts for one in part.scenarios}
    scenarios = tuple(found[name] for name in order)
    known = next((p for p in parts if p.target.version != "unknown"), parts[0])
    return replace(known, scenarios=scenarios, verdict=gravest(one.verdict for one in scenarios))
