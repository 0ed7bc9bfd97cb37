"""Rounds that are lost are not drawn by lot: what the server refuses or does not show allows no PASS."""

import socketserver
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mailrace.history import read_histories
from mailrace.model.attempt import Loss, RoundRecord
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.race import Limits
from mailrace.run import Output, RunRequest, run
from mailrace.scenario import scenario_from, shipped

from tests.scripted_box import Script
from tests.scripted_server import ScriptedServer

pytestmark = pytest.mark.slow

ROUNDS = 12
# The scripted server's threads take turns with the releases in this process: no measure of the engine.
LIMITS = Limits(reply_s=0.6, look_s=0.3, connect_s=0.6, skew_us=1e9, serial_rounds=2)


class AfterARound(ScriptedServer):
    """Misbehaves once after every other round of two raced mails: at `stage` it says `said`, or is silent.

    A race that poisons its own session looks just so from outside. One after the other it is a good server.
    """

    def __init__(self, stage: str, said: bytes | None, **how: Any) -> None:
        super().__init__(when_raced=True, **how)
        self.spoilt = 0
        self._stage, self._said = stage, said

    def _meets(self) -> bool:
        """The script's dot holds for every mail; those that meet are only counted."""
        super()._meets()
        return True

    def _say(self, session: socketserver.StreamRequestHandler, script: Script, stage: str) -> bool:
        with self._lock:
            spoils = stage == self._stage and self.met >= 4 * self.spoilt + 2
            self.spoilt += spoils
        if not spoils:
            return super()._say(session, script, stage)
        if self._said is None:
            return False
        session.wfile.write(self._said)
        return not self._said.startswith(b"421")


def raced(target: str, folder: Path, **changed: Any) -> tuple[ScenarioResult, list[RoundRecord]]:
    data = {
        "name": "two-senders",
        "title": "Two senders",
        "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}],
        "rounds": ROUNDS,
        **changed,
    }
    request = RunRequest.of(target, Output(out=folder / "out", formats=()))
    done = run([scenario_from(data, Path(shipped()))], request, limits=LIMITS)
    (result,) = done.result.scenarios
    return result, [r for one in read_histories(done.folder / "history.jsonl") for _, r, _ in one.rounds]


def assert_held_against_it(result: ScenarioResult) -> None:
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.rounds_refused > 0
    assert result.rounds_lost == result.rounds_dropped + result.rounds_refused
    assert "the server refused" in result.reason
    assert "made its own round disappear" in result.reason


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("MAIL", b"503 5.5.1 Bad sequence of commands\r\n"),
        ("RCPT", b"451 4.3.0 not now\r\n"),
        ("DATA", b"554 5.5.1 no valid recipients\r\n"),
        ("MAIL", None),
        ("MAIL", b"421 4.3.2 too many errors\r\n"),
    ],
)
def test_a_race_that_spoils_its_session_is_no_clean_round(
    stage: str, said: bytes | None, tmp_path: Path
) -> None:
    with AfterARound(stage, said) as server:
        result, rounds = raced(server.name, tmp_path)
    assert server.spoilt > 1
    assert_held_against_it(result)
    assert result.rounds > ROUNDS // 4, "after a new connection it goes on"
    assert {r.loss for r in rounds if r.lost} <= {Loss.REFUSED}


@pytest.mark.parametrize(
    ("stage", "said"), [("greeting", b"421 4.3.2 closing\r\n"), ("EHLO", b"550 5.7.1 not you\r\n")]
)
def test_a_session_that_is_refused_after_a_race_is_no_clean_round(
    stage: str, said: bytes, tmp_path: Path
) -> None:
    """The scenario reconnects after each refused mail, so a session is opened in every round."""
    with AfterARound(stage, said, script={"dot": b"451 4.3.0 no\r\n"}) as server:
        result, _ = raced(server.name, tmp_path, after_failure="reconnect")
    assert server.spoilt > 1
    assert_held_against_it(result)


@pytest.mark.parametrize("said", [b"502 5.5.1 no\r\n", b"421 4.3.2 closing\r\n", None])
def test_a_reset_that_is_refused_is_no_clean_round(said: bytes | None, tmp_path: Path) -> None:
    with AfterARound("RSET", said, script={"dot": b"451 4.3.0 no\r\n"}) as server:
        result, rounds = raced(server.name, tmp_path, after_failure="reset")
    assert_held_against_it(result)
    assert any("RSET was not accepted" in note for record in rounds for note in record.against)


def test_a_given_message_that_is_refused_after_a_race_is_no_clean_round(tmp_path: Path) -> None:
    with AfterARound("MAIL", b"451 4.3.0 not now\r\n") as server:
        result, _ = raced(server.name, tmp_path, given=[{"name": "old"}])
    assert_held_against_it(result)


Answer = tuple[int, bytes]


class BadOnce(ScriptedServer):
    """Says `answer` to the first search after a raced round, once."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(when_raced=True, rest=self.spoil)
        self._answer = answer
        self.spoilt = 0

    def spoil(self, path: str) -> Answer | None:
        if "/search" not in path or not self.met or self.spoilt:
            return None
        self.spoilt += 1
        return self._answer


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"the database is gone"),
        (200, b'{"total": 0, "messages_count": 7, "messages": [], "tags": []}'),
        (200, b'{"total": 3, "messages": ['),
        (200, b"null"),
    ],
)
def test_a_store_that_is_not_shown_is_no_clean_one(answer: Answer, tmp_path: Path) -> None:
    with BadOnce(answer) as server:
        result, _ = raced(server.name, tmp_path, rounds=30)
    assert_held_against_it(result)
    assert (result.rounds, result.rounds_refused) == (20, 10), "blocks are of 10 and 20 rounds"
    assert any("the store could not be read" in note for note in result.not_looked)


def test_losses_of_our_own_making_are_dropped(tmp_path: Path) -> None:
    limits = replace(LIMITS, skew_us=0.0, unreleased_rounds=100)
    with ScriptedServer() as server:
        data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2}}], "rounds": ROUNDS}
        request = RunRequest.of(server.name, Output(out=tmp_path / "out", formats=()))
        (result,) = run([scenario_from(data, Path(shipped()))], request, limits=limits).result.scenarios
    assert (result.rounds_dropped, result.rounds_refused) == (ROUNDS, 0)
    assert "the server refused" not in result.reason


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("dot", b"250 2.0.0 Ok: queued\r\n250 2.0.0 Ok: queued\r\n"),
        ("dot", b"250 2.0.0 Ok: queued\r\n451 4.3.0 Not this one\r\n"),
        ("MAIL", b"250 2.1.0 Ok\r\n250 2.1.0 Ok\r\n"),
    ],
)
def test_a_reply_that_nobody_asked_for_is_held_against_the_server(
    stage: str, said: bytes, tmp_path: Path
) -> None:
    """A client that keeps its session would take it for the answer to its next command."""
    with AfterARound(stage, said) as server:
        result, _ = raced(server.name, tmp_path)
        assert server.spoilt
    assert_held_against_it(result)


def test_a_link_that_ends_before_its_reply_is_held_against_the_server(tmp_path: Path) -> None:
    """It promises one copy or none, so nothing is broken; but a race may be why nobody was told."""
    with AfterARound("dot", None) as server:
        result, rounds = raced(server.name, tmp_path)
        assert server.spoilt
    assert dict(result.anomalies) == {}
    assert_held_against_it(result)
    assert any("ended before its reply was whole" in note for one in rounds for note in one.against)


def test_a_farewell_may_come_unasked(tmp_path: Path) -> None:
    with AfterARound("dot", b"250 2.0.0 Ok: queued\r\n421 4.3.2 Goodbye\r\n") as server:
        result, _ = raced(server.name, tmp_path)
        assert server.spoilt
    assert result.rounds_refused == 0
    assert dict(result.anomalies) == {}
