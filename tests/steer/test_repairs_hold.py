"""Named repairs on the reference: its pool keeps the runs together, and steer finds it clean."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.model.result import Verdict
from mailrace.scenario import load, shipped
from mailrace.steer import steer
from mailrace.studies.survey.relations import chosen, pairs

from tests.steer.repairs_table import causes_of, keeping, repairs_held

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("shared-new-tag", "1.17.0"),
        ("send-delete-last-holder", "1.27.11"),
        ("send-rename-tag", "1.30.5"),
        ("send-delete-unrelated", "1.33.1"),
        ("send-delete-all", "1.33.1"),
    ],
)
def test_a_server_that_keeps_the_named_runs_together_is_clean(
    name: str, version: str, faulty: Callable[..., str]
) -> None:
    """The same statements in the same order, with the connection held from the first to the last of a run."""
    scenario = load(shipped() / f"{name}.race.yaml")
    found = causes_of(steer(scenario, f"embedded@{version}"))
    assert found
    repairs = {repair for cause in found for repair in cause.repair}
    assert repairs
    for repair in repairs:
        assert repair.bad == 0
        mended = steer(scenario, keeping(faulty("kept_together", of=version), repair.kept))
        assert mended.verdict is Verdict.PASS, mended.reason


def test_a_server_that_keeps_nothing_together_is_still_caught(faulty: Callable[..., str]) -> None:
    scenario = load(shipped() / "shared-new-tag.race.yaml")
    result = steer(scenario, keeping(faulty("kept_together", of="1.17.0"), ()))
    assert result.verdict is Verdict.RACE


def test_each_cause_of_a_survey_is_mended_by_the_repair_that_is_named_for_it(tmp_path: Path) -> None:
    """A sample: `python -m tests.steer.repairs_table VERSION` tries every pair of a version."""
    # A pair of one operation with itself has ten times as many classes, and its repairs are no other kind.
    wanted = [one for one in chosen(pairs(), ("set tags", "rename tag")) if one.a is not one.b]
    held = list(repairs_held("1.33.1", tmp_path, wanted))
    assert len(held) > 3
    assert [one.line for one in held if not one.is_clean] == []
