"""A user's own message files: their tags are new in each round, and no shape of a file gives a false word."""

from pathlib import Path
from typing import Any

import pytest
from mailrace.model.operation import Send
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.run import Output, Racing, RunRequest, Steering, run
from mailrace.scenario import Plan, Scenario, scenario_from

from tests.race.awkward_mail import SHAPES

TAGGED = SHAPES["tags"]
MODES = ("race", "steer")
STEERED_S = 10.0
"""A mail with a hundred tags has more schedules than any test has time for."""
FEW = Steering(budget=10)
"""How a file is sent, stored and judged does not change from one schedule to the next."""


def sent(folder: Path, mail: bytes, **send: Any) -> Scenario:
    (folder / "mail.eml").write_bytes(mail)
    actors = [{"send": {"count": 2, "file": "mail.eml", **send}}]
    return scenario_from({"name": "own-mail", "title": "Own mail", "actors": actors}, folder)


def looked(scenario: Scenario, target: str, folder: Path, *, rounds: int = 12, **of: Any) -> ScenarioResult:
    asked = Racing(until="rounds", rounds=rounds, control=False, **of)
    request = RunRequest.of(target, asked, Output(out=folder / "out", formats=()), seed=3)
    return run([scenario], request).result.scenarios[0]


def test_tags_of_a_file_are_each_round_s_own(tmp_path: Path) -> None:
    plan = Plan(sent(tmp_path, SHAPES["plus-address"], tags=["{run}-own"]), 1, "mrabcdefgh")
    rounds = []
    for index in (0, 1):
        one, other = (o.message for o in plan.round(index).operations if isinstance(o, Send))
        assert one.tags == other.tags, "senders of a round share them"
        assert one.to[0] == f"r0000{index}.s01@mrabcdefgh.test"
        assert (
            one.cc
            == (
                f"r0000{index}.s01.p02+cc-mrabcdefgh-r0000{index}@mrabcdefgh.test",
                f"r0000{index}.s01.p03+two-mrabcdefgh-r0000{index}@mrabcdefgh.test",
            )
            or len(one.cc) == 2
        )
        rounds.append(set(one.tags) - {"mrabcdefgh-own"})
    assert not rounds[0] & rounds[1]
    assert {tag.partition("-")[0] for tag in rounds[0]} == {"from", "billing", "cc", "two"}


@pytest.mark.parametrize("shape", ["long-tags", "long-plus-address", "tags-of-101"])
def test_a_round_s_own_tags_are_never_so_long_that_they_are_cut(shape: str, tmp_path: Path) -> None:
    plan = Plan(sent(tmp_path, SHAPES[shape]), 1, "mrabcdefgh")
    message = next(o.message for o in plan.round(7).operations if isinstance(o, Send))
    assert message.tags
    assert all(len(tag) <= 100 and tag.endswith("-mrabcdefgh-r00007") for tag in message.tags)
    assert all(len(address.partition("@")[0]) <= 64 for address in message.recipients)


@pytest.mark.slow
@pytest.mark.parametrize("mail", [TAGGED, SHAPES["folded-tags"], SHAPES["plus-address"]])
def test_a_tag_in_a_file_is_raced_in_every_round(mail: bytes, tmp_path: Path) -> None:
    """Issue 283 by a fixed tag, as every team has it: 40 rounds of two senders hit in at least a fifth."""
    found = looked(sent(tmp_path, mail), "embedded@1.17.0", tmp_path, rounds=40)
    assert found.verdict is Verdict.RACE, found.reason
    assert found.rounds > 20, "rounds after the first count as well"
    assert any("each round's own" in said for said in found.not_looked)


@pytest.mark.slow
@pytest.mark.parametrize(
    "of",
    [
        {"file": "mail.eml", "keep_tags": True},
        {"file": "mail.eml", "tags": ["fixed"]},
        {"tags": ["{run}-shared"]},
        {"tags": ["{run}-{round}", "{run}-{sender}"], "tags_via": "plus"},
    ],
    ids=["kept in the file", "fixed", "of the run", "one of two"],
)
def test_rounds_whose_tag_is_not_new_count_for_nothing(of: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(TAGGED)
    actors = [{"send": {"count": 2, **of}}]
    scenario = scenario_from({"name": "fixed-tag", "title": "t", "actors": actors}, tmp_path)
    found = looked(scenario, "embedded@fixed", tmp_path)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.rounds <= 1
    assert found.rounds_lost >= 11
    assert found.rounds_refused == 0
    assert "in one round only" in found.reason
    assert sum("in one round only" in said for said in found.not_looked) == 1
    assert "{run}-{round}" in found.advice


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["edits", "given"])
def test_lasting_tags_of_edits_and_given_mail_count_for_nothing_either(mode: str, tmp_path: Path) -> None:
    old = {"name": "old", "tags": ["{run}-kept" if mode == "given" else "{run}-{round}"]}
    tag = "{run}-to" if mode == "edits" else "{run}-{round}-to"
    actors = [{"send": {"tags": ["{run}-{round}"]}}, {"set_tags": {"messages": ["old"], "tags": [tag]}}]
    data = {"name": "kept", "title": "t", "given": [old], "actors": actors}
    found = looked(scenario_from(data, tmp_path), "embedded@fixed", tmp_path)
    assert found.rounds <= 1, found.reason
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.slow
def test_with_a_fresh_server_each_round_a_fixed_tag_is_new_in_each(tmp_path: Path) -> None:
    scenario = sent(tmp_path, TAGGED, keep_tags=True)
    found = looked(scenario, "embedded@fixed", tmp_path, rounds=3, trial="cold")
    assert found.rounds == 3


def assert_no_false_word(found: ScenarioResult, shape: str, races: set[str]) -> None:
    """A file may be refused by the server; then it is said, and no promise was broken."""
    assert found.verdict is not Verdict.FAILED, f"{shape}: {found.reason}"
    assert set(found.anomalies) <= races, f"{shape}: {found.anomalies}, {found.reason}"


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_a_file_gives_a_false_word(shape: str, tmp_path: Path) -> None:
    found = looked(sent(tmp_path, SHAPES[shape]), "embedded@fixed", tmp_path, rounds=3)
    assert_no_false_word(found, shape, set())
    assert found.rounds + found.rounds_lost == 3


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_a_file_breaks_steer(shape: str, tmp_path: Path) -> None:
    output = Output(out=tmp_path / "out", formats=())
    request = RunRequest.of("embedded@fixed", output, FEW, mode="steer", time_limit_s=STEERED_S)
    found = run([sent(tmp_path, SHAPES[shape])], request).result.scenarios[0]
    assert_no_false_word(found, shape, set())


@pytest.mark.mailpit
@pytest.mark.parametrize("mode", MODES)
def test_no_shape_of_a_file_gives_a_false_word_on_a_real_one(mode: Any, tmp_path: Path) -> None:
    """Two senders of one new tag are clean on 1.30.5: issue 283 was repaired in 1.17.1.

    Every eighth shape, since each has a server of its own; all of them are sent to the reference above.
    """
    for shape, mail in list(SHAPES.items())[::8]:
        folder = tmp_path / shape
        folder.mkdir()
        asked = Racing(until="rounds", rounds=3, control=False)
        output = Output(out=folder / "out", formats=())
        limit_s = STEERED_S if mode == "steer" else None
        request = RunRequest.of("mailpit@1.30.5", asked, output, seed=3, mode=mode, time_limit_s=limit_s)
        found = run([sent(folder, mail)], request).result.scenarios[0]
        assert_no_false_word(found, shape, set())
