"""Three operations at a time in a survey: which are looked at, what is said of them, and how it goes on."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from mailrace.cli.survey import _status
from mailrace.model.cause import Cause
from mailrace.model.consequences import Harm
from mailrace.model.survey import Survey, SurveyedTriple, TripleVerdict
from mailrace.model.target import TargetInfo
from mailrace.report import to_json
from mailrace.report.survey import lines_of, survey_from_json, survey_page
from mailrace.scenario.load import scenario_from
from mailrace.steer.three import Three
from mailrace.studies.survey.document import survey_of
from mailrace.studies.survey.relations import chosen, pairs
from mailrace.studies.survey.state import STATE, FoundTriple, Header, State
from mailrace.studies.survey.three import judged_triple, three_actors
from mailrace.studies.survey.triples import Triple, triples, worth_looking_at
from mailrace.studies.survey.whole import Asked, survey
from mailrace.targets import parse_target

pytestmark = pytest.mark.slow


def test_each_triple_is_a_scenario_of_its_own(tmp_path: Path) -> None:
    every = list(triples())
    assert len({t.scenario["name"] for t in every}) == len(every)
    for triple in every[:: len(every) // 40]:
        assert len(scenario_from(triple.scenario, tmp_path).actors) == 3
    assert not any(sum(o.only_reads for o in t.operations) > 1 for t in every)


RENAMING = ("rename tag",) * 3


def of(*names: str) -> list[Triple]:
    return [t for t in triples() if tuple(o.name for o in t.operations) == names]


def test_where_one_shares_nothing_with_the_others_the_pair_shows_all() -> None:
    every = [*of("send", "delete", "list"), *of("send", "delete", "set tags"), *of("send", "send", "delete")]
    conflicts = {
        ("send", "delete"): 9,
        ("send", "send"): 4,
        ("delete", "set tags"): 3,
        ("send", "set tags"): 0,
    }
    found, apart = worth_looking_at(every, (), conflicts)
    # All three share something: first. Two and two: after them. Two only: not at all.
    names = [tuple(o.name for o in t.operations) for t in found]
    assert names == [("send", "send", "delete")] * len(of("send", "send", "delete")) + [
        ("send", "delete", "set tags")
    ] * len(of("send", "delete", "set tags"))
    assert apart == len(of("send", "delete", "list"))
    only, _ = worth_looking_at(every, ("send", "delete"), conflicts)
    assert {tuple(o.name for o in t.operations) for t in only} == {("send", "send", "delete")}


def said(triple: Triple, verdict: TripleVerdict = TripleVerdict.BY_THREE) -> SurveyedTriple:
    a, b, c = (one.name for one in triple.operations)
    kind = "rename_tag"
    return SurveyedTriple(
        operations=(a, b, c), kinds=(kind, kind, kind), relation=triple.relation, verdict=verdict, why="x."
    )


LOST = Cause(
    name="tag_lost/x", harm=Harm.DATA, anomalies=("tag_lost",), operations=("send",), fate="three servers"
)


def document(tmp_path: Path, *found: FoundTriple, wanted: list[Triple]) -> Survey:
    state = State(tmp_path, Header(target="embedded", version="fixed", pairs=()))
    for one in found:
        state.add_triple(one)
    again = State(tmp_path, Header(target="embedded", version="fixed", pairs=()))
    assert again.triples == state.triples
    few = chosen(pairs(), ("rename tag",))
    whole = survey_of(state, few, TargetInfo.unknown("embedded"), is_whole=True)
    return replace(whole, three=three_actors(again, wanted, apart=2))


def test_a_cause_of_three_stands_apart_from_those_of_pairs(tmp_path: Path) -> None:
    one, two, left = of("send", "send", "rename tag")[:3]
    shown = replace(LOST, fate="realised")
    found = document(
        tmp_path,
        FoundTriple(triple=said(one), causes=(LOST,)),
        FoundTriple(triple=said(two), causes=(shown,)),
        wanted=[one, two, left],
    )
    assert found.causes == ()
    assert found.three is not None
    (cause,) = found.three.causes
    # What one server was brought into says more than what three did.
    assert (cause.fate, cause.shown_by, cause.pairs) == ("realised", two.name, (one.name, two.name))
    assert (found.three.left, found.three.apart) == (1, 2)
    assert survey_from_json(to_json(found)) == found
    lines = list(lines_of(found))
    told = "Three actors at a time: 1 cause that no pair shows in 2 triples of operations (2 BY THREE)"
    assert f"{told}; 1 more not looked at." in lines
    page = survey_page(found)
    assert one.relation in page
    assert "tag_lost/x" in page


@pytest.mark.parametrize(("fate", "status"), [("realised", 1), ("three servers", 3)])
def test_only_what_one_server_did_ends_with_status_1(tmp_path: Path, fate: str, status: int) -> None:
    one = of(*RENAMING)[0]
    cause = replace(LOST, fate=fate)
    found = document(tmp_path, FoundTriple(triple=said(one), causes=(cause,)), wanted=[one])
    # Its pairs were not looked at, so without a cause of one server the word is not 0 either.
    assert _status(found, Harm.DATA) == status


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(TripleVerdict.PASS, 0), (TripleVerdict.AS_PAIRS, 0), (TripleVerdict.PREDICTED, 3)],
)
def test_what_is_predicted_is_not_decided(tmp_path: Path, verdict: TripleVerdict, status: int) -> None:
    one, two = of(*RENAMING)[0], of("send", "send", "rename tag")[0]
    found = document(tmp_path, FoundTriple(triple=said(one, verdict)), wanted=[one])
    assert _status(replace(found, pairs=()), Harm.REPLY) == status
    left = document(tmp_path, wanted=[one, two])
    assert _status(replace(left, pairs=()), Harm.REPLY) == 3


@pytest.mark.parametrize(
    ("is_told_from_pairs", "doubt", "verdict", "why"),
    [
        (True, "", TripleVerdict.AS_PAIRS, "1 of them by three at a time; two of the three break the same."),
        (
            True,
            "1 was not run",
            TripleVerdict.INCONCLUSIVE,
            "two of the three break the same; 1 was not run.",
        ),
        (False, "cut", TripleVerdict.INCONCLUSIVE, "1 bad; it is not known whether two of the three"),
    ],
)
def test_as_pairs_is_said_only_where_all_was_looked_at(
    is_told_from_pairs: bool, doubt: str, verdict: TripleVerdict, why: str
) -> None:
    one = of(*RENAMING)[0]
    looked = SimpleNamespace(
        schedules=(9, 3),
        doubt=doubt,
        refused=(),
        bad=(SimpleNamespace(is_by_three=True),),
        run=4,
        outcomes=5,
        asked=0,
        is_told_from_pairs=is_told_from_pairs,
        space=SimpleNamespace(graph=SimpleNamespace(nodes=7)),
    )
    found = judged_triple(said(one), one, cast(Three, looked), [], [])
    assert found.verdict is verdict
    assert why in found.why


def test_what_is_predicted_is_said_to_be_so_and_never_exhaustive(tmp_path: Path) -> None:
    one = of(*RENAMING)[0]
    found = document(tmp_path, FoundTriple(triple=said(one, TripleVerdict.PREDICTED)), wanted=[one])
    told = "\n".join(lines_of(found))
    assert "no cause that no pair shows in 1 triple of operations (1 PREDICTED)" in told
    assert "exhaustive" not in told


@pytest.mark.slow
def test_a_survey_of_pairs_goes_on_with_three_and_asks_no_server_twice(tmp_path: Path) -> None:
    """Three renamings of one tag: what they break, two of them break as well."""
    asked = Asked(target=parse_target("embedded@1.33.1"), only=("rename tag",))
    none = survey(replace(asked, actors=3, three_s_max=0.0), tmp_path)
    assert none.three is not None
    assert (none.three.triples, none.three.left) == ((), len(of(*RENAMING)))
    found = survey(replace(asked, actors=3), tmp_path)
    assert found.three is not None
    assert (found.three.left, found.three.causes) == (0, ())
    assert len(found.three.triples) == len(of(*RENAMING))
    for triple in found.three.triples:
        assert triple.verdict is TripleVerdict.AS_PAIRS
        assert triple.outcomes > 0
        assert 0 < triple.bad < triple.schedules
    before = (tmp_path / STATE).read_bytes()
    again = survey(replace(asked, actors=3), tmp_path)
    assert (tmp_path / STATE).read_bytes() == before
    assert again.three == found.three
