"""Servers that misbehave, each in its own way: its word in the history, its verdict and its status."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.attempt import Outcome, Word
from mailrace.model.result import Verdict
from mailrace.verdict import exit_status

from tests.race.raced_here import ROUNDS, ends, raced
from tests.scripted_box import HANG, Answer, Rest, cut
from tests.scripted_server import ScriptedServer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_thread_is_left")]


OK, FAIL, UNKNOWN = (str(o.value) for o in (Outcome.OK, Outcome.FAIL, Outcome.UNKNOWN))


def test_a_server_that_behaves(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        result, rounds = raced(server.name, tmp_path)
    assert result.verdict is Verdict.INCONCLUSIVE, "clean, but no control was available"
    assert "no hit" in result.reason
    assert dict(result.anomalies) == {}
    assert ends(rounds) == {(OK, "accepted"): 2 * ROUNDS}
    assert (result.expected, result.found) == ((2 * ROUNDS, 2 * ROUNDS), 2 * ROUNDS)
    assert any("not a server of ours" in said for said in result.not_looked)


@pytest.mark.parametrize(
    ("stage", "said", "word"),
    [
        pytest.param("greeting", HANG, Word.TIMED_OUT, marks=pytest.mark.slow),
        ("greeting", b"554 5.3.2 not today\r\n", Word.REFUSED),
        ("greeting", cut(b""), Word.LINK_LOST),
        ("greeting", b"SSH-2.0-OpenSSH_9.2\r\n", Word.GARBAGE),
        pytest.param("EHLO", HANG, Word.TIMED_OUT, marks=pytest.mark.slow),
        ("EHLO", cut(b"250-half\r\n"), Word.CUT_SHORT),
        ("EHLO", b"250 one\r\n250 and another\r\n", Word.GARBAGE),
        pytest.param("MAIL", HANG, Word.TIMED_OUT, marks=pytest.mark.slow),
        ("MAIL", Answer(b"421 4.3.2 shutting down\r\n", closes=True), Word.SHUT_DOWN),
        pytest.param("RCPT", HANG, Word.TIMED_OUT, marks=pytest.mark.slow),
        ("RCPT", b"550 5.1.1 nobody\r\n", Word.REFUSED),
        ("RCPT", cut(b"25"), Word.CUT_SHORT),
        ("RCPT", b"250-one\r\n451 two\r\n", Word.GARBAGE),
        pytest.param("DATA", HANG, Word.TIMED_OUT, marks=pytest.mark.slow),
        ("DATA", b"\x00\x01\x02\r\n", Word.GARBAGE),
        ("DATA", b"250 go on\r\n", Word.GARBAGE),
    ],
)
def test_who_fails_before_the_release_is_not_raced_and_it_is_said(
    stage: str, said: bytes | Answer, word: Word, tmp_path: Path
) -> None:
    with ScriptedServer({stage: said}) as server:
        result, rounds = raced(server.name, tmp_path, rounds=50)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert exit_status([result.verdict]) == 3
    assert "nothing could be exercised" in result.reason
    assert (result.rounds, result.hits) == (0, 0)
    assert 0 < result.rounds_lost < 10, "it is not tried for ever"
    assert any("in a row could not be exercised" in note for note in result.not_looked)
    found = ends(rounds)
    assert (FAIL, word.value) in found, found
    assert {outcome for outcome, _ in found} == {FAIL}, "before the final dot a loss promises no copy"
    assert all(a.released_ns is None for record in rounds for a in record.attempts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "outcome", "word"),
    [
        (b"250-2.0.0 Ok\r\n250-and\r\n250 more\r\n", OK, Word.ACCEPTED),
        (b"451 4.3.5 Unable to process mail\r\n", FAIL, Word.REFUSED),
        (b"554-5.0.0 no\r\n554 and no\r\n", FAIL, Word.REFUSED),
        (Answer(b"421 4.3.2 shutting down\r\n", closes=True), FAIL, Word.SHUT_DOWN),
        (cut(b""), UNKNOWN, Word.LINK_LOST),
        (cut(b"250 2.0"), UNKNOWN, Word.CUT_SHORT),
        (cut(b"250-2.0.0 Ok\r\n"), UNKNOWN, Word.CUT_SHORT),
        (b"250-2.0.0 Ok\r\n451 no\r\n", UNKNOWN, Word.GARBAGE),
        (b"Ok, thank you\r\n", UNKNOWN, Word.GARBAGE),
    ],
)
def test_who_keeps_the_promise_of_an_odd_reply_is_clean(
    said: bytes | Answer, outcome: str, word: Word, tmp_path: Path
) -> None:
    """One copy after 250, none after a refusal, and none is allowed where nothing is known.

    A round in which nobody was told anything speaks for nobody, though.
    """
    with ScriptedServer({"dot": said}) as server:
        result, rounds = raced(server.name, tmp_path)
    assert ends(rounds) == {(outcome, word.value): 2 * ROUNDS}
    assert dict(result.anomalies) == {}
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.rounds + result.rounds_lost == ROUNDS
    assert (result.rounds_refused == ROUNDS) is (outcome == UNKNOWN)
    assert (result.rounds > 0) is (outcome != UNKNOWN)


def keeping(dot: bytes | Answer) -> dict[str, Any]:
    """A server that stores what it answers so."""
    return {"script": {"dot": dot}, "stores_refused": True}


BREAKERS = [
    ({"copies": 0}, "accepted_but_missing", Word.ACCEPTED),
    ({"copies": 2}, "duplicated", Word.ACCEPTED),
    ({"keeps_tags": False}, "tag_lost", Word.ACCEPTED),
    (keeping(b"451 4.3.5 no\r\n"), "rejected_but_stored", Word.REFUSED),
    (keeping(cut(b"421 bye\r\n")), "rejected_but_stored", Word.SHUT_DOWN),
    (keeping(cut(b"25")) | {"copies": 2}, "duplicated", Word.CUT_SHORT),
]


@pytest.mark.slow
@pytest.mark.parametrize(("server", "anomaly", "word"), BREAKERS)
def test_who_breaks_a_promise_is_a_race(
    server: dict[str, Any], anomaly: str, word: Word, tmp_path: Path
) -> None:
    with ScriptedServer(**server, when_raced=True) as scripted:
        result, rounds = raced(scripted.name, tmp_path)
    assert result.verdict is Verdict.RACE
    assert exit_status([result.verdict]) == 1
    assert dict(result.anomalies) == {anomaly: 2 * ROUNDS}
    assert {seen for _, seen in ends(rounds)} == {word.value}
    assert result.hits == ROUNDS


@pytest.mark.slow
@pytest.mark.parametrize(("server", "anomaly"), [(server, anomaly) for server, anomaly, _ in BREAKERS])
def test_who_breaks_it_one_after_the_other_too_is_no_race(
    server: dict[str, Any], anomaly: str, tmp_path: Path
) -> None:
    with ScriptedServer(**server) as scripted:
        result, _ = raced(scripted.name, tmp_path)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert exit_status([result.verdict]) == 3
    assert "a broken promise, not a race" in result.reason
    assert (result.hits, dict(result.anomalies)) == (0, {})
    assert dict(result.broken_serially) == {anomaly: 2 * ROUNDS}
    assert any(said.startswith(f"{anomaly} shows when") for said in result.not_looked)


def test_an_unknown_outcome_may_have_left_a_copy(tmp_path: Path) -> None:
    with ScriptedServer({"dot": cut(b"")}, stores_refused=True) as server:
        result, _ = raced(server.name, tmp_path)
    assert dict(result.anomalies) == {}
    assert (result.expected, result.found) == ((0, 2 * ROUNDS), 2 * ROUNDS)


@pytest.mark.slow
def test_a_dot_that_is_never_answered_is_no_race(tmp_path: Path) -> None:
    """One client alone gets no answer: there is nothing to race."""
    with ScriptedServer({"dot": HANG}) as server:
        result, rounds = raced(server.name, tmp_path, rounds=50)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "a broken promise, not a race" in result.reason
    assert list(result.broken_serially) == ["hang"]
    assert rounds == [], "it was not raced"


def later(answer: tuple[int, bytes]) -> Rest:
    """A REST side that is a good one for the look before the race, and then says this to every search."""
    searches = itertools.count(1)

    def rest(path: str) -> tuple[int, bytes] | None:
        return answer if "/search" in path and next(searches) > 1 else None

    return rest


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"{"),
        (500, b"no"),
        (200, b'{"total": 9, "messages_count": 9, "messages": [], "tags": []}'),
        (200, b'{"total": 0, "messages_count": 0, "messages": [{}], "tags": []}'),
    ],
)
def test_a_store_that_cannot_be_read_makes_nothing_clean(answer: tuple[int, bytes], tmp_path: Path) -> None:
    with ScriptedServer(rest=later(answer)) as server:
        result, rounds = raced(server.name, tmp_path)
    assert ends(rounds) == {(OK, "accepted"): 2 * ROUNDS}
    assert result.verdict is Verdict.INCONCLUSIVE
    assert (result.rounds, result.rounds_dropped) == (0, 0)
    assert result.rounds_refused >= ROUNDS
    assert any("the store could not be read" in said for said in result.not_looked)


@pytest.mark.parametrize(
    ("policy", "on", "ids", "anomalies"),
    [
        ("none", "4xx", 1, {"rejected_but_stored"}),
        ("naive", "4xx", 1, {"rejected_but_stored"}),
        ("new-id", "4xx", 2, {"rejected_but_stored"}),
        ("reconcile", "4xx", 1, {"rejected_but_stored"}),
        ("naive", "5xx", 1, {"rejected_but_stored"}),
    ],
)
def test_each_policy_of_retry_against_a_server_that_refuses_and_stores(
    policy: str, on: str, ids: int, anomalies: set[str], tmp_path: Path
) -> None:
    retry = {"policy": policy, "on": [on], "attempts": 1 if policy == "none" else 2, "wait_ms": 0}
    with ScriptedServer({"dot": b"451 4.3.5 no\r\n"}, stores_refused=True) as server:
        result, rounds = raced(server.name, tmp_path, rounds=1, retry=retry)
        stored = [
            (row["MessageID"], row["ReplyTo"][0]["Address"][:2])
            for row in server.box.rows
            if row["From"]["Address"].startswith("r00000")
        ]
    (record,) = rounds
    second = [a for a in record.attempts if a.number == 2]
    tries_again = policy != "none" and on == "4xx"
    assert len(second) == (2 if tries_again else 0)
    assert set(result.broken_serially) == anomalies, "it does so one after the other as well"
    if policy == "reconcile":
        assert {(a.outcome, a.word) for a in second} == {(Outcome.FAIL, Word.NOT_SENT)}
        assert len(stored) == 2, "it found the copy of the refused one, and sent nothing"
    elif tries_again:
        assert {a.word for a in second} == {Word.REFUSED}
        assert sorted(mark for _, mark in stored) == ["a1", "a1", "a2", "a2"], "attempts are told apart"
        assert len({message_id for message_id, _ in stored}) == 2 * ids
    else:
        assert len(stored) == 2
