"""One version's steered witness in, what another version does under the very same schedule out."""

from collections.abc import Callable

from mailrace.model.errors import TargetError
from mailrace.model.result import ScenarioResult
from mailrace.model.target_name import TargetName
from mailrace.scenario import Scenario, server_options
from mailrace.steer.replay import Word, replay_schedule
from mailrace.studies.gate import Again


def put_again(
    scenario: Scenario,
    shown: ScenarioResult,
    anomaly: str,
    target: str | TargetName,
    runs: int,
    gomaxprocs: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Again:
    """Run the schedule of the anomaly's witness `runs` times; a target that fails ran it never."""
    witness = next((w for w in shown.witnesses if w.anomaly.name == anomaly and w.schedule), None)
    if witness is None:
        return Again(runs=0, hits=0, said="no schedule of it was recorded")
    try:
        replay = replay_schedule(
            witness,
            target,
            server_options(scenario),
            contents=scenario.contents,
            times=runs,
            gomaxprocs=gomaxprocs,
            progress=tell,
        )
    except TargetError as wrong:
        return Again(runs=0, hits=0, said=str(wrong))
    # Where the very order is good or is not sent, another of the target's own orders may still show it.
    hits = max(replay.hits, int(replay.word is Word.STILL_FAILS))
    return Again(runs=replay.runs, hits=hits, missed=replay.missed, said=replay.sentence)
