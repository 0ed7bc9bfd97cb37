"""A gate's page, annotations and CI files: below GitHub's limits, at the scenario's line, nothing escapes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mailrace.model.result import Rule, Verdict
from mailrace.report import to_json
from mailrace.studies.gate import Change, Finding, compare
from mailrace.studies.gate.compare import Again
from mailrace.studies.gate.document import (
    ANNOTATIONS_MAX,
    SUMMARY_BYTES_MAX,
    Gate,
    annotations,
    gate_markdown,
    write_gate,
)
from mailrace.studies.gate.finding import gate_verdict

from tests.studies.study_results import raced, run_of, steered


def gate_of(*findings: Finding, is_strict: bool = False) -> Gate:
    return Gate(
        mailrace="0.1.0",
        verdict=gate_verdict(findings, is_strict=is_strict),
        old="mailpit@1.27.11",
        new="mailpit@1.30.5",
        old_version="1.27.11",
        new_version="1.30.5",
        mode="steer",
        is_strict=is_strict,
        seed=7,
        command="mailrace gate",
        started="2026-11-23T14:00:00+00:00",
        environment={},
        findings=findings,
    )


def new_finding(file: str = "", scenario: str = "s", **more: str) -> Finding:
    return Finding(
        scenario=scenario,
        file=file,
        anomaly="tag_lost",
        change=Change.NEW,
        reason="the old version did not show it.",
        is_seen=True,
        **more,
    )


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    file = tmp_path / "scenarios" / "s.race.yaml"
    file.parent.mkdir()
    file.write_text("# a comment\n\nname: s\ntitle: t\n")
    return file


def test_an_annotation_stands_at_the_scenarios_line(tmp_path: Path, scenario_file: Path) -> None:
    found = annotations(gate_of(new_finding(str(scenario_file), replay="mailrace replay x")), tmp_path)
    assert found == [
        "::error file=scenarios/s.race.yaml,line=3,title=mailrace%3A s%3A tag_lost is new::"
        "mailpit@1.27.11 to mailpit@1.30.5: the old version did not show it.%0AAgain: mailrace replay x"
    ]


def test_what_was_not_looked_at_is_a_warning(tmp_path: Path) -> None:
    found = compare(raced(Verdict.PASS), raced(Verdict.INCONCLUSIVE), {}, Rule())
    (line,) = annotations(gate_of(*found), tmp_path)
    assert line.startswith("::warning title=mailrace%3A s%3A could not look::")


def test_no_command_can_be_smuggled_in(tmp_path: Path) -> None:
    evil = replace(
        new_finding(scenario="s\n::error::x,y=1"), reason="100%\r\n::set-output name=a::b\x1b\u202e"
    )
    (line,) = annotations(gate_of(evil), tmp_path)
    assert "\n" not in line
    assert "\r" not in line
    assert "100%25%0A" in line
    assert line.endswith(r"a::b\x1b\u202e")
    assert ",y=1" not in line


def test_at_most_ten_the_gravest_first(tmp_path: Path) -> None:
    unsure = [
        Finding(scenario=f"u{i}", file="", anomaly="", change=Change.COULD_NOT_LOOK, reason="r")
        for i in range(9)
    ]
    found = annotations(gate_of(*unsure, *[new_finding(scenario=f"n{i}") for i in range(6)]), tmp_path)
    assert len(found) == ANNOTATIONS_MAX
    assert [line.split(" ")[0] for line in found] == ["::error"] * 6 + ["::warning"] * 4
    assert found[-1] == "::warning title=mailrace::6 more in the job summary"


def test_what_passes_has_no_annotation(tmp_path: Path) -> None:
    unchanged = compare(steered(Verdict.RACE, tag_lost=1), steered(Verdict.RACE, tag_lost=1), {}, Rule())
    accepted = replace(new_finding(), accepted="known")
    assert annotations(gate_of(*unchanged, accepted), tmp_path) == []


def test_the_page_says_what_counts_and_how_to_see_it_again() -> None:
    finding = new_finding(proof="m1 was told 250", schedule="send.2@send.1:4", replay="mailrace replay x")
    page = gate_markdown(gate_of(finding))
    assert page.startswith("## mailrace gate: RACE\n")
    assert "| s | tag_lost | **new** |" in page
    assert "Schedule: `send.2@send.1:4`" in page
    assert "Again: `mailrace replay x`" in page


def test_the_page_stays_below_the_limit_and_says_what_it_left_out() -> None:
    long = [new_finding(scenario=f"s{i}", proof="x" * 1_900) for i in range(2_000)]
    wide = [replace(f, reason="é" * 1_000) for f in long]
    page = gate_markdown(gate_of(*wide)).encode()
    assert SUMMARY_BYTES_MAX - 10_000 < len(page) < 1_048_576
    assert page.decode().endswith("the whole is in gate.json.\n")


def test_markup_in_texts_stands_as_characters() -> None:
    page = gate_markdown(gate_of(replace(new_finding(), reason="<b>|`x`")))
    assert "\\<b\\>\\|\\`x\\`" in page


def test_all_files_are_written_with_the_gates_words(tmp_path: Path) -> None:
    findings = (
        *compare(steered(Verdict.RACE, tag_lost=1), steered(Verdict.RACE, tag_lost=1), {}, Rule()),
        *compare(
            steered(Verdict.PASS, name="t"),
            steered(Verdict.RACE, name="t", duplicated=1),
            {"duplicated": Again(runs=30, hits=0)},
            Rule(),
        ),
    )
    new = run_of(
        steered(Verdict.RACE, tag_lost=1),
        steered(Verdict.RACE, name="t", duplicated=1),
        steered(Verdict.PASS, name="u"),
    )
    gate = gate_of(*findings)
    files = write_gate(gate, new, tmp_path)
    assert [file.name for file in files] == ["gate.json", "gate.md", "junit.xml", "ctrf.json"]
    document = json.loads(files[0].read_text())
    assert [f["change"] for f in document["findings"]] == ["unchanged", "new"]
    assert files[0].read_text() == to_json(gate)
    tests = json.loads(files[3].read_text())["results"]["tests"]
    # What is unchanged passes; what no finding speaks of was not looked at.
    assert [t["status"] for t in tests] == ["passed", "failed", "other"]
