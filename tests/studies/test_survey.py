"""The survey: its table and pairs as values; one of the embedded reference, ended and gone on with."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from mailrace.model.consequences import Harm
from mailrace.model.errors import UsageError
from mailrace.model.operation import PlannedRound
from mailrace.model.survey import PairVerdict, Survey, SurveyedPair
from mailrace.model.target import TargetInfo
from mailrace.report import to_json
from mailrace.report.survey import headline, lines_of, survey_from_json, survey_page
from mailrace.scenario import Scenario, load
from mailrace.scenario.load import scenario_from
from mailrace.steer.explore.search import Extent
from mailrace.steer.surveying import Surveying
from mailrace.studies.survey.document import NOT_LOOKED, survey_of
from mailrace.studies.survey.operations import LEFT_OUT, TABLE, not_surveyed
from mailrace.studies.survey.relations import Pair, chosen, pairs, relation_of
from mailrace.studies.survey.run import Surveyor
from mailrace.studies.survey.state import STATE, Header, State
from mailrace.studies.survey.whole import Asked, survey
from mailrace.targets import parse_target

from tests.running import mailrace
from tests.studies.shipped_found import not_found

FEW = ("send", "rename tag")


def test_each_pair_is_a_scenario_of_its_own(tmp_path: Path) -> None:
    every = list(pairs())
    assert len({pair.name for pair in every}) == len({pair.scenario["name"] for pair in every}) == len(every)
    assert len({json.dumps(pair.scenario["actors"] + pair.scenario["given"]) for pair in every}) == len(every)
    for pair in every:
        assert len(scenario_from(pair.scenario, tmp_path).actors) == 2
    told = {(pair.a.name, pair.b.name) for pair in every}
    known = [one for one in TABLE if one.is_known]
    assert len(told) == len(known) * (len(known) + 1) // 2 + 2 - sum(one.only_reads for one in known)


ONE, TWO = {"name": "one", "tags": ["{run}-{round}"]}, {"name": "two"}


@pytest.mark.parametrize(
    ("mine", "its", "relation"),
    [
        ({"messages": ["one"]}, {"messages": ["one"]}, "the same message"),
        ({"messages": ["one"]}, {"tags": ["{run}-{round}"]}, "the tag's last holder"),
        ({"messages": ["two"]}, {"tags": ["{run}-{round}"]}, "nothing in common"),
        ({"tags": ["{run}-{round}-n"]}, {"tags": ["{run}-{round}-n"]}, "the same new tag"),
        ({"tags": ["{run}-{round}"]}, {"query": "tag:{run}-{round}"}, "the same known tag"),
        ({"tags": ["{run}-{round}"]}, {}, "everything"),
    ],
)
def test_how_two_requests_meet(mine: object, its: object, relation: str) -> None:
    assert relation_of((ONE, TWO), mine, its) == relation


def test_a_tag_of_two_messages_has_no_last_holder() -> None:
    both = (ONE, {"name": "two", "tags": ["{run}-{round}"]})
    assert relation_of(both, {"messages": ["one"]}, {"tags": ["{run}-{round}"]}) == "one of the tag's holders"


def test_what_the_server_offers_and_the_table_lacks_is_named_first() -> None:
    found = not_surveyed(["GET /api/v1/info", "PUT /api/v1/folders", "DELETE /api/v1/messages"])
    assert next(iter(found)) == "PUT /api/v1/folders"
    assert found["GET /api/v1/info"] == LEFT_OUT["GET /api/v1/info"]
    assert "DELETE /api/v1/messages" not in found
    assert "pruning by --max" in found


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Survey, Path]:
    folder = tmp_path_factory.mktemp("survey")
    return survey(Asked(target=parse_target("embedded@1.30.5"), only=FEW), folder), folder


@pytest.mark.slow
def test_a_known_race_is_found_without_its_scenario_with_its_repair(surveyed: tuple[Survey, Path]) -> None:
    found, folder = surveyed
    assert found.is_whole
    cause = next(c for c in found.causes if c.anomalies == ("rejected_but_stored",))
    assert cause.name == "rejected_but_stored/rename_tag.update-tags/send.select-tags"
    assert (cause.harm, cause.fate) == (Harm.PROMISE, "realised")
    assert [(k.operation, k.steps) for k in cause.repair[0].kept] == [("send", 2)]
    assert (cause.repair[0].bad, cause.repair[0].verified) == (0, "")
    assert cause.shares[cause.no_return] == 1.0
    assert cause.shares[cause.no_return - 1] < 1.0
    assert any("ends badly" in line for line in cause.why)
    kept = load(folder / cause.scenario)
    assert [actor.kind for actor in kept.actors] == ["send", "rename_tag"]


@pytest.mark.slow
def test_every_pair_is_decided_and_every_conflict_came_in_both_orders(surveyed: tuple[Survey, Path]) -> None:
    found, _ = surveyed
    assert {pair.verdict for pair in found.pairs} <= {
        PairVerdict.PASS,
        PairVerdict.RACE,
        PairVerdict.SAME_CAUSE,
    }
    assert found.coverage.predicted > 50
    assert found.coverage.exercised + len(found.coverage.unreachable) == found.coverage.predicted


@pytest.mark.slow
def test_the_document_is_read_back_as_it_was_and_the_page_holds_each_cause(
    surveyed: tuple[Survey, Path],
) -> None:
    found, folder = surveyed
    assert survey_from_json((folder / "survey.json").read_text()) == found
    page = survey_page(found)
    for cause in found.causes:
        assert cause.name in page
    assert any(line.startswith("promise: rejected_but_stored") for line in lines_of(found))


@pytest.mark.slow
def test_a_survey_that_is_whole_asks_no_server_again(surveyed: tuple[Survey, Path]) -> None:
    found, folder = surveyed
    before = (folder / STATE).read_bytes()
    again = survey(Asked(target=parse_target("embedded@1.30.5"), only=FEW), folder)
    assert (folder / STATE).read_bytes() == before
    assert (again.pairs, again.causes, again.coverage) == (found.pairs, found.causes, found.coverage)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_after_a_kill_it_goes_on_with_an_equal_result(
    surveyed: tuple[Survey, Path], tmp_path: Path, share: float
) -> None:
    """A kill at any moment leaves a part of the file, its last line perhaps cut off."""
    found, folder = surveyed
    raw = (folder / STATE).read_bytes()
    (tmp_path / STATE).write_bytes(raw[: int(share * len(raw))])
    again = survey(Asked(target=parse_target("embedded@1.30.5"), only=FEW), tmp_path)
    assert [told(pair) for pair in again.pairs] == [told(pair) for pair in found.pairs]
    assert [(c.name, c.fate, c.pairs, c.shown_by) for c in again.causes] == [
        (c.name, c.fate, c.pairs, c.shown_by) for c in found.causes
    ]


def told(pair: SurveyedPair) -> SurveyedPair:
    return replace(pair, seconds=0.0)


@pytest.mark.slow
def test_a_state_of_another_version_is_not_gone_on_with(
    surveyed: tuple[Survey, Path], tmp_path: Path
) -> None:
    _, folder = surveyed
    (tmp_path / STATE).write_bytes((folder / STATE).read_bytes())
    with pytest.raises(UsageError, match="another folder"):
        survey(Asked(target=parse_target("embedded@1.27.11"), only=FEW), tmp_path)


@pytest.mark.parametrize("line", [b"[]\n", b"{}\n", b'{"pair": 1}\n', b'{"x": {}}\n', b"nothing\n"])
def test_a_file_that_is_no_state_is_a_sentence(tmp_path: Path, line: bytes) -> None:
    (tmp_path / STATE).write_bytes(line)
    with pytest.raises(UsageError, match="no line of a survey"):
        State(tmp_path, Header(target="embedded", version="fixed", pairs=()))


def test_what_was_not_looked_at_is_inconclusive(tmp_path: Path) -> None:
    wanted = chosen(pairs(), FEW)
    state = State(tmp_path, Header(target="embedded", version="fixed", pairs=()))
    found = survey_of(state, wanted, TargetInfo.unknown("embedded"), is_whole=False)
    assert {(pair.verdict, pair.why) for pair in found.pairs} == {(PairVerdict.INCONCLUSIVE, NOT_LOOKED)}
    assert "not decided" in headline(found)


@pytest.mark.slow
def test_a_time_limit_ends_it_before_the_first_pair(tmp_path: Path) -> None:
    asked = Asked(target=parse_target("embedded@1.30.5"), only=FEW, time_limit_s=1e-6)
    found = survey(asked, tmp_path)
    assert not found.is_whole
    assert {pair.verdict for pair in found.pairs} == {PairVerdict.INCONCLUSIVE}


@dataclass(slots=True)
class Hasty(Surveyor):
    """Explores two schedules of each pair and no more."""

    def _of(self, pair: Pair) -> tuple[Scenario, PlannedRound, Surveying]:
        scenario, planned, servers = Surveyor._of(self, pair)
        servers.extent = Extent(schedules_max=2)
        return scenario, planned, servers


@pytest.mark.parametrize("other", ["delete", "set tags"])
def test_what_is_refused_by_right_is_no_pass_where_not_all_was_explored(tmp_path: Path, other: str) -> None:
    wanted = [pair for pair in pairs() if (pair.a.name, pair.b.name) == (other, "rename to known")][:1]
    state = State(tmp_path, Header(target="embedded", version="fixed", pairs=()))
    hasty = Hasty(parse_target("embedded@fixed"), state, tmp_path)
    assert hasty.survey(wanted)
    (found,) = state.found.values()
    assert (found.pair.verdict, found.pair.why) == (
        PairVerdict.INCONCLUSIVE,
        "Not finished, for its budget of 2 schedules.",
    )


@pytest.mark.slow
def test_an_equal_survey_has_an_equal_text(surveyed: tuple[Survey, Path]) -> None:
    found, _ = surveyed
    assert to_json(found) == to_json(survey_from_json(to_json(found)))


@pytest.mark.slow
def test_two_versions_are_compared_cause_by_cause(tmp_path: Path) -> None:
    words = ["survey", "-t", "embedded@1.30.5", "--from", "embedded@1.27.11", "--only", "rename tag"]
    done = mailrace(*words, "--state", "state", "--harm", "data", cwd=tmp_path)
    assert "in both: 1" in done.stdout, done.stdout + done.stderr
    assert "new in embedded@1.30.5: 0" in done.stdout
    # Two renamings that both say 200 lose nothing: their harm is less than what was asked for.
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "one", "other", "scenario"),
    [
        ("1.30.5", "send", "rename tag", "send-rename-tag"),
        ("1.30.5", "send", "delete", "send-delete-last-holder"),
        ("1.30.5", "delete", "delete two", "overlapping-deletions"),
        ("1.33.1", "delete", "read latest", "latest-delete-newest"),
        ("1.33.1", "delete unread", "read message", "read-delete-unread"),
    ],
)
def test_what_shipped_scenarios_show_is_found_without_them(
    tmp_path: Path, version: str, one: str, other: str, scenario: str
) -> None:
    """A sample: `python -m tests.studies.shipped_found survey.json` looks for all of them."""
    wanted = [pair for pair in pairs() if (pair.a.name, pair.b.name) == (one, other)]
    state = State(tmp_path, Header(target="embedded", version=version, pairs=()))
    target = parse_target(f"embedded@{version}")
    assert Surveyor(target, state, tmp_path).survey(wanted)
    found = survey_of(state, wanted, TargetInfo.unknown(f"embedded@{version}"), is_whole=True)
    assert not_found(found, [scenario]) == []
    assert found.causes
    # What a server that hangs has left undone is no cause of its own.
    assert all(cause.statements for cause in found.causes)
    # Where a search acts on several messages each is judged by itself, which hides nothing that is about one.
    assert any("the only message" not in pair for cause in found.causes for pair in cause.pairs)


@pytest.mark.slow
def test_the_repaired_reference_has_no_cause_and_its_transactions_are_looked_into(tmp_path: Path) -> None:
    """A sample: `mailrace survey -t embedded@fixed` looks at every pair. Its steps are whole transactions."""
    only = ("send", "rename tag", "mark all read", "POP3 retrieve", "POP3 delete")
    found = survey(Asked(target=parse_target("embedded@fixed"), only=only), tmp_path)
    assert found.is_whole
    assert found.causes == ()
    verdicts = {pair.name: pair.verdict for pair in found.pairs}
    assert set(verdicts.values()) == {PairVerdict.PASS, PairVerdict.INDEPENDENT}
    assert verdicts["send ∥ rename tag, the same known tag"] is PairVerdict.PASS
    # In its transaction a text of the server's own broadcasts comes second.
    assert verdicts["send ∥ mark all read, everything"] is PairVerdict.PASS
    assert verdicts["POP3 delete ∥ POP3 delete, the same message"] is PairVerdict.PASS
    assert verdicts["POP3 retrieve ∥ POP3 retrieve, the same message"] is PairVerdict.INDEPENDENT
    assert found.coverage.predicted > 5


@pytest.mark.slow
def test_two_who_read_one_message_at_once_are_decided_though_it_is_fetched_once(tmp_path: Path) -> None:
    """1.33 fetches the source once for both, which separate servers never do."""
    found = survey(Asked(target=parse_target("embedded@1.33.1"), only=("read message",)), tmp_path)
    verdicts = {pair.name: pair.verdict for pair in found.pairs}
    assert verdicts["read message ∥ read message, the same message"] is PairVerdict.PASS
