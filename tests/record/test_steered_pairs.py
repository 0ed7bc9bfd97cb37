"""What is said of an overlap that occurred: from a survey, from its version's cache, else by steering."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import pytest
from mailrace.model.errors import UsageError
from mailrace.model.survey import PairVerdict, SurveyedPair
from mailrace.model.target_name import parse_target
from mailrace.record.as_scenario import ACTORS, as_scenario, name_of
from mailrace.record.findings import Findings, findings_of
from mailrace.record.overlaps import Shape
from mailrace.scenario import load
from mailrace.studies.pairs import steer_overlaps, steered_before, steered_run
from mailrace.studies.survey.relations import pairs
from mailrace.studies.survey.whole import Asked, survey
from mailrace.studies.surveyed import keep_survey, known_of

from tests.record.traffic import BEGUN, op, send, suite

pytestmark = pytest.mark.slow

V = PairVerdict
OLD = parse_target("mailpit@1.30.5")


def found() -> Findings:
    """A tagged mail that was sent while a message with its tag was deleted, twice."""
    operations = [send(1, "old", tags=("t",))]
    for at_ms in (20, 30):
        operations += [
            send(at_ms, f"m{at_ms}", tags=("t",)),
            op("delete", at_ms + 0.5, connection=2, ids=("ID-old",), code=200),
        ]
    return findings_of(suite(operations, held=["m20", "m30"], begun=replace(BEGUN, version="1.30.5")))


Told = dict[str, tuple[PairVerdict, str]]


def surveyed(told: Told, missing: str = "") -> list[SurveyedPair]:
    """A survey of send and delete in all their forms: PASS, but for relations that are told otherwise."""
    found = []
    for one in pairs():
        if {one.a.kind, one.b.kind} == {"send", "delete"} and missing not in {one.a.name, one.b.name}:
            verdict, cause = told.get(one.relation, (V.PASS, ""))
            found.append(
                SurveyedPair(
                    a=one.a.name,
                    b=one.b.name,
                    kinds=(one.a.kind, one.b.kind),
                    relation=one.relation,
                    verdict=verdict,
                    why="w",
                    causes=(cause,) if cause else (),
                )
            )
    return found


LAST, ONE_OF = "the tag's last holder", "one of the tag's holders"


@pytest.mark.parametrize(
    ("told", "missing", "relation", "expected"),
    [
        ({}, "", "the same tag", "PASS"),
        ({}, "delete two", "the same tag", None),
        ({ONE_OF: (V.INDEPENDENT, "")}, "", "the same tag", "PASS"),
        ({LAST: (V.RACE, "tag_lost/a")}, "", "the same tag", "RACE tag_lost"),
        ({LAST: (V.SAME_CAUSE, "x/y")}, "delete two", "the same tag", "RACE x"),
        ({ONE_OF: (V.INCONCLUSIVE, "")}, "", "the same tag", None),
        ({"nothing in common": (V.RACE, "x/y")}, "", "the same tag", "PASS"),
        ({"nothing in common": (V.RACE, "x/y")}, "", "other messages", "RACE x"),
        ({}, "", "other messages, tagged", None),
    ],
)
def test_a_survey_tells_a_race_where_one_relation_may_and_a_pass_where_all_passed(
    told: Told, missing: str, relation: str, expected: str | None
) -> None:
    assert known_of([], "delete", "send", relation) is None
    known = known_of(surveyed(told, missing), "delete", "send", relation)
    if expected is None:
        assert known is None
    else:
        assert known is not None
        assert f"{known.verdict} {known.why}".startswith(expected)


def two_sends(version: str) -> Findings:
    """Two mails with one tag at the same time, and two without one."""
    operations = [send(at, f"m{at}", tags=("t",) if at < 5 else ()) for at in (1, 1.5, 20, 20.5)]
    return findings_of(suite(operations, begun=replace(BEGUN, version=version)))


@pytest.mark.slow
def test_a_survey_that_was_made_tells_of_a_record_beside_it_and_from_the_cache(
    cache: Path, tmp_path: Path
) -> None:
    """What it does not tell is steered, and what there is no time for is not called anything."""
    old, record = parse_target("embedded@1.17.0"), tmp_path / "reports" / "record"
    record.mkdir(parents=True)
    made = survey(Asked(target=old, only=("send",)), tmp_path / "reports" / "survey")
    assert (made.is_whole, cache.parent.exists()) == (True, False)
    said: list[str] = []
    looked = {
        one.relation: one
        for one in steer_overlaps(two_sends("1.17.0"), old, record, 60.0, said.append).overlaps
    }
    assert (looked["the same tag"].verdict, looked["the same tag"].why) == ("RACE", "rejected_but_stored")
    # Whether a mail by REST does the same was not surveyed, so nothing is concluded from the one by SMTP.
    assert said == ["steering send beside send, other messages"]
    assert looked["other messages"].verdict == "PASS"

    # Of a real version it is told wherever the next recording is made.
    keep_survey(replace(made, target=replace(made.target, name=OLD.text)))
    (tmp_path / "elsewhere").mkdir()
    later = steer_overlaps(two_sends("1.30.5"), OLD, tmp_path / "elsewhere", 0.0, said.append)
    assert {one.relation: one.verdict for one in later.overlaps} == {
        "the same tag": "RACE",
        "other messages": "",
    }
    keep_survey(replace(made, target=replace(made.target, name=OLD.text), pairs=()))
    assert steer_overlaps(two_sends("1.30.5"), OLD, tmp_path / "elsewhere", 0.0, said.append) == later
    other = json.loads((cache.parent / "surveyed" / "1.30.5.json").read_text()) | {"mailrace": "another"}
    (cache.parent / "surveyed" / "1.30.5.json").write_text(json.dumps(other))
    none = steer_overlaps(two_sends("1.30.5"), OLD, tmp_path / "elsewhere", 0.0, said.append)
    assert {one.verdict for one in none.overlaps} == {""}


RELATIONS = ("the same message", "the same tag", "other messages, tagged", "other messages")


def shapes() -> Iterator[Shape]:
    """Every kind of overlap that traffic can show of what actors do."""
    for first, second in combinations_with_replacement(sorted(ACTORS), 2):
        if "delete_all" in (first, second):
            yield Shape(first, second, "everything")
        else:
            yield from (Shape(first, second, relation) for relation in RELATIONS)
    yield Shape("send", "send", "the same Message-ID")


def test_every_kind_of_overlap_of_what_actors_do_is_a_scenario_as_it_is(tmp_path: Path) -> None:
    files = {f"{name_of(shape)}.race.yaml": as_scenario(shape) for shape in shapes()}
    assert len(files) == len([*shapes()])
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        assert load(tmp_path / name).name == name.removesuffix(".race.yaml")
    assert as_scenario(Shape("list", "send", "other messages")) == ""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own."""
    monkeypatch.setenv("MAILRACE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "steered"


def test_without_time_each_overlap_is_a_scenario_and_is_not_called_anything(
    cache: Path, tmp_path: Path
) -> None:
    looked = steer_overlaps(found(), OLD, tmp_path, 0.0, print)
    assert [one.verdict for one in looked.overlaps] == [""] * len(looked.overlaps)
    files = [one.file for one in looked.overlaps if one.file]
    assert files
    for file in files:
        load(tmp_path / "scenarios" / file)
    with pytest.raises(UsageError, match="no overlap was steered to a race; to do so: mailrace steer"):
        steered_run(tmp_path)
    assert not cache.exists()


@pytest.mark.mailpit
def test_a_steered_overlap_is_known_the_next_time_and_elsewhere_and_is_what_a_bundle_takes(
    real_mailpit: Callable[[str], str], cache: Path, tmp_path: Path
) -> None:
    real_mailpit("1.30.5")
    said: list[str] = []
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    looked = steer_overlaps(found(), OLD, first, 60.0, said.append)
    (race,) = [one for one in looked.overlaps if one.verdict == "RACE"]
    assert "rejected_but_stored" in race.why or "tag_lost" in race.why
    (first / "record.json").write_text(looked.as_json())
    assert (steered_run(first) / "run.json").is_file()
    assert steered_before(found(), first) == looked

    told = len(said)
    again = steer_overlaps(found(), OLD, second, 60.0, said.append)
    assert [(o.verdict, o.why) for o in again.overlaps] == [(o.verdict, o.why) for o in looked.overlaps]
    assert len(said) == told  # nothing was steered a second time
    (second / "record.json").write_text(again.as_json())
    with pytest.raises(UsageError, match=r"known to race, .* mailrace steer \S+yaml --target mailpit@1.30.5"):
        steered_run(second)
    elsewhere = steer_overlaps(found(), parse_target("mailpit@1.27.11"), second, 0.0, said.append)
    assert [one.elsewhere for one in elsewhere.overlaps if one.elsewhere] == [(f"1.30.5: {race.why}",)]

    (file,) = cache.iterdir()
    file.write_text(json.dumps({"mailrace": "another", "steered": {}}))
    other = steer_overlaps(found(), OLD, second, 0.0, said.append)
    assert [one.verdict for one in other.overlaps] == [""] * len(other.overlaps)
