"""A mail that comes after its round was looked at: late behind a relay, and no row of a stranger's."""

from pathlib import Path

import pytest
from mailrace.history import HISTORY, read_histories
from mailrace.model.result import Verdict

from tests.race.test_strangers_beside import raced
from tests.scripted_server import ScriptedServer


class Relayed(ScriptedServer):
    """A queue before it delivers a mail of round 3 when one of round 12 comes, and so often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times, self._kept = times, list[tuple[list[str], bytes]]()
        self._store = self.box.store
        self.box.store = self._queued  # type: ignore[method-assign]

    def _queued(self, recipients: list[str], content: bytes, **how: bool) -> None:
        if b"message=r00003s01" in content:
            self._kept.append((recipients, content))
            return
        if b"message=r00012s01" in content:
            for one in self._kept * self._times:
                self._store(*one)
        self._store(recipients, content, **how)


@pytest.mark.slow
def test_what_comes_late_was_not_lost_and_is_nobody_else_s(tmp_path: Path) -> None:
    with Relayed(1) as server:
        result = raced(server, tmp_path, rounds=20)
    assert (result.verdict, dict(result.anomalies)) == (Verdict.INCONCLUSIVE, {})
    assert (result.rounds, result.rounds_refused, result.witnesses) == (19, 1, ())
    assert sum(block.rounds for block in result.blocks) == 19
    assert any("round 3 was not verified: an accepted mail" in said for said in result.not_looked)
    (history,) = read_histories(tmp_path / "out" / HISTORY)
    assert not any(judged.anomalies for _, _, judged in history.rounds if judged is not None)


@pytest.mark.slow
def test_what_comes_twice_is_one_too_many(tmp_path: Path) -> None:
    with Relayed(2) as server:
        result = raced(server, tmp_path, rounds=20)
    assert (result.verdict, dict(result.anomalies)) == (Verdict.RACE, {"foreign_row": 1})


@pytest.mark.slow
def test_what_never_comes_is_lost(tmp_path: Path) -> None:
    with Relayed(0) as server:
        result = raced(server, tmp_path, rounds=20)
    assert (result.verdict, dict(result.anomalies)) == (Verdict.RACE, {"accepted_but_missing": 1})
