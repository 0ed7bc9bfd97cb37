"""The embedded reference steered: its first race is found, and `fixed` has none."""

import pytest
from mailrace.model.result import Verdict
from mailrace.scenario import load, shipped
from mailrace.steer import steer

from tests.steer.test_real_mailpit import scenario


@pytest.mark.slow
def test_the_first_race_is_found_and_its_repaired_twin_is_clean() -> None:
    it = scenario("shared-new-tag")
    assert steer(it, "embedded@1.17.0").verdict is Verdict.RACE
    fixed = steer(it, "embedded@fixed")
    assert fixed.verdict is Verdict.PASS
    assert fixed.schedules is not None
    assert fixed.schedules.exhaustive


@pytest.mark.slow
@pytest.mark.parametrize(
    "file", sorted(shipped().glob("*.race.yaml")), ids=lambda file: file.name.partition(".")[0]
)
def test_fixed_is_clean_exhaustively(file: object) -> None:
    result = steer(load(file), "embedded@fixed")  # type: ignore[arg-type]
    if result.schedules is None:  # a session's own commands: no order of statements to walk
        assert result.verdict is Verdict.INCONCLUSIVE
        return
    if len(result.sample[0].plan.operations) == 2:
        assert result.schedules.exhaustive
    # What has more actors than its time allows is not finished, and so no PASS.
    wanted = Verdict.PASS if result.schedules.exhaustive else Verdict.INCONCLUSIVE
    assert result.verdict is wanted, result.reason
    assert not result.anomalies.keys() & {"rejected_but_stored", "tag_lost", "duplicated"}
