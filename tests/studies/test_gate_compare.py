"""What an upgrade changes, on typed-in results: each branch, and that a gate never says yes unlooked."""

from dataclasses import replace

import pytest
from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.studies.gate import Change, Finding, compare
from mailrace.studies.gate.compare import CLAIMS, Again, of_each_anomaly
from mailrace.studies.gate.finding import gate_verdict
from mailrace.verdict import rule_pairs

from tests.built import control
from tests.studies.study_results import raced, steered

RACE, PASS, UNSURE = Verdict.RACE, Verdict.PASS, Verdict.INCONCLUSIVE
S2, S3 = "rejected_but_stored", "tag_lost"


def words(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(f.anomaly, f.change.value) for f in found]


@pytest.mark.parametrize(
    ("old", "new", "again", "expected", "verdict"),
    [
        pytest.param(raced(PASS), raced(PASS), {}, [("", "clean")], PASS, id="clean on both"),
        pytest.param(raced(UNSURE), raced(PASS), {}, [("", "clean")], PASS, id="only the new one matters"),
        pytest.param(
            steered(RACE, tag_lost=3),
            steered(RACE, tag_lost=4),
            {},
            [(S3, "unchanged")],
            PASS,
            id="unchanged",
        ),
        pytest.param(steered(RACE, tag_lost=3), steered(PASS), {}, [(S3, "fixed")], PASS, id="walked: fixed"),
        pytest.param(
            steered(PASS),
            steered(RACE, rejected_but_stored=1),
            {S2: Again(runs=30, hits=0)},
            [(S2, "new")],
            RACE,
            id="new: the old ran the very schedule 30 times",
        ),
        pytest.param(
            steered(PASS),
            steered(RACE, rejected_but_stored=1),
            {S2: Again(runs=29, hits=0)},
            [(S2, "could not look")],
            UNSURE,
            id="29 times are not enough",
        ),
        pytest.param(
            steered(PASS),
            steered(RACE, rejected_but_stored=1),
            {},
            [(S2, "could not look")],
            UNSURE,
            id="never new without the old one's runs",
        ),
        pytest.param(
            steered(PASS),
            steered(RACE, rejected_but_stored=1),
            {S2: Again(runs=30, hits=1)},
            [(S2, "unchanged")],
            PASS,
            id="the old one shows it under the new one's schedule",
        ),
        pytest.param(
            steered(PASS),
            steered(RACE, rejected_but_stored=1),
            {S2: Again(runs=0, hits=0, missed=30)},
            [(S2, "new")],
            RACE,
            id="an order that the old one cannot come into, and all of its own are clean",
        ),
        pytest.param(
            steered(PASS, is_exhaustive=False, missed=1),
            steered(RACE, rejected_but_stored=1),
            {S2: Again(runs=3, hits=0, missed=27)},
            [(S2, "could not look")],
            UNSURE,
            id="some runs followed, too few",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            steered(RACE, missed=2, tag_lost=1),
            {},
            [(S3, "unchanged"), ("", "could not look")],
            UNSURE,
            id="unchanged, and orders were missed",
        ),
        pytest.param(
            steered(RACE, tag_lost=1, duplicated=1),
            steered(RACE, unrealised=("duplicated",), tag_lost=1),
            {},
            [("duplicated", "could not look"), (S3, "unchanged")],
            UNSURE,
            id="not fixed where a class that shows it was not realised",
        ),
        pytest.param(
            steered(RACE, tag_lost=1),
            steered(RACE, unrealised=(S3,), tag_lost=1),
            {},
            [(S3, "unchanged")],
            PASS,
            id="a class of an anomaly that is shown anyway may stay unrealised",
        ),
        pytest.param(
            steered(RACE, tag_lost=1, duplicated=1),
            steered(RACE, tag_lost=1),
            {"duplicated": Again(runs=30, hits=0)},
            [("duplicated", "fixed"), (S3, "unchanged")],
            PASS,
            id="all orders of the new one are without it",
        ),
        pytest.param(
            steered(RACE, tag_lost=1, duplicated=1),
            steered(RACE, is_exhaustive=False, tag_lost=1),
            {"duplicated": Again(runs=30, hits=0)},
            [("duplicated", "could not look"), (S3, "unchanged")],
            UNSURE,
            id="one clean schedule does not make it fixed",
        ),
        pytest.param(
            steered(RACE, tag_lost=1, rejected_but_stored=1),
            steered(RACE, missed=1, tag_lost=1),
            {},
            [(S2, "could not look"), (S3, "unchanged")],
            UNSURE,
            id="not fixed where orders were missed",
        ),
        pytest.param(
            raced(RACE, tag_lost=40),
            raced(PASS),
            {S3: Again(runs=40, hits=0)},
            [(S3, "fixed")],
            PASS,
            id="raced",
        ),
        pytest.param(
            raced(RACE, tag_lost=9),
            raced(UNSURE),
            {S3: Again(runs=9, hits=0)},
            [(S3, "could not look")],
            UNSURE,
            id="9 pairs are too few for fixed",
        ),
        pytest.param(
            raced(RACE, tag_lost=40, duplicated=1),
            raced(RACE, tag_lost=40),
            {},
            [("duplicated", "fixed"), (S3, "unchanged")],
            PASS,
            id="another race of the same rounds is the control",
        ),
        pytest.param(
            raced(RACE, tag_lost=5),
            raced(RACE, tag_lost=5),
            {},
            [(S3, "unchanged"), ("", "could not look")],
            UNSURE,
            id="5 hits say nothing of other anomalies",
        ),
        pytest.param(
            raced(RACE, tag_lost=5),
            raced(RACE, tag_lost=5, control=control(17)),
            {},
            [(S3, "unchanged")],
            PASS,
            id="5 hits, and a control of the same kind fired",
        ),
        pytest.param(
            raced(RACE, tag_lost=5),
            raced(RACE, tag_lost=5, control=control(99, kind=3)),
            {},
            [(S3, "unchanged"), ("", "could not look")],
            UNSURE,
            id="a control of the third kind alone is never a yes",
        ),
        pytest.param(raced(UNSURE), raced(UNSURE), {}, [("", "could not look")], UNSURE, id="control dead"),
        pytest.param(
            raced(PASS),
            raced(Verdict.NOT_APPLICABLE),
            {},
            [("", "not applicable")],
            UNSURE,
            id="alone, it is no yes",
        ),
        pytest.param(
            raced(Verdict.NOT_APPLICABLE),
            raced(RACE, tag_lost=40),
            {},
            [(S3, "not applicable")],
            UNSURE,
            id="the old one cannot",
        ),
        pytest.param(
            raced(PASS),
            raced(Verdict.FAILED),
            {},
            [("", "could not look")],
            Verdict.FAILED,
            id="the new one failed",
        ),
        pytest.param(
            raced(Verdict.FAILED),
            raced(RACE, tag_lost=40),
            {},
            [(S3, "could not look"), ("", "could not look")],
            Verdict.FAILED,
            id="the old one failed",
        ),
    ],
)
def test_compare(
    old: ScenarioResult,
    new: ScenarioResult,
    again: dict[str, Again],
    expected: list[tuple[str, str]],
    verdict: Verdict,
) -> None:
    found = compare(old, new, again, Rule())
    assert words(found) == expected
    assert gate_verdict(found) is verdict


def test_accepting_what_was_seen_does_not_vouch_for_the_rest() -> None:
    """One anomaly is shown and accepted; of the others the unfinished walk says nothing."""
    found = compare(steered(PASS), steered(RACE, is_exhaustive=False, tag_lost=1), {}, Rule())
    assert words(found) == [(S3, "could not look"), ("", "could not look")]
    accepted = [replace(f, accepted="known") if f.is_seen else f for f in found]
    assert gate_verdict(accepted) is UNSURE


@pytest.mark.parametrize(
    "spoiled",
    [
        {"rounds_lost": 1, "rounds_refused": 1},
        {"accepted": {"send.1": 9, "send.2": 0}},
        {"broken_serially": {"hang": 1}},
    ],
)
def test_rounds_that_a_race_can_hide_behind_are_never_fixed(spoiled: dict[str, object]) -> None:
    old, again = raced(RACE, tag_lost=60), {S3: Again(runs=60, hits=0)}
    new = replace(raced(RACE, duplicated=60), **spoiled)
    assert (S3, "fixed") in words(compare(old, raced(RACE, duplicated=60), again, Rule()))
    assert (S3, "could not look") in words(compare(old, new, again, Rule()))


def test_fixed_is_said_with_the_gates_confidence() -> None:
    """Any anomaly of any of 22 scenarios may be claimed, so each claim needs more pairs than one alone."""
    old, new = raced(RACE, tag_lost=39), raced(UNSURE)
    rule = Rule(verdicts=CLAIMS * 22)
    least = rule_pairs(of_each_anomaly(rule))
    for runs, change in ((least - 1, "could not look"), (least, "fixed")):
        assert (S3, change) in words(compare(old, new, {S3: Again(runs=runs, hits=0)}, rule))
    assert least > rule_pairs(Rule())


def test_strict_counts_what_is_unchanged() -> None:
    found = compare(steered(RACE, tag_lost=3), steered(RACE, tag_lost=4), {}, Rule())
    assert gate_verdict(found) is PASS
    assert gate_verdict(found, is_strict=True) is RACE


def test_strict_counts_what_only_the_new_version_can_show() -> None:
    found = compare(raced(Verdict.NOT_APPLICABLE), raced(RACE, tag_lost=40), {}, Rule())
    assert gate_verdict(found, is_strict=True) is RACE


def test_a_gate_over_nothing_is_no_yes() -> None:
    assert gate_verdict(()) is UNSURE


def test_new_is_graver_than_a_failure() -> None:
    new = compare(steered(PASS), steered(RACE, duplicated=1), {"duplicated": Again(runs=30, hits=0)}, Rule())
    failed = compare(raced(PASS), raced(Verdict.FAILED), {}, Rule())
    assert gate_verdict((*failed, *new)) is RACE


def test_reported_anomalies_are_no_change() -> None:
    found = compare(steered(PASS), steered(PASS, torn_read=3), {}, Rule())
    assert [f.change for f in found] == [Change.CLEAN]


def test_the_reason_names_the_numbers() -> None:
    (found,) = compare(
        steered(PASS),
        steered(RACE, classes=85, duplicated=2),
        {"duplicated": Again(runs=30, hits=0)},
        Rule(),
    )
    assert found.reason == "the old version did not show it in 30 runs of the same test."
    assert (found.old, found.new, found.is_seen) == ("0 of 9 classes", "2 of 85 classes", True)
