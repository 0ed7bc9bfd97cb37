"""Rounds that are lost are not drawn by lot: what the server refuses or does not show allows no PASS."""

import itertools
import socketserver
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mailrace.history import read_journal
from mailrace.model.attempt import Loss, RoundRecord
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.race import Limits
from mailrace.run import Output, RunRequest, run
from mailrace.scenario import scenario_from, shipped
from scripted_server import Script, ScriptedServer

ROUNDS = 12
# The scripted server's threads take turns with the releases in this process: no measure of the engine.
LIMITS = Limits(reply_s=0.6, look_s=0.3, connect_s=0.6, skew_us=1e9)


class AfterARound(ScriptedServer):
    """Misbehaves once after every other round of two accepted mails: at `stage` it says `said`, or is silent.

    A race that poisons its own session looks just so from outside.
    """

    def __init__(self, stage: str, said: bytes | None, **how: Any) -> None:
        super().__init__(**how)
        self.dots = 0
        self.spoilt = 0
        self._stage, self._said = stage, said

    def _say(self, session: socketserver.StreamRequestHandler, script: Script, stage: str) -> bool:
        with self._lock:
            self.dots += stage == "dot"
            spoils = stage == self._stage and self.dots >= 4 * self.spoilt + 2
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
    return result, [record for _, _, record in read_journal(done.folder / "history.jsonl")]


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


def bad_once(answer: Answer, path_part: str) -> Callable[[str], Answer | None]:
    """Good for the look before the race, and bad for the first look at what a block of rounds stored."""
    asked = itertools.count()

    def rest(path: str) -> Answer | None:
        return answer if path_part in path and next(asked) == 1 else None

    return rest


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ((500, b"the database is gone"), "/search"),
        ((200, b'{"total": 0, "messages_count": 7, "messages": [], "tags": []}'), "/search"),
        ((200, b'{"total": 3, "messages": ['), "/search"),
        ((200, b"null"), "/search"),
    ],
)
def test_a_store_that_is_not_shown_is_no_clean_one(answer: Answer, path: str, tmp_path: Path) -> None:
    with ScriptedServer(rest=bad_once(answer, path)) as server:
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
