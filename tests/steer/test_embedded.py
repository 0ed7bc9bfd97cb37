"""The embedded reference steered through the same door: each version shows what the real one of it shows."""

from collections.abc import Callable

import pytest

from harness.model.operation import ServerOptions
from harness.model.result import Verdict
from harness.scenario import load, shipped
from harness.steer import steer
from harness.steer.landscape import Landscape, survey
from tests.steer.test_real_mailpit import rig, scenario

PAIRS = (
    "shared-new-tag",
    "send-delete-last-holder",
    "send-delete-unrelated",
    "send-retag-last-holder",
    "send-rename-tag",
    "send-delete-tag",
    "send-delete-search",
    "send-delete-all",
    "two-tag-sets",
)


def look(name: str, target: str) -> tuple[Landscape, ServerOptions]:
    with rig(name, target) as (place, options):
        return survey(place, options, orders_max=5000, seconds_max=60), options


def outcomes(land: Landscape) -> tuple[int, int, dict[str, int]]:
    """All orders, the bad ones, and how many show each anomaly: equal only where the statements are."""
    return land.orders(lambda *_: True)


def statements(land: Landscape) -> set[str]:
    return {b.call.split(" [")[0] for run in land.runs for b in run.blocks}


@pytest.mark.mailpit
@pytest.mark.parametrize("version", ["1.27.11", "1.30.5"])
@pytest.mark.parametrize("name", PAIRS)
def test_it_sends_and_comes_to_what_the_real_one_does(
    real_mailpit: Callable[[str], str], name: str, version: str
) -> None:
    real, _ = look(name, real_mailpit(version))
    ours, _ = look(name, f"embedded@{version}")
    assert statements(ours) == statements(real)
    assert outcomes(ours) == outcomes(real)
    assert sorted(map(sorted, ours.bad_leaves.values())) == sorted(map(sorted, real.bad_leaves.values()))


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
    assert result.verdict is Verdict.PASS, result.reason
    assert result.schedules is not None
    if len(result.sample[0].plan.operations) == 2:
        assert result.schedules.exhaustive
