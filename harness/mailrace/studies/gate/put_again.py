"""Takes a schedule that showed an anomaly on one version; gives how often the other version shows it too."""

from mailrace.model.errors import TargetError
from mailrace.model.result import ScenarioResult
from mailrace.model.time_limit import CUT_OFF, TimeOver, over_by
from mailrace.scenario import Scenario, server_options
from mailrace.session import Session
from mailrace.steer import ReplayRequest, replay_schedule
from mailrace.steer.replay import Word
from mailrace.studies.gate.compare import RUNS_NEEDED, Again


def put_again(
    scenario: Scenario, shown: ScenarioResult, anomaly: str, version: Session, runs: int = RUNS_NEEDED
) -> Again:
    """Run the schedule of the anomaly's witness `runs` times on the other version.

    Where that version fails, or no time is left for it, it ran the schedule no times, and `said` tells why.
    """
    witness = next((w for w in shown.witnesses if w.anomaly.name == anomaly and w.schedule), None)
    if witness is None:
        return Again(runs=0, hits=0, said="no schedule of it was recorded")
    if version.left_s == 0.0:
        return Again(runs=0, hits=0, said="the time limit ended the gate before")
    try:
        with over_by(version.request.cut_at):
            replay = replay_schedule(
                witness,
                version.request.target,
                server_options(scenario),
                ReplayRequest(
                    times=runs, gomaxprocs=version.request.server.gomaxprocs, deadline=version.deadline
                ),
                contents=scenario.contents,
            )
    except (TargetError, TimeOver) as wrong:
        return Again(runs=0, hits=0, said=str(wrong) or CUT_OFF)
    # Where this schedule is good or is not sent there, another one of that version may still show the
    # anomaly.
    hits = max(replay.hits, int(replay.word is Word.STILL_FAILS))
    return Again(runs=replay.runs, hits=hits, missed=replay.missed, said=replay.sentence)
