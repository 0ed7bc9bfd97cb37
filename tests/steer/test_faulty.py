"""Servers with one fault, or one oddity, that are steered: no wrong RACE, no wrong PASS."""

from pathlib import Path

import pytest
from mailrace.model.result import Verdict
from mailrace.scenario import scenario_from
from mailrace.steer import steer

from tests.steer.faulty import accepting, program

TWO_SENDERS = {
    "name": "two",
    "title": "two senders",
    "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}],
}
A_DELETION = {
    "name": "deletion",
    "title": "a sender beside the deletion of another mail, with a third that nobody touches",
    "given": [{"name": "old", "tags": ["{run}-old"]}, {"name": "other", "tags": ["{run}-other"]}],
    "actors": [{"send": {"count": 1, "tags": ["{run}-{round}"]}}, {"delete": {"messages": ["old"]}}],
}

LATE = """
import asyncio, random
found = await whole(self, sender, recipients, raw, username)
async def later():
    await asyncio.sleep(random.uniform(0.008, 0.014))
    await self.db.query("SELECT COUNT(*) FROM mailbox WHERE Subject = ?", "nothing")
self._tasks.add(asyncio.ensure_future(later()))
return found
"""


@pytest.mark.slow
@pytest.mark.parametrize("given", [TWO_SENDERS, A_DELETION], ids=lambda g: g["name"])
def test_work_after_the_reply_is_no_hang(tmp_path: Path, given: dict[str, object]) -> None:
    found = steer(scenario_from(given, tmp_path), program(tmp_path, accepting(LATE), "fixed"))
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason
    assert "after" in found.reason
    assert "hang" not in found.anomalies
