"""A survey's causes typed in: what it says of them, of two versions, and of a text that is no survey."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.cause import Cause
from mailrace.model.consequences import Harm
from mailrace.model.errors import UsageError
from mailrace.model.survey import ConflictCoverage, PairVerdict, Survey, SurveyedPair
from mailrace.model.target import TargetInfo
from mailrace.report.survey import survey_from_json
from mailrace.studies.survey.compare import compare
from mailrace.studies.survey.document import survey_of
from mailrace.studies.survey.relations import Pair, chosen, pairs
from mailrace.studies.survey.state import Found, Header, Shown, State

FEW = ("send", "rename tag")


def cause(name: str, fate: str = "realised", harm: Harm = Harm.DATA) -> Cause:
    return Cause(
        name=name,
        harm=harm,
        anomalies=("tag_lost",),
        operations=("send", "delete"),
        statements=("send: x", "delete: y"),
        fate=fate,
    )


def document(tmp_path: Path, *found: tuple[Pair, tuple[Cause, ...]], shown: tuple[Shown, ...] = ()) -> Survey:
    state = State(tmp_path, Header(target="embedded", version="fixed", pairs=()))
    for pair, causes in found:
        said = SurveyedPair(
            a=pair.a.name,
            b=pair.b.name,
            kinds=(pair.a.kind, pair.b.kind),
            relation=pair.relation,
            verdict=PairVerdict.PASS,
            why="x.",
            causes=tuple(c.name for c in causes),
        )
        state.add(
            Found(pair=said, causes=causes, preemptions=(0,) * len(causes), coverage=ConflictCoverage())
        )
    for one in shown:
        state.show(one)
    return survey_of(state, [pair for pair, _ in found], TargetInfo.unknown("embedded"), is_whole=True)


def test_a_cause_that_no_server_was_brought_into_is_no_race(tmp_path: Path) -> None:
    one, two, *_ = chosen(pairs(), FEW)
    open_ = cause("tag_lost/x", "unrealised")
    found = document(tmp_path, (one, (open_,)), (two, ()))
    assert [pair.verdict for pair in found.pairs] == [PairVerdict.INCONCLUSIVE, PairVerdict.PASS]
    assert found.causes[0].fate == "unrealised"


def test_a_cause_that_another_pair_showed_is_said_to_be_so(tmp_path: Path) -> None:
    one, two, *_ = chosen(pairs(), FEW)
    open_ = cause("tag_lost/x", "unrealised")
    shown = Shown(cause=replace(open_, fate="realised"), pair=two.name)
    found = document(tmp_path, (one, (open_,)), (two, (open_,)), shown=(shown,))
    assert [pair.verdict for pair in found.pairs] == [PairVerdict.SAME_CAUSE, PairVerdict.RACE]
    assert found.causes[0].shown_by == two.name


@pytest.mark.parametrize(
    ("own", "verdict", "why"),
    [
        ({}, PairVerdict.SAME_CAUSE, "x. Other pairs showed its causes on one server."),
        (
            {"anomalies": ("tag_lost", "tag_ghost")},
            PairVerdict.SAME_CAUSE,
            "They did not show that it breaks this as well: tag_ghost.",
        ),
        ({"statements": ()}, PairVerdict.INCONCLUSIVE, "no statements tell the cause"),
        ({"harm": Harm.STOP}, PairVerdict.INCONCLUSIVE, "with a lesser harm only (data)"),
        ({"harm": Harm.REPLY}, PairVerdict.SAME_CAUSE, "Other pairs showed its causes on one server."),
    ],
)
def test_a_cause_is_the_same_only_where_another_pair_showed_as_much(
    own: dict[str, Any], verdict: PairVerdict, why: str, tmp_path: Path
) -> None:
    one, two, *_ = chosen(pairs(), FEW)
    open_ = cause("tag_lost/x", "unrealised")
    shown = Shown(cause=replace(open_, fate="realised"), pair=two.name)
    found = document(tmp_path, (one, (replace(open_, **own),)), (two, (open_,)), shown=(shown,))
    assert [pair.verdict for pair in found.pairs] == [verdict, PairVerdict.RACE]
    assert why in found.pairs[0].why


def test_causes_of_two_versions_are_new_mended_kept_or_open(tmp_path: Path) -> None:
    one, two, three, four, *_ = chosen(pairs(), FEW)
    shown, left = cause("tag_lost/x"), cause("tag_lost/y", "unrealised")
    before = document(
        tmp_path / "a", (one, (shown,)), (two, ()), (three, (cause("tag_lost/y"),)), (four, (cause("z"),))
    )
    after = document(
        tmp_path / "b", (one, (shown,)), (two, (cause("tag_lost/n"),)), (three, (left,)), (four, ())
    )
    found = compare(before, after)
    names = [[c.name for c in each] for each in (found.brought, found.kept, found.mended, found.open)]
    assert names == [["tag_lost/n"], ["tag_lost/x"], ["z"], ["tag_lost/y"]]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema_version": 1}', '{"schema_version": 99}', "[" * 99999]
)
def test_a_text_that_is_no_survey_is_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"survey\.json"):
        survey_from_json(text)
