"""A larger round that fails, down to the pair and the tag that show it."""

import pytest
from mailrace.model.operation import Send
from mailrace.model.request import Steering
from mailrace.model.result import Verdict
from mailrace.scenario import scenario_from, shipped
from mailrace.steer import SteerRequest
from mailrace.steer.explore.observer import NOBODY
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.state_space import explore
from mailrace.steer.result.scenario_result import scenario_result
from mailrace.steer.steering import show

from tests.steer.test_real_mailpit import round_of, scenario


@pytest.mark.slow
def test_three_senders_with_two_tags_come_down_to_two_with_one() -> None:
    data = scenario("shared-new-tag").as_data()
    data["actors"][0]["send"].update(count=3, tags=["{run}-{round}", "{run}-{round}-b"], body_bytes=3_000)
    it = scenario_from(data, shipped())
    with round_of(it, "embedded@1.17.0") as round_:
        # Three senders have more schedules than there is time for, and a few of them show it.
        space = explore(round_, Extent(schedules_max=30, model_s_max=1.0, sample_s_max=1.0))
        result = scenario_result(
            it, show(round_, space, SteerRequest(steering=Steering(one_of_each="anomaly")).effort, NOBODY)
        )
    assert result.verdict is Verdict.RACE, result.reason
    assert result.schedules is not None
    assert any("alone" in note for note in result.schedules.notes)
    for witness in result.witnesses:
        operations = witness.record.plan.operations
        assert [len(o.message.tags) for o in operations if isinstance(o, Send)] == [1, 1]
        assert witness.schedule is not None
        assert {s.actor for s in witness.schedule.steps} == {o.key for o in operations}
    for cause in result.schedules.causes:
        # A smaller round has a schedule of its own: a cause names a witness only where that is its schedule.
        if cause.witness >= 0:
            told = result.witnesses[cause.witness].schedule
            assert told is not None
            assert told.text == cause.schedule
