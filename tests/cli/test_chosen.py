"""Which scenarios are meant where none is named, and how the set is said."""

from pathlib import Path

import pytest
from mailrace.cli.request import chosen, files_of
from mailrace.model.errors import UsageError
from mailrace.scenario import SHIPPED, shipped, template

COUNT = len(list(shipped().glob("*.race.yaml")))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(here: Path, *names: str) -> None:
    (here / "scenarios").mkdir(exist_ok=True)
    for name in names:
        (here / "scenarios" / f"{name}.race.yaml").write_text(template(name), encoding="utf-8")


@pytest.mark.parametrize("with_shipped", [False, True])
@pytest.mark.parametrize("unrelated", [None, "notes.txt", "film.yaml"])
def test_without_scenarios_of_ones_own_the_shipped_ones_are_meant(
    here: Path, unrelated: str | None, with_shipped: bool
) -> None:
    if unrelated:
        (here / "scenarios").mkdir()
        (here / "scenarios" / unrelated).write_text("scenes", encoding="utf-8")
    found = chosen(None, with_shipped=with_shipped)
    assert len(found.scenarios) == COUNT
    assert found.said == f"{COUNT} shipped scenarios"


def test_a_first_scenario_of_ones_own_does_not_make_a_gate_easier(here: Path) -> None:
    own(here, "my")
    found = chosen(None, with_shipped=True)
    assert len(found.scenarios) == COUNT + 1
    assert found.said == f"{COUNT} shipped scenarios and 1 own scenario of scenarios/"


def test_run_and_steer_look_at_ones_own(here: Path) -> None:
    own(here, "my", "other")
    assert chosen(None).said == "2 scenarios of scenarios/"
    assert chosen([SHIPPED]).said == f"{COUNT} shipped scenarios"
    assert chosen([SHIPPED, "scenarios/my.race.yaml"]).said == f"{COUNT} shipped scenarios and 1 own scenario"


def test_an_own_scenario_of_a_shipped_ones_name_is_meant_and_is_said(here: Path) -> None:
    own(here, "shared-new-tag")
    found = chosen(None, with_shipped=True)
    assert len(found.scenarios) == COUNT
    assert found.said == f"{COUNT - 1} shipped scenarios and 1 own scenario of scenarios/"


def test_a_name_chooses_among_all_of_them(here: Path) -> None:
    own(here, "my")
    assert chosen(None, "shared-new-tag", with_shipped=True).said == "1 shipped scenario"
    assert chosen(None, "my", with_shipped=True).said == "1 own scenario of scenarios/".replace("own ", "")
    with pytest.raises(UsageError, match="no scenario's name holds it"):
        files_of(None, "nothing-of-that-name", with_shipped=True)
