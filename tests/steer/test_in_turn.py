"""What one instance breaks without any race, and instances of their own do not: its memory is why."""

from collections.abc import Callable

import pytest
from mailrace.model.result import Verdict
from mailrace.steer import steer

from tests.steer.test_real_mailpit import scenario


@pytest.mark.slow
@pytest.mark.parametrize("name", ["send-delete-last-holder", "send-retag-unrelated"])
def test_what_one_instance_breaks_in_turn_is_neither_race_nor_pass(
    name: str, faulty: Callable[..., str]
) -> None:
    result = steer(scenario(name), faulty("mail_lost_after_an_edit"))
    assert result.verdict is Verdict.INCONCLUSIVE, result.reason
    assert result.reason.startswith("accepted_but_missing shows on one instance when the operations run one")
    assert result.schedules is not None
    assert not result.schedules.exhaustive
