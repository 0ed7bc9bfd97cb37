"""Operations that ran alone: what their statements say of a pair, and what they do not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.model.survey import PairVerdict
from mailrace.studies.survey.relations import pairs
from mailrace.studies.survey.run import Surveyor
from mailrace.studies.survey.state import Header, State
from mailrace.targets import parse_target

from tests.running import mailrace

SENDERS = "send ∥ send, nothing in common"
APART = "set tags ∥ POP3 retrieve, the same message"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "pair", "verdict", "why"),
    [
        ("no_fault", APART, PairVerdict.INDEPENDENT, "Run together on one server"),
        ("tags_set_behind_the_reply", APART, PairVerdict.PASS, "explored"),
        ("tags_are_refused", APART, PairVerdict.INCONCLUSIVE, "set_tags"),
        ("locked_in_the_store_and_not_in_memory", SENDERS, PairVerdict.SAME_CAUSE, "one server for both"),
        ("link_ends_where_two_meet", SENDERS, PairVerdict.INCONCLUSIVE, "ended before its reply was whole"),
    ],
)
def test_a_trace_says_nothing_of_what_it_does_not_hold(
    fault: str, pair: str, verdict: PairVerdict, why: str, tmp_path: Path, faulty: Callable[..., str]
) -> None:
    """What is refused alone, or done behind the reply, may be in conflict: all pairs are run together."""
    wanted = [one for one in pairs() if one.name == pair]
    target = parse_target(faulty(fault))
    state = State(tmp_path / "state", Header(target="faulty", version="fixed", pairs=()))
    assert Surveyor(target, state, tmp_path).survey(wanted)
    found = state.found[pair].pair
    assert found.verdict is verdict, found.why
    assert why in found.why


@pytest.mark.slow
def test_what_no_statement_tells_is_seen_where_one_server_runs_both(
    tmp_path: Path, faulty: Callable[..., str]
) -> None:
    target = faulty("tags_are_forgotten_while_a_message_is_retrieved")
    words = ("survey", "--target", target, "--only", "set tags", "--only", "POP3 retrieve", "--out", "s")
    done = mailrace(*words, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    pairs = json.loads((tmp_path / "s" / "survey.json").read_text())["pairs"]
    (same,) = (one for one in pairs if f"{one['a']} ∥ {one['b']}, {one['relation']}" == APART)
    assert (same["verdict"], same["causes"]) == ("RACE", ["not_serializable/pop3_retrieve/set_tags"])
    assert "one server for both did it" in same["why"]


@pytest.mark.slow
def test_a_server_whose_given_mail_is_not_there_is_a_sentence(
    tmp_path: Path, faulty: Callable[..., str]
) -> None:
    wanted = [pair for pair in pairs() if pair.name == APART]
    state = State(tmp_path / "state", Header(target="faulty", version="fixed", pairs=()))
    assert Surveyor(parse_target(faulty("stores_nothing")), state, tmp_path).survey(wanted)
    found = state.found[APART].pair
    assert found.verdict is PairVerdict.INCONCLUSIVE
    assert "was accepted, and is not in the store" in found.why


@pytest.mark.slow
def test_what_one_instance_breaks_in_turn_is_no_clean_pair(
    tmp_path: Path, faulty: Callable[..., str]
) -> None:
    name = "send ∥ delete, nothing in common"
    state = State(tmp_path / "state", Header(target="faulty", version="fixed", pairs=()))
    target = parse_target(faulty("mail_lost_after_an_edit"))
    assert Surveyor(target, state, tmp_path).survey([pair for pair in pairs() if pair.name == name])
    found = state.found[name].pair
    assert (found.verdict, found.causes) == (PairVerdict.INCONCLUSIVE, ()), found.why
    assert "Accepted_but_missing shows on one instance when the operations run one after" in found.why
