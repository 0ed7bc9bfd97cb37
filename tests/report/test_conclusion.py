"""The conclusion of a command and its catalogue: all is counted, explained once, and nothing is guessed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.catalogue import LOOKED, RACES, Race, races_behind
from mailrace.model.cause import Cause, KeptTogether, Repair
from mailrace.model.consequences import CONSEQUENCES, Harm, consequence, in_order
from mailrace.model.operation import Operation
from mailrace.model.result import RunResult, Verdict
from mailrace.report.causes import cause_words, repairs_words
from mailrace.report.conclusion import conclusion
from mailrace.report.races import races_markdown
from mailrace.report.words import grouped, names_words
from mailrace.scenario import Plan, find, load, new_run

from tests.report.report_results import native, steered

ROOT = Path(__file__).parent.parent.parent


def of(verdicts: dict[str, Verdict], **changed: object) -> RunResult:
    """A run whose scenarios have these names and verdicts, otherwise like the typed-in one."""
    run = native(hits=6)
    (one,) = run.scenarios
    scenarios = [
        replace(one, name=name, file="", verdict=verdict, anomalies={}, witnesses=(), **changed)
        for name, verdict in verdicts.items()
    ]
    return replace(run, scenarios=tuple(scenarios))


def test_the_page_of_races_is_what_the_table_says() -> None:
    page = (ROOT / "docs" / "races.md").read_text(encoding="utf-8")
    assert page == races_markdown(), "run: python -m mailrace.report.races > docs/races.md"


def test_every_anomaly_has_its_consequence_for_a_user() -> None:
    assert list(AnomalyName) == sorted(CONSEQUENCES, key=list(AnomalyName).index)
    for known in CONSEQUENCES.values():
        assert known.meaning.endswith(".")
        assert known.remedy.endswith(".")


def test_every_race_names_a_shipped_scenario_and_versions_in_order() -> None:
    for race in RACES:
        assert not race.scenario or find([race.scenario])
        assert bool(race.scenario) is not bool(race.setup), race.number
        assert race.is_in("0.0.1") is (not race.first)
        assert race.is_in("99.0.0") is (False if race.fixed else None), "of newer ones nothing is known"
        assert race.is_in("dev") is None


@pytest.mark.parametrize(
    ("name", "version", "numbers"),
    [
        ("rejected_but_stored", "1.17.0", ["S1"]),
        ("rejected_but_stored", "1.17.1", ["S12"]),
        ("rejected_but_stored", "1.27.11", ["S12"]),
        ("rejected_but_stored", "1.30.5", ["S2"]),
        ("rejected_but_stored", "v1.33.1", ["S2"]),
        ("rejected_but_stored", "1.99.0", ["S2"]),
        ("rejected_but_stored", "dev", ["S1", "S2"]),
        ("hang", "1.30.6", ["S4", "S5"]),
        ("hang", "1.18.5", ["S4"]),
        ("hang", "1.30.7", []),
        ("hang", "1.15.9", []),
        ("envelope_leaked", "1.28.3", []),
        ("envelope_leaked", "1.28.4", ["S11"]),
        ("accepted_but_missing", "1.30.5", []),
        ("no_such_anomaly", "1.30.5", []),
    ],
)
def test_which_known_races_can_be_behind_an_anomaly(name: str, version: str, numbers: list[str]) -> None:
    assert [race.number for race in races_behind(name, version)] == numbers


def test_an_anomaly_is_explained_once_however_many_scenarios_show_it() -> None:
    run = native(hits=6)
    (one,) = run.scenarios
    many = tuple(replace(one, name=f"scenario-{number}") for number in range(22))
    told = conclusion(replace(run, scenarios=many))
    (explained,) = told.explained
    assert explained.seen == "132 times in scenario-0, scenario-1, scenario-2 and 19 more"
    assert explained.known == (
        "It looks like race S1, from 1.12.0 on, mended in 1.17.1. That one needs two or more mails that ask "
        "for one tag which does not exist yet, by X-Tags, by plus-address, or in upper and lower case.",
    )
    assert explained.remedy.startswith("Use 1.17.1 or newer. Until then: ")
    assert told.counted == ("Of 22 scenarios, 22 are RACE (scenario-0, scenario-1, scenario-2 and 19 more).",)


def test_a_race_that_was_mended_is_offered_the_version_that_mends_it() -> None:
    commands = {one.purpose: one.text for one in conclusion(native(hits=6)).commands}
    assert commands["To see whether 1.17.1 mends it"] == (
        "mailrace replay reports/latest/run.json --round 0 --target mailpit@1.17.1"
    )
    still_there = [one.purpose for one in conclusion(steered()).commands]
    assert not any("mends" in purpose for purpose in still_there)
    assert "To report it" in still_there


def test_an_anomaly_that_the_catalogue_does_not_know_on_that_version_may_be_new() -> None:
    run = native(hits=6)
    info = replace(run.target, version="1.20.0")
    (one,) = run.scenarios
    unknown = replace(one, anomalies={"accepted_but_missing": 2})
    (explained,) = conclusion(replace(run, target=info, scenarios=(unknown,))).explained
    assert explained.known == (
        "The catalogue knows no race that shows this in such rounds on that version: it may be a new one.",
    )


def test_a_version_that_is_none_makes_no_claim() -> None:
    run = native(hits=6)
    told = conclusion(replace(run, target=replace(run.target, version="dev")))
    assert all(known.startswith("It may be race ") for one in told.explained for known in one.known)


def test_what_is_counted_and_fails_nothing_is_said_as_such() -> None:
    run = native(hits=0)
    (one,) = run.scenarios
    read = replace(one, anomalies={"torn_read": 9}, verdict=Verdict.PASS)
    (explained,) = conclusion(replace(run, scenarios=(read,))).explained
    assert "makes no run a RACE" in explained.seen
    assert explained.known == ()


@pytest.mark.parametrize(
    ("verdicts", "counted", "command"),
    [
        (
            {"a": Verdict.PASS, "b": Verdict.INCONCLUSIVE, "c": Verdict.PASS},
            "Of 3 scenarios, 1 is INCONCLUSIVE (b) and 2 are PASS.",
            "mailrace steer b --target mailpit@1.17.0",
        ),
        (
            {"a": Verdict.FAILED, "b": Verdict.INCONCLUSIVE},
            "Of 2 scenarios, 1 is FAILED (a) and 1 is INCONCLUSIVE (b).",
            "mailrace doctor",
        ),
        (
            {"a": Verdict.NOT_APPLICABLE, "b": Verdict.NOT_APPLICABLE},
            "Of 2 scenarios, 2 are NOT APPLICABLE (a and b).",
            None,
        ),
    ],
)
def test_what_was_seen_is_counted_the_gravest_first(
    verdicts: dict[str, Verdict], counted: str, command: str | None
) -> None:
    told = conclusion(of(verdicts))
    assert told.counted[0] == counted
    assert [one.text for one in told.commands] == ([command] if command else [])


def test_lost_rounds_are_one_sentence() -> None:
    told = conclusion(of({"a": Verdict.PASS, "b": Verdict.PASS}, rounds_lost=7))
    assert told.counted[1:] == ("14 rounds could not be exercised, in a and b.",)
    told = conclusion(of({"a": Verdict.PASS}, rounds_lost=7, rounds_dropped=7))
    assert told.counted[1:] == ("7 rounds could not be exercised because of mailrace or its machine, in a.",)
    told = conclusion(of({"a": Verdict.PASS}, rounds_lost=7, rounds_dropped=5, rounds_refused=2))
    assert told.counted[1:] == (
        "7 rounds could not be exercised (5 because of mailrace or its machine and 2 because of the server, "
        "which rules out PASS), in a.",
    )


def test_what_is_broken_one_after_the_other_as_well_is_no_race() -> None:
    run = native(hits=6)
    (one,) = run.scenarios
    broken = replace(one, verdict=Verdict.INCONCLUSIVE, broken_serially={"rejected_but_stored": 6})
    told = conclusion(replace(run, scenarios=(broken,)))
    assert told.explained == ()
    assert told.counted[1] == (
        "rejected_but_stored is broken in shared-new-tag when the operations run one after the other as "
        "well: a broken promise or a setting of the server, not a race."
    )


def test_the_worst_anomaly_comes_first_and_an_unknown_one_last() -> None:
    assert in_order(["new_one", "tag_ghost", "hang", "tag_ghost", "accepted_but_missing"]) == [
        "accepted_but_missing",
        "hang",
        "tag_ghost",
        "new_one",
    ]
    assert "new_one" in consequence("new_one").meaning


def test_one_sentence_of_many_scenarios_is_said_once() -> None:
    said = grouped([("a", "x"), ("b", "y"), ("c", "x"), ("a", "x")])
    assert said == [("a and c", "x"), ("b", "y")]
    assert names_words(["a", "b", "c", "d"]) == "a, b, c and d"
    assert names_words("abcde") == "a, b, c and 2 more"


def test_the_versions_that_were_looked_at_are_in_order() -> None:
    numbers = [tuple(int(part) for part in version.split(".")) for version in LOOKED]
    assert numbers == sorted(numbers)


def operations(name: str) -> tuple[Operation, ...]:
    (path,) = find([name])
    return Plan(load(path), 1, new_run(b"conclusion")).round(0).operations


@pytest.mark.parametrize("race", [race for race in RACES if race.scenario], ids=lambda race: race.number)
def test_the_scenario_of_a_race_can_bring_it_about(race: Race) -> None:
    assert race.together(operations(race.scenario))


@pytest.mark.parametrize(
    ("name", "scenario", "version", "numbers"),
    [
        ("rejected_but_stored", "tag-case-variants", "1.17.0", ["S1"]),
        ("rejected_but_stored", "plus-address-tag", "1.17.0", ["S1"]),
        ("rejected_but_stored", "two-instances-shared-new-tag", "1.27.11", ["S12"]),
        ("rejected_but_stored", "distinct-tags", "1.17.0", []),
        ("rejected_but_stored", "shared-new-tag", "1.30.5", []),
        ("duplicated", "same-message-id-large", "1.30.5", ["S6"]),
        ("duplicated", "shared-new-tag", "1.30.5", []),
        ("tag_lost", "send-retag-unrelated", "1.33.1", ["S3"]),
        ("tag_lost", "shared-new-tag", "1.17.0", []),
        ("hang", "overlapping-deletions", "1.30.5", ["S4"]),
        ("hang", "pop3-delete-beside-delete", "1.30.5", ["S5"]),
        ("hang", "shared-new-tag", "1.30.5", []),
        ("envelope_leaked", "distinct-tags", "1.30.5", []),
        ("tag_duplicated", "two-tag-sets", "1.27.11", ["S7"]),
        ("tag_duplicated", "shared-known-tag", "1.27.11", []),
    ],
)
def test_a_race_is_named_only_where_the_rounds_could_bring_it_about(
    name: str, scenario: str, version: str, numbers: list[str]
) -> None:
    assert [race.number for race in races_behind(name, version, operations(scenario))] == numbers


RUN = KeptTogether(operation="send", first="SELECT 1", last="INSERT 2", steps=3)
MENDED = Repair(kept=(RUN,), schedules=6, bad=0)
USELESS = Repair(kept=(RUN,), schedules=6, bad=2)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (
            {"schedules": 20, "bad": 9, "repair": (MENDED,)},
            [
                "were kept together, 0 of 6 schedules would be bad (today 9 of 20); "
                "that was counted in the graph of its schedules, and they were not run"
            ],
        ),
        (
            {"schedules": 20, "bad": 9, "repair": (replace(MENDED, verified=""),)},
            ["(today 9 of 20); they were run again that way, and none was bad"],
        ),
        (
            {"schedules": 20, "bad": 9, "repair": (replace(MENDED, verified="not all were run"),)},
            ["(today 9 of 20) (not all were run)"],
        ),
        (
            {"schedules": 20, "bad": 9, "no_help": (USELESS,)},
            [
                "No repair was found: no run",
                "only all of send together does not help: 2 of 6 schedules would",
            ],
        ),
        (
            {"schedules": 20, "bad": 9, "is_cut": True},
            ["No repair was found: no run", "ended before every run of statements was tried"],
        ),
        (
            {"schedules": 20, "bad": 20},
            ["Keeping statements together cannot mend it: all 20 schedules are bad"],
        ),
        ({}, ["No repair was looked for: not every one of its schedules is known"]),
    ],
)
def test_of_each_cause_it_is_said_what_would_mend_it_and_how_that_is_known(
    known: dict[str, Any], said: list[str]
) -> None:
    cause = Cause(name="n", harm=Harm.DATA, anomalies=("tag_lost",), operations=("send",), **known)
    told = repairs_words(cause)
    assert len(told) == len(said)
    for line, part in zip(told, said, strict=True):
        assert part in line


def test_however_long_its_statements_are_a_cause_says_what_its_repair_leaves() -> None:
    long = replace(RUN, first=f"SELECT {'x' * 300}", last=f"INSERT {'x' * 300}")
    mended = Repair(kept=(long, long), schedules=6, bad=0)
    cause = Cause(name="n", harm=Harm.DATA, anomalies=("tag_lost",), operations=("send",), repair=(mended,))
    said = cause_words(replace(cause, schedules=20, bad=9), ["a-scenario"])
    assert "each kept together, 0 of 6 schedules would be bad (today 9 of 20)" in said
