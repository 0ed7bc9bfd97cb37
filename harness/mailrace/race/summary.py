"""Takes a side that was raced, its control and why it ended; gives the ScenarioResult with its verdict."""

from dataclasses import dataclass, replace

from mailrace.model.result import ControlResult, ScenarioResult, Verdict
from mailrace.race.controls import WHY
from mailrace.race.options import RaceOptions
from mailrace.race.side import Side
from mailrace.scenario.needs import blank_result
from mailrace.verdict import clopper_pearson, decide, evidence_of, is_overdispersed, theta_bound


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a race ended before all its rounds, "" if it did not; and whether the server under test caused it.

    is_gone   the server under test went away
    """

    why: str = ""
    is_targets_doing: bool = False
    is_gone: bool = False


def control_result(
    control: Side, kind: int, pairs: int, pairs_fired: int, options: RaceOptions
) -> ControlResult:
    """What the control showed, and so how frequent a race that was not seen can be."""
    return ControlResult(
        target=control.target.name,
        scenario=control.lane.plan.scenario.name,
        kind=kind,
        why=WHY[kind],
        pairs=pairs,
        pairs_fired=pairs_fired,
        hits=control.tally.hits,
        confidence=options.rule.confidence_each,
        bound=theta_bound(pairs_fired, options.rule.confidence_each),
    )


def scenario_result(
    side: Side, control: ControlResult | None, options: RaceOptions, ended: Ended, seconds: float
) -> ScenarioResult:
    """Everything that the race showed, with its verdict; `seconds`: what the whole of it took."""
    scenario, tally = side.lane.plan.scenario, side.tally
    one_rate = not is_overdispersed([b for b in tally.blocks if b.rounds])
    counted = tally.onto(blank_result(scenario, "race"), side.lane.plan.round(0))
    # Serial rounds that the server refused, and its own end, count like rounds that it refused.
    refused = bool(side.judge.serial.refused) + ended.is_targets_doing
    not_looked = [ended.why, *side.said(), *tally.not_looked, *side.judge.notes]
    result = replace(
        counted,
        rounds_lost=counted.rounds_lost + refused,
        rounds_refused=counted.rounds_refused + refused,
        broken_serially=side.broken_serially(),
        interval=clopper_pearson(tally.hits, tally.rounds) if tally.rounds and one_rate else None,
        not_looked=tuple(said for said in not_looked if said),
        control=control,
        profile=options.profile if scenario.release.at != "free" else "free",
        release_at=scenario.release.at,
        rounds_per_s=tally.rounds / seconds if seconds else 0.0,
        seconds={**side.seconds, "all": seconds},
    )
    # The verdict depends only on what the document holds, so that it can be reached again from there.
    if ended.is_gone and not result.hits:
        return replace(result, verdict=Verdict.FAILED, reason=ended.why + ".")
    decision = decide(evidence_of(result), options.rule)
    return replace(result, verdict=decision.verdict, reason=decision.reason, advice=decision.advice)
