"""Named repairs on the reference: its pool keeps the runs together, and steer finds it clean."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from mailrace.model.cause import Cause, KeptTogether
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.scenario import load, shipped
from mailrace.steer import steer

RUNS = "MAILRACE_KEPT_TOGETHER"
pytestmark = pytest.mark.slow


def keeping(program: str, kept: Iterable[KeptTogether]) -> str:
    """The faulty program with the runs in its environment, of which a server of ours inherits nothing."""
    runs = [{"operation": k.operation, "first": k.first, "last": k.last, "nth": list(k.nth)} for k in kept]
    file = Path(program.removeprefix("mailpit:"))
    text = file.read_text(encoding="utf-8")
    setting = f"os.environ[{RUNS!r}] = {json.dumps(runs)!r}"
    file.write_text(text.replace("    os.execv(", f"    {setting}\n    os.execv("), encoding="utf-8")
    return program


def causes_of(result: ScenarioResult) -> tuple[Cause, ...]:
    assert result.schedules is not None
    return result.schedules.causes


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("shared-new-tag", "1.17.0"),
        ("send-delete-last-holder", "1.27.11"),
        ("send-rename-tag", "1.30.5"),
        ("send-delete-unrelated", "1.33.1"),
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
