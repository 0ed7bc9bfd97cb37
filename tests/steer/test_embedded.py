"""The embedded reference steered: its first race is found, and `fixed` has none."""

import time
from dataclasses import replace

import pytest
from mailrace.model.result import Verdict
from mailrace.scenario import Plan, load, shipped
from mailrace.steer import ReplayRequest, SteerRequest, steer
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.state_space import explore
from mailrace.steer.replay import Word, _Replay

from tests.steer.test_real_mailpit import round_of, scenario

PART_S = 6.0
"""So long those schedules are walked that are too many for all of them."""


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
    it = load(file)  # type: ignore[arg-type]
    # A pair is walked to its end. More actors have more schedules than any test has time for.
    is_pair = len(Plan(it, 1, "mrsteertes").round(0).operations) == 2
    deadline = None if is_pair else time.monotonic() + PART_S
    result = steer(it, "embedded@fixed", SteerRequest(deadline=deadline))
    if result.schedules is None:  # a session's own commands: no order of statements to walk
        assert result.verdict is Verdict.INCONCLUSIVE
        return
    if is_pair:
        assert result.schedules.exhaustive
    # What has more actors than its time allows is not finished, and so no PASS.
    wanted = Verdict.PASS if result.schedules.exhaustive else Verdict.INCONCLUSIVE
    assert result.verdict is wanted, result.reason
    assert not result.anomalies.keys() & {"rejected_but_stored", "tag_lost", "duplicated"}


@pytest.mark.slow
def test_a_version_of_which_more_may_be_wrong_is_not_called_fixed() -> None:
    it = scenario("send-rename-tag")
    (witness, *_) = steer(it, "embedded@1.30.5").witnesses
    assert witness.schedule is not None
    with round_of(it, "embedded@fixed") as round_:
        space = explore(round_, Extent())
        for doubt, word in (("", Word.FIXED), ("1 statement was nobody's", Word.COULD_NOT_RUN)):
            looked, request = replace(space, doubt=doubt), ReplayRequest(times=2)
            name = witness.anomaly.name
            answer = _Replay(round_, looked, witness.schedule, name, "here", request, str).answer()
            assert answer.word is word, answer.sentence
            assert doubt in answer.sentence
