"""A gate that walks first and races what that leaves open: what a walk has found stays."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from mailrace.model.choices import ModeAsked
from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.scenario import Scenario, find, load
from mailrace.session import Session
from mailrace.steer import EXPLORE_S_MAX
from mailrace.studies.gate import compare
from mailrace.studies.gate.compare import Again, with_raced
from mailrace.studies.gate.run import LARGE_S_MAX, Versions

from tests.running import mailrace
from tests.studies.study_results import raced, steered
from tests.studies.test_gate_compare import words

RACE, PASS, UNSURE = Verdict.RACE, Verdict.PASS, Verdict.INCONCLUSIVE
S2, S3 = "rejected_but_stored", "tag_lost"
OPEN_WALK = steered(RACE, is_exhaustive=False, tag_lost=1)


@pytest.mark.parametrize(
    ("old", "walk", "old_raced", "new_raced", "expected"),
    [
        pytest.param(
            steered(PASS, is_exhaustive=False),
            steered(UNSURE, is_exhaustive=False),
            raced(PASS),
            raced(PASS),
            [("", "clean")],
            id="nothing walked, clean natively",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            OPEN_WALK,
            raced(UNSURE),
            raced(UNSURE),
            [(S3, "unchanged"), ("", "could not look")],
            id="what was walked stays, and the rest is open",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            OPEN_WALK,
            raced(RACE, rejected_but_stored=99),
            raced(RACE, rejected_but_stored=99),
            [(S3, "unchanged"), (S2, "unchanged")],
            id="the race answers for the rest",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            OPEN_WALK,
            raced(PASS),
            raced(RACE, tag_lost=99),
            [(S3, "unchanged")],
            id="never new where the walk has shown it on the old version",
        ),
        pytest.param(
            steered(PASS),
            OPEN_WALK,
            raced(RACE, tag_lost=99),
            raced(RACE, rejected_but_stored=99),
            [(S3, "could not look"), (S2, "could not look")],
            id="never fixed where the walk has shown it",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            steered(UNSURE, is_exhaustive=False, unrealised=(S3,)),
            raced(RACE, tag_lost=99),
            raced(RACE, rejected_but_stored=99),
            [(S3, "could not look"), (S2, "could not look")],
            id="never fixed where the walk has found it",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            steered(UNSURE, is_exhaustive=False),
            raced(RACE, tag_lost=99),
            raced(RACE, rejected_but_stored=99),
            [(S3, "fixed"), (S2, "could not look")],
            id="fixed natively where the walk has not found it",
        ),
    ],
)
def test_a_race_answers_what_a_walk_leaves_open_and_takes_nothing_back(
    old: ScenarioResult,
    walk: ScenarioResult,
    old_raced: ScenarioResult,
    new_raced: ScenarioResult,
    expected: list[tuple[str, str]],
) -> None:
    shown = {name for result in (old_raced, new_raced) for name in result.anomalies}
    again = {S3: Again(runs=99, hits=0)} if S3 in shown else {}
    natively = compare(old_raced, new_raced, again, Rule())
    assert words(with_raced(compare(old, walk, {}, Rule()), natively, walk)) == expected


class _Version:
    """One version's session, which says of every walk that it was clean, and how long that might take."""

    def __init__(self) -> None:
        self.explore_s_max = 0.0
        self.request = SimpleNamespace(mode="steer", target="embedded", racing=SimpleNamespace(rule=Rule()))

    def look(self, _: Scenario) -> ScenarioResult:
        return steered(PASS)


@pytest.mark.parametrize(
    ("mode", "name", "seconds"),
    [
        ("auto", "same-message-id-small", LARGE_S_MAX),
        ("steer", "same-message-id-small", EXPLORE_S_MAX),
        ("auto", "shared-new-tag", EXPLORE_S_MAX),
    ],
)
def test_what_may_be_raced_is_walked_for_a_shorter_time(
    mode: ModeAsked, name: str, seconds: float, tmp_path: Path
) -> None:
    old, new = _Version(), _Version()
    whole = SimpleNamespace(request=new.request, left_s=None, folder=tmp_path)
    asked = SimpleNamespace(mode=mode, names={})
    versions = Versions(asked, cast(Session, whole), cast(Session, old), cast(Session, new), lambda _: None)
    assert words(versions.look(load(find([name])[0]))) == [("", "clean")]
    assert (old.explore_s_max, new.explore_s_max) == (seconds, seconds)


@pytest.mark.slow
def test_three_senders_are_walked_first(tmp_path: Path) -> None:
    shipped = find(["same-message-id-small"])[0].read_text()
    (tmp_path / "three.race.yaml").write_text(
        shipped.replace("same-message-id-small", "three").replace("count: 4", "count: 3")
    )
    done = mailrace(
        *("gate", "--from", "embedded@1.27.11", "--to", "embedded@1.30.5", "three.race.yaml", "--out", "g"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    (finding,) = json.loads((tmp_path / "g" / "gate.json").read_text())["findings"]
    assert (finding["anomaly"], finding["change"]) == ("duplicated", "unchanged")
    for word in ("old", "new"):
        looked = json.loads((tmp_path / "g" / word / "run.json").read_text())["scenarios"]
        # A busy machine may not come to the end of the walk in its time, and then races as well.
        assert looked[0]["schedules"]["explored"], looked[0]["reason"]
