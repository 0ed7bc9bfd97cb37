"""Takes a gate's two versions and a campaign; gives the findings of every scenario, as workers saw them."""

from collections.abc import Sequence

from mailrace.campaign.cell import scenario_cell
from mailrace.campaign.dispatch import Campaign
from mailrace.campaign.runs import in_order, named_here, take, unlooked
from mailrace.history import make_latest
from mailrace.model.errors import UsageError
from mailrace.model.result import Verdict
from mailrace.preflight import require_own_names
from mailrace.scenario import Scenario
from mailrace.studies.gate import Finding, Versions, compare, gate_from_json


def findings_on(campaign: Campaign, versions: Versions, scenarios: Sequence[Scenario]) -> tuple[Finding, ...]:
    """One worker looks at a scenario on both versions, because results of two machines do not compare."""
    require_own_names(scenarios)
    whole, sides = versions.whole, (("old", versions.old), ("new", versions.new))
    campaign.keep_in(whole.folder, whole.request.seed, whole.request.command)
    # A cell is one scenario with both versions.
    cells, asked = [], {}
    for scenario in scenarios:
        targets = (versions.asked.old, versions.asked.new)
        cells.append(scenario_cell("gate", scenario, whole.request, targets, mode=versions.asked.mode))
        asked[cells[-1].key] = scenario
    found: dict[str, tuple[Finding, ...]] = {}
    for cell, outcome in campaign.outcomes(cells, whole.deadline):
        scenario = asked[cell.key]
        files = named_here(outcome.files, cell, whole.folder, scenario)
        # Each version's run goes into that version's own folder, as if it had been found here.
        for word, session in sides:
            own = {
                name.removeprefix(f"{word}/"): text for name, text in files.items() if name.startswith(word)
            }
            take(session, scenario, own, outcome)
        # A cell that failed, or tells of another scenario, was not looked at: the gate says so.
        try:
            findings = gate_from_json(files["gate.json"]).findings if not outcome.why else ()
        except (KeyError, UsageError):
            findings = ()
        if not findings or {one.scenario for one in findings} != {scenario.name}:
            none = unlooked(scenario, outcome, whole.request.mode)
            findings = compare(none, none, {}, whole.request.racing.rule)
        elif any(one.verdict is not Verdict.FAILED for one in versions.new.results):
            make_latest(whole.folder)
        found[scenario.name] = findings
    # Cells land in any order; both runs are put into the order of the question.
    for _, session in sides:
        in_order(session, scenarios, campaign)
    whole.extra |= versions.new.extra
    campaign.finish()
    return tuple(one for scenario in scenarios for one in found[scenario.name])
