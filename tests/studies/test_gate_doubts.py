"""What a gate may not say of an anomaly although every schedule was walked, or every pair was raced."""

from dataclasses import replace
from typing import Any

import pytest
from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.studies.gate import compare
from mailrace.studies.gate.compare import RUNS_NEEDED, Again
from mailrace.studies.gate.finding import gate_verdict
from mailrace.verdict import rule_pairs

from tests.studies.study_results import raced, steered
from tests.studies.test_gate_compare import words

SPOILED: dict[str, dict[str, Any]] = {
    "refused rounds": {"rounds_lost": 3, "rounds_refused": 3},
    "accepted no deletion": {"accepted": {"send.1": 100, "delete.1": 0}},
}
RACE, PASS, UNSURE = Verdict.RACE, Verdict.PASS, Verdict.INCONCLUSIVE
S2, S3 = "rejected_but_stored", "tag_lost"


@pytest.mark.parametrize(
    ("old", "new", "again", "expected", "verdict"),
    [
        pytest.param(
            steered(UNSURE, is_exhaustive=False, unrealised=(S2,)),
            steered(RACE, rejected_but_stored=1),
            {S2: Again(runs=30, hits=0)},
            [(S2, "could not look")],
            UNSURE,
            id="the old one has schedules of it that were not realised",
        ),
        pytest.param(
            replace(steered(UNSURE), broken_serially={S2: 4}),
            steered(RACE, rejected_but_stored=1),
            {S2: Again(runs=30, hits=0)},
            [(S2, "could not look")],
            UNSURE,
            id="the old one breaks it without any race",
        ),
        pytest.param(
            replace(raced(UNSURE), broken_serially={S3: 4}),
            raced(RACE, tag_lost=40),
            {S3: Again(runs=40, hits=0)},
            [(S3, "could not look")],
            UNSURE,
            id="natively, too",
        ),
        *(
            pytest.param(
                replace(raced(UNSURE), **spoiled),
                raced(RACE, tag_lost=40),
                {S3: Again(runs=40, hits=0)},
                [(S3, "could not look")],
                UNSURE,
                id=f"natively, where the old one {what}",
            )
            for what, spoiled in SPOILED.items()
        ),
        *(
            pytest.param(
                replace(raced(UNSURE), broken_serially={"duplicated": 4}),
                raced(RACE, **{name: 40}),
                {name: Again(runs=40, hits=0)},
                [(name, change)],
                verdict,
                id=f"natively, where the old one breaks another promise without any race: {name}",
            )
            for name, change, verdict in ((S3, "new", RACE), ("not_serializable", "could not look", UNSURE))
        ),
        pytest.param(
            steered(RACE, tag_lost=3, hang=1),
            steered(RACE, hang=1),
            {},
            [(S3, "could not look"), ("hang", "unchanged")],
            UNSURE,
            id="where a schedule hangs it is not looked for",
        ),
        pytest.param(
            steered(RACE, hang=1),
            steered(RACE, hang=1),
            {},
            [("hang", "unchanged")],
            PASS,
            id="a hang by itself hides nothing that anybody showed",
        ),
        pytest.param(
            steered(RACE, tag_lost=3, duplicated=1),
            steered(RACE, duplicated=1, doubt="tag_lost shows one after the other as well"),
            {},
            [("duplicated", "unchanged"), (S3, "could not look")],
            UNSURE,
            id="every schedule was walked, and that says nothing",
        ),
    ],
)
def test_what_is_in_doubt_is_neither_new_nor_fixed(
    old: ScenarioResult,
    new: ScenarioResult,
    again: dict[str, Again],
    expected: list[tuple[str, str]],
    verdict: Verdict,
) -> None:
    found = compare(old, new, again, Rule())
    assert sorted(words(found)) == sorted(expected)
    assert gate_verdict(found) is verdict


def test_new_is_said_natively_with_the_gates_confidence() -> None:
    rule = Rule(confidence=0.999, theta=0.1)
    needed = rule_pairs(rule)
    for runs, change in ((needed - 1, "could not look"), (needed, "new")):
        found = compare(raced(UNSURE), raced(RACE, tag_lost=needed), {S3: Again(runs=runs, hits=0)}, rule)
        assert words(found) == [(S3, change)]
    assert needed > RUNS_NEEDED
