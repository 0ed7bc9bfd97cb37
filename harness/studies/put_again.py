"""One version's steered witness in, what another version does under the very same schedule out."""

from harness.model.result import ScenarioResult
from harness.scenario import Scenario
from harness.studies.gate import Again


def put_again(scenario: Scenario, shown: ScenarioResult, anomaly: str, target: str, runs: int) -> Again:
    """Run the schedule of the anomaly's witness on `target`, `runs` times."""
    return Again(runs=0, hits=0)
