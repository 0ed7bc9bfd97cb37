"""The baseline file: what it accepts, until when, and every mistake at its line."""

from datetime import date
from pathlib import Path

import pytest
from mailrace.model.errors import ScenarioError, UsageError
from mailrace.model.result import Rule, Verdict
from mailrace.studies.gate import compare
from mailrace.studies.gate.baseline import Accepted, apply_baseline, baseline_text, load_baseline
from mailrace.studies.gate.compare import Again
from mailrace.studies.gate.finding import gate_verdict

from tests.studies.study_results import steered

TODAY = date(2026, 11, 23)
KNOWN = Accepted(scenario="s", anomaly="tag_lost", reason="we never delete")
NEW = compare(
    steered(Verdict.PASS),
    steered(Verdict.RACE, tag_lost=3),
    {"tag_lost": Again(runs=30, hits=0)},
    Rule(),
)


def written(folder: Path, text: str) -> Path:
    file = folder / "baseline.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_is_accepted_does_not_count() -> None:
    found, said = apply_baseline(NEW, [KNOWN], TODAY, ["s"])
    assert gate_verdict(NEW) is Verdict.RACE
    assert gate_verdict(found) is Verdict.PASS
    assert gate_verdict(found, is_strict=True) is Verdict.PASS
    assert (found[0].accepted, said) == ("we never delete", ())


@pytest.mark.parametrize(("until", "verdict"), [(TODAY, Verdict.PASS), (date(2026, 11, 22), Verdict.RACE)])
def test_after_its_date_it_counts_again(until: date, verdict: Verdict) -> None:
    entry = Accepted(scenario="s", anomaly="tag_lost", reason="x", until=until)
    found, said = apply_baseline(NEW, [entry], TODAY, ["s"])
    assert gate_verdict(found) is verdict
    assert bool(said) == (verdict is Verdict.RACE)


def test_what_is_no_longer_seen_is_said() -> None:
    clean = compare(steered(Verdict.RACE, tag_lost=3), steered(Verdict.PASS), {}, Rule())
    _, said = apply_baseline(clean, [KNOWN], TODAY, ["s"])
    assert said == ("s: tag_lost is accepted and was not seen; if it is gone for good, remove its entry",)


def test_of_a_scenario_that_was_not_run_nothing_is_said() -> None:
    other = Accepted(scenario="t", anomaly="tag_lost", reason="x")
    assert apply_baseline(NEW, [other], TODAY, ["s"]) == (NEW, ())


def test_what_could_not_be_looked_at_cannot_be_accepted() -> None:
    unlooked = compare(steered(Verdict.PASS), steered(Verdict.INCONCLUSIVE), {}, Rule())
    found, _ = apply_baseline(unlooked, [KNOWN], TODAY, ["s"])
    assert gate_verdict(found) is Verdict.INCONCLUSIVE


def test_what_is_written_is_read_back_and_accepts_it_all(tmp_path: Path) -> None:
    accepted = load_baseline(written(tmp_path, baseline_text(NEW, (), TODAY)))
    found, said = apply_baseline(NEW, accepted, TODAY, ["s"])
    assert gate_verdict(found) is Verdict.PASS
    assert said == ()


def test_writing_again_keeps_the_users_words(tmp_path: Path) -> None:
    entry = Accepted(scenario="s", anomaly="tag_lost", reason='it\'s "known": é', until=date(2027, 1, 1))
    assert load_baseline(written(tmp_path, baseline_text(NEW, [entry], TODAY))) == (entry,)


def test_an_empty_one_is_right(tmp_path: Path) -> None:
    assert load_baseline(written(tmp_path, baseline_text((), (), TODAY))) == ()


def test_json_is_read_as_well(tmp_path: Path) -> None:
    text = '{"accept": [{"scenario": "s", "anomaly": "tag_lost", "reason": "we never delete"}]}'
    assert load_baseline(written(tmp_path, text)) == (KNOWN,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "accepted: []\n",
            "1:1: accept: is missing; give a list\n1:1: accepted: unknown key; did you mean accept?",
        ),
        (
            "accept:\n  - tag_lost\n",
            '2:5: accept.0: "tag_lost" is text; give a mapping with scenario, anomaly, reason',
        ),
        (
            "accept:\n  - scenario: s\n    anomaly: tag_lots\n    reason: x\n",
            '3:5: accept.0.anomaly: "tag_lots" is no anomaly; did you mean tag_lost?',
        ),
        ("accept:\n  - scenario: s\n    anomaly: tag_lost\n", "2:5: accept.0.reason: is missing; give text"),
        (
            "accept:\n  - scenario: s\n    anomaly: tag_lost\n    reason: ''\n",
            '4:5: accept.0.reason: "" is no text; say it in words',
        ),
        (
            "accept:\n  - scenario: s\n    anomaly: tag_lost\n    reason: x\n    untli: 2027-01-01\n",
            "5:5: accept.0.untli: unknown key; did you mean until?",
        ),
        (
            "accept:\n  - scenario: s\n    anomaly: tag_lost\n    reason: x\n    until: soon\n",
            '5:5: accept.0.until: "soon" is text; give a date such as 2027-06-30',
        ),
        (
            "accept:\n" + "  - {scenario: s, anomaly: tag_lost, reason: x}\n" * 2,
            "3:5: accept.1: s tag_lost is accepted above; remove one",
        ),
    ],
)
def test_each_mistake_has_its_line(tmp_path: Path, text: str, expected: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ScenarioError) as wrong:
        load_baseline(file)
    assert str(wrong.value).splitlines() == [f"{file}:{line}" for line in expected.splitlines()]


def test_a_missing_file_has_a_next_step(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--write-baseline"):
        load_baseline(tmp_path / "none.yaml")
