"""Takes a scenario and a target; gives the strongest control that is available there, and its kind."""

from dataclasses import dataclass

from mailrace.model.operation import EDITS, Send
from mailrace.scenario import Scenario, any_round, load, resolve, shipped, why_not_applicable
from mailrace.scenario.scenario import Control
from mailrace.targets import TargetName, parse_target, why_not

WHY = {
    1: "a known-bad version of the same server",
    2: "a race known to be open in the very binary under test",
    3: "it shows that mailrace releases well, not how this server schedules in windows of this size",
}
WINDOW_RATIO_MAX = 10
"""With bodies larger by more than this factor, a control has other windows than the scenario."""


@dataclass(frozen=True, slots=True)
class ChosenControl:
    """A control that is available: `scenario` on `target`, of kind 1, 2 or 3 (docs/glossary.md)."""

    target: TargetName
    scenario: Scenario
    kind: int


def choose_control(scenario: Scenario, own: TargetName) -> tuple[ChosenControl | None, tuple[str, ...]]:
    """The strongest control that is available for the target `own`, and why each stronger one is not.

    Kind 1: the same server, another version. Kind 2: the very target, another scenario. Kind 3 shows only
    that our own engine works: the embedded reference, any server of ours for one that is not, or a race whose
    windows are far larger than the scenario's.
    Raises ScenarioError where a control's own file is wrong.
    """
    said: list[str] = []
    found: list[ChosenControl] = []
    for control in scenario.controls:
        named = parse_target(control.target) if control.target else own
        name = named.text
        kind = _kind(own, named, is_other_scenario=control.scenario is not None)
        if kind == 0:
            continue
        other, reason = _scenario_of(scenario, control)
        # It is left out where it cannot run here, each for a reason of its own.
        if not reason and named != own:
            reason = why_not_applicable(other, named.version)
            if not reason and (reason := why_not(named)) and named.kind == "mailpit":
                reason += f"; put it in a folder named by MAILRACE_MAILPIT_DIR, or: mailrace install {name}"
        if not reason and own.kind == "url" and kind == 2 and other.target != scenario.target:
            reason = "it needs server options that a server which is not ours may not have"
        if not reason and own.kind == "url" and kind == 2 and _edits(other):
            reason = "it deletes or edits, and a control never does so on a server that is not ours"
        if not reason and kind < 3 and _body_bytes(other) > WINDOW_RATIO_MAX * _body_bytes(scenario):
            kind = 3  # its bodies, and so its windows, are far larger: it tells of such windows only
        if reason:
            said.append(f"control {name} ({control.scenario or scenario.name}): {reason}")
        else:
            found.append(ChosenControl(named, other, kind))
    # Of one kind the first that the scenario names comes first. Only a weak choice has to be explained.
    found.sort(key=lambda c: c.kind)
    chosen = found[0] if found else None
    return chosen, tuple(said) if chosen is None or chosen.kind == 3 else ()


def _edits(scenario: Scenario) -> bool:
    return any(isinstance(operation, EDITS) for operation in any_round(scenario).operations)


def _body_bytes(scenario: Scenario) -> int:
    """The largest body that it sends, and at least a few bytes, since the headers are there too."""
    sent = [o.message.body_bytes for o in any_round(scenario).operations if isinstance(o, Send)]
    return max([*sent, 1_000])


def _scenario_of(scenario: Scenario, control: Control) -> tuple[Scenario, str]:
    """The scenario that a control runs, and why it is not available, "" if it is."""
    if control.scenario is None:
        return scenario, ""
    path = resolve(control.scenario, scenario.file or shipped())
    return (load(path), "") if path else (scenario, "no such scenario in this folder or among the shipped")


def _kind(own: TargetName, other: TargetName, *, is_other_scenario: bool) -> int:
    """1, 2 or 3; 0 where that control says nothing of this target."""
    if other.text == own.text:
        return 2 if is_other_scenario else 0
    if own.kind == "embedded":
        return 1 if other.kind == "embedded" else 0
    return 1 if own.kind in ("mailpit", "file") and other.kind in ("mailpit", "file") else 3
