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
from mailrace.studies.gate.compare import Again, Looked, with_raced
from mailrace.studies.gate.finding import gate_verdict
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
            [(S3, "unchanged"), (S2, "could not look")],
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
        pytest.param(
            steered(RACE, tag_lost=1),
            steered(UNSURE, is_exhaustive=False),
            raced(UNSURE),
            raced(RACE, tag_lost=99),
            [(S3, "unchanged")],
            id="never new natively where the walk of the old version has shown it",
        ),
        pytest.param(
            steered(UNSURE, is_exhaustive=False, unrealised=(S3,)),
            steered(UNSURE, is_exhaustive=False),
            raced(UNSURE),
            raced(RACE, tag_lost=99),
            [(S3, "could not look")],
            id="never new natively where the walk of the old version has found it",
        ),
        pytest.param(
            steered(UNSURE, is_exhaustive=False),
            steered(UNSURE, is_exhaustive=False, unrealised=("duplicated",)),
            raced(RACE, rejected_but_stored=99),
            raced(RACE, rejected_but_stored=99),
            [(S2, "unchanged"), ("", "could not look")],
            id="what the walk has found stays open where another race fires",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            steered(UNSURE, is_exhaustive=False, unrealised=("duplicated",)),
            raced(RACE, tag_lost=99),
            raced(RACE, rejected_but_stored=99),
            [(S3, "fixed"), (S2, "could not look"), ("", "could not look")],
            id="it stays open beside what is fixed",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            OPEN_WALK,
            raced(RACE, tag_lost=5),
            raced(UNSURE),
            [(S3, "unchanged"), ("", "could not look")],
            id="the rest is open where the race hit too seldom",
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
    found = with_raced(Looked(old, walk, {}), Looked(old_raced, new_raced, again), Rule())
    assert sorted(words(found)) == sorted(expected)
    assert (gate_verdict(found) is PASS) == all(word != "could not look" for _, word in expected)


@pytest.mark.parametrize("new_raced", [raced(RACE, tag_lost=99), raced(UNSURE)])
def test_what_the_old_version_shows_natively_is_not_new_whatever_its_runs_of_the_schedule_came_to(
    new_raced: ScenarioResult,
) -> None:
    walk = Looked(steered(UNSURE, is_exhaustive=False), OPEN_WALK, {S3: Again(runs=30, hits=0)})
    race = Looked(raced(RACE, tag_lost=99), new_raced, {S3: Again(runs=99, hits=min(1, new_raced.hits))})
    (line, *_) = found = with_raced(walk, race, Rule())
    assert (line.anomaly, line.change, line.is_seen) == (S3, "unchanged", True)
    assert gate_verdict(found) is not RACE
    assert words(compare(walk.old, walk.new, walk.again, Rule()))[0] == (S3, "new"), "by the walks alone"


def test_what_the_new_version_shows_natively_is_not_fixed_whatever_its_walk_came_to() -> None:
    walk = Looked(steered(RACE, tag_lost=1), steered(RACE, rejected_but_stored=1), {})
    assert (S3, "fixed") in words(compare(walk.old, walk.new, walk.again, Rule()))
    for old_raced in (raced(RACE, tag_lost=99), raced(UNSURE)):
        again = {S3: Again(runs=99, hits=min(1, old_raced.hits))}
        found = with_raced(walk, Looked(old_raced, raced(RACE, tag_lost=99), again), Rule())
        assert words(found) == [(S2, "could not look"), (S3, "unchanged")]


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
