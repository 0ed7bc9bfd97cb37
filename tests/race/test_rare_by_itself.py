"""A fault that is rare: whether it needs a race is not known from a few rounds one after the other."""

import re
import socketserver
from pathlib import Path

import pytest
from mailrace.history import HISTORY, read_histories
from mailrace.model.result import Verdict

from tests.race.test_strangers_beside import raced
from tests.scripted_box import Script
from tests.scripted_server import ScriptedServer


class Losing(ScriptedServer):
    """Loses each accepted mail of one raced round, or of each."""

    def __init__(self, rounds: str) -> None:
        super().__init__(when_raced=True)
        store = self.box.store
        self.box.store = lambda to, content, **how: (  # type: ignore[method-assign]
            None if re.search(f"message={rounds}".encode(), content) else store(to, content, **how)
        )


class Both(Losing):
    """It also refuses what it stores, in a later round; one after the other it loses mails only then."""

    def __init__(self) -> None:
        super().__init__("r(00001|90004)")
        self._refused = False

    def _content(self, session: socketserver.StreamRequestHandler) -> bytes | None:
        content = super()._content(session)
        self._refused = content is not None and b"message=r00004s01" in content
        return content

    def _say(self, session: socketserver.StreamRequestHandler, script: Script, stage: str) -> bool:
        if stage == "dot" and self._refused:
            script, self._refused = {"dot": b"451 4.3.0 try later\r\n"}, False
        return super()._say(session, script, stage)


@pytest.mark.slow
def test_what_shows_one_after_the_other_later_on_was_no_race(tmp_path: Path) -> None:
    with Both() as server:
        result = raced(server, tmp_path, rounds=8)
    assert dict(result.anomalies) == {"rejected_but_stored": 1}
    assert dict(result.broken_serially) == {"accepted_but_missing": 2}
    assert (result.hits, sum(block.hits for block in result.blocks)) == (1, 1)
    assert [w.anomaly.name.value for w in result.witnesses] == ["rejected_but_stored"]
    # Of a run that is killed later, the journal says the same.
    (history,) = read_histories(tmp_path / "out" / HISTORY)
    judged = {record.index: one for lane, record, one in history.rounds if lane == "target"}
    shown = {index for index, one in judged.items() if one is not None and one.anomalies}
    assert shown == {4}


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "is_said"), [("r00004", True), ("r0000", False)], ids=["one", "each"])
def test_what_the_rounds_one_after_the_other_do_not_rule_out_is_said(
    rounds: str, *, is_said: bool, tmp_path: Path
) -> None:
    with Losing(rounds) as server:
        result = raced(server, tmp_path, rounds=8)
    assert result.verdict is Verdict.RACE
    said = "accepted_but_missing was not seen in 4 rounds that ran one after the other"
    assert any(said in one for one in result.not_looked) is is_said, result.not_looked
