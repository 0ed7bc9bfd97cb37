"""Which control is chosen: the strongest available one, and a sentence on each stronger one that is not."""

from pathlib import Path
from typing import Any

import pytest
from mailrace.model.target_name import parse_target
from mailrace.race import controls
from mailrace.race.controls import choose_control
from mailrace.scenario import Scenario, scenario_from, shipped

AT_HAND = {"embedded@1.17.0", "embedded@1.30.5", "embedded@fixed", "mailpit@1.30.5", "mailpit@1.17.0"}
URL = "http://127.0.0.1:8025?smtp=127.0.0.1:1025"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What is available on this pretended machine."""
    at_hand = set(AT_HAND)
    monkeypatch.setattr(
        controls, "why_not", lambda name: "" if name.text in at_hand else f"{name} is not here"
    )
    return at_hand


def scenario(*names: dict[str, str], **more: Any) -> Scenario:
    data = {
        "name": "s",
        "title": "t",
        "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}],
        "controls": list(names),
        **more,
    }
    return scenario_from(data, Path(shipped()))


REAL, EMBEDDED = {"target": "mailpit@1.17.0"}, {"target": "embedded@1.17.0"}
OPEN = {"scenario": "same-message-id-small"}


@pytest.mark.parametrize(
    ("own", "names", "kind", "target", "of"),
    [
        ("mailpit@1.30.5", (EMBEDDED, OPEN, REAL), 1, "mailpit@1.17.0", "s"),
        ("mailpit@1.30.5", (EMBEDDED, OPEN), 2, "mailpit@1.30.5", "same-message-id-small"),
        ("mailpit@1.30.5", (EMBEDDED,), 3, "embedded@1.17.0", "s"),
        ("embedded", (EMBEDDED, OPEN, REAL), 1, "embedded@1.17.0", "s"),
        ("embedded@1.30.5", (OPEN,), 2, "embedded@1.30.5", "same-message-id-small"),
        ("embedded@1.30.5", (REAL,), None, "", ""),
        ("mailpit@1.17.0", (REAL,), None, "", ""),
        (URL, (REAL, EMBEDDED), 3, "mailpit@1.17.0", "s"),
        ("mailpit@1.30.5", (), None, "", ""),
    ],
)
def test_the_strongest_is_chosen(
    own: str, names: tuple[dict[str, str], ...], kind: int | None, target: str, of: str
) -> None:
    chosen, _ = choose_control(scenario(*names), parse_target(own))
    found = (chosen.kind, chosen.target.text, chosen.scenario.name) if chosen else (None, "", "")
    assert found == (kind, target, of)


def test_what_cannot_be_had_is_said_where_it_would_have_been_better(machine: set[str]) -> None:
    machine.discard("mailpit@1.17.0")
    chosen, said = choose_control(scenario(REAL, EMBEDDED), parse_target("mailpit@1.30.5"))
    assert chosen is not None
    assert chosen.kind == 3
    assert said == (
        "control mailpit@1.17.0 (s): mailpit@1.17.0 is not here; put it in a folder named by "
        "MAILRACE_MAILPIT_DIR, or: mailrace install mailpit@1.17.0",
    )
    chosen, said = choose_control(scenario(REAL, OPEN), parse_target("mailpit@1.30.5"))
    assert chosen is not None
    assert chosen.kind == 2
    assert said == (), "kind 2 carries a PASS as well"


def test_a_control_that_does_not_apply_to_its_version_is_not_chosen() -> None:
    chosen, said = choose_control(scenario(REAL, needs=">=1.19.0"), parse_target("mailpit@1.30.5"))
    assert chosen is None
    assert said == ("control mailpit@1.17.0 (s): it needs Mailpit >=1.19.0, and this is 1.17.0",)


def test_a_control_scenario_that_is_nowhere_is_said_and_is_no_mistake() -> None:
    chosen, said = choose_control(scenario({"scenario": "no-such-one"}), parse_target("mailpit@1.30.5"))
    assert chosen is None
    assert said == (
        "control mailpit@1.30.5 (no-such-one): no such scenario in this folder or among the shipped",
    )


def test_a_server_that_is_not_ours_is_no_control_for_a_scenario_with_server_options() -> None:
    chosen, said = choose_control(scenario(OPEN), parse_target(URL))
    assert chosen is None
    assert "not ours" in said[0]
