"""A fault that is rare: whether it needs a race is not known from a few rounds one after the other."""

from pathlib import Path

import pytest
from mailrace.model.result import Verdict

from tests.race.test_strangers_beside import raced
from tests.scripted_server import ScriptedServer


class Losing(ScriptedServer):
    """Loses each accepted mail of one raced round, or of each."""

    def __init__(self, rounds: str) -> None:
        super().__init__(when_raced=True)
        store = self.box.store
        self.box.store = lambda to, content, **how: (  # type: ignore[method-assign]
            None if f"message={rounds}".encode() in content else store(to, content, **how)
        )


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
