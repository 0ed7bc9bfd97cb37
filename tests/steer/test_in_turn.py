"""What one instance shows and instances of their own do not, for its memory is why: no PASS, no FIXED."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.model.result import Verdict
from mailrace.scenario import scenario_from, server_options
from mailrace.steer import ReplayRequest, replay_schedule, steer
from mailrace.steer.replay import Word

from tests.steer.test_faulty import TWO_SENDERS
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "word"), [("lists_fail_after_a_race", Word.COULD_NOT_RUN), ("no_fault", Word.FIXED)]
)
def test_what_only_a_release_point_shows_is_not_fixed_where_the_recorded_schedule_cannot_be_followed(
    fault: str, word: Word, tmp_path: Path, faulty: Callable[..., str]
) -> None:
    it = scenario_from(TWO_SENDERS, tmp_path)
    recorded = steer(it, faulty("lists_fail_after_a_race", of="1.27.11", meeting="memory"))
    witness = next(w for w in recorded.witnesses if w.anomaly.name == "views_disagree")
    target = faulty(fault, of="1.30.5", meeting="memory")
    answer = replay_schedule(witness, target, server_options(it), ReplayRequest(times=3))
    assert (answer.word, answer.runs) == (word, 0), answer.sentence
