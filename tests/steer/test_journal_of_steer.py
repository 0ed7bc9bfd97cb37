"""What steer has found is on disk at once: whoever interrupts it loses nothing that was shown."""

from pathlib import Path

import pytest
from mailrace.history import Journal, JournalHeader, read_histories
from mailrace.model.request import Steering
from mailrace.steer import Observer, SteerRequest, steer

from tests.steer.test_real_mailpit import scenario


class Interrupted(Exception):
    """Somebody pressed Ctrl-C."""


def header(name: str) -> JournalHeader:
    return JournalHeader(mailrace="", scenario=name, target="", control="", seed=0, run="", mode="steer")


@pytest.mark.slow
def test_what_was_shown_before_an_interruption_is_in_the_journal(tmp_path: Path) -> None:
    name, path = "shared-new-tag", tmp_path / "history.jsonl"
    journal = Journal(path)
    journal.header(header(name))

    def said(_: str) -> None:
        if b'"kind":"witness"' in path.read_bytes():
            raise Interrupted

    with pytest.raises(Interrupted):
        steer(
            scenario(name),
            "embedded@1.17.0",
            SteerRequest(steering=Steering(one_of_each="class")),
            observer=Observer(journal=journal, progress=said),
        )
    journal.close()
    (found,) = read_histories(path)
    assert found.witnesses
    assert {w.anomaly.name.value for w in found.witnesses} == {"rejected_but_stored"}
    assert len(found.schedules) > len(found.witnesses)
    assert found.realisations[0].fate == "realised"


@pytest.mark.slow
def test_each_schedule_is_noted_with_what_it_came_to(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "history.jsonl")
    journal.header(header("distinct-tags"))
    result = steer(
        scenario("distinct-tags"),
        "embedded@fixed",
        SteerRequest(steering=Steering(budget=3)),
        observer=Observer(journal=journal),
    )
    journal.close()
    (found,) = read_histories(tmp_path / "history.jsonl")
    assert result.schedules is not None
    assert [s.number for s in found.schedules] == list(range(1, result.schedules.explored + 1))
    assert all(s.outcome.startswith("send.1 250") for s in found.schedules)
    assert not found.witnesses
