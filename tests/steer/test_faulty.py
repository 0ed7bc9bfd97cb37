"""Servers with one fault, or one oddity, that are steered: no wrong RACE, no wrong PASS."""

from collections.abc import Callable
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
found = await whole(self, sender, recipients, raw)
async def later():
    await asyncio.sleep(random.uniform(0.008, 0.014))
    await self.db.query("SELECT COUNT(*) FROM mailbox WHERE Subject = ?", "nothing")
TASKS.append(asyncio.ensure_future(later()))
return found
"""


@pytest.mark.slow
@pytest.mark.parametrize("given", [TWO_SENDERS, A_DELETION], ids=lambda g: g["name"])
def test_work_after_the_reply_is_no_hang(tmp_path: Path, given: dict[str, object]) -> None:
    found = steer(
        scenario_from(given, tmp_path), program(tmp_path, "TASKS = []\n" + accepting(LATE), "fixed")
    )
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason
    assert "after" in found.reason
    assert "hang" not in found.anomalies


LOSES_ALL = """
return "0123456789012345678901"
"""
SWAPS = """
others = [other for other in IN_FLIGHT if other != raw]
IN_FLIGHT.append(raw)
await self.db.query("SELECT COUNT(*) FROM mailbox WHERE Subject = ?", "a pause")
subject = next((l for l in (others or [raw])[0].splitlines() if l.startswith(b"Subject:")), b"Subject: ?")
own = next(l for l in raw.splitlines() if l.startswith(b"Subject:"))
found = await whole(self, sender, recipients, raw.replace(own, subject))
IN_FLIGHT.remove(raw)
return found
"""
SHORTENS_OTHERS = """
found = await whole(self, sender, recipients, raw)
await self.db.execute("UPDATE mailbox SET Subject = ? WHERE ID != ? AND Subject LIKE ?", "x", found, "%g02")
return found
"""


def test_what_breaks_without_a_race_is_neither_race_nor_pass(tmp_path: Path) -> None:
    found = steer(scenario_from(TWO_SENDERS, tmp_path), program(tmp_path, accepting(LOSES_ALL), "fixed"))
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason
    assert "accepted_but_missing" in found.broken_serially
    assert "a broken promise, not a race" in found.reason


def test_an_edit_excuses_only_what_it_touches(tmp_path: Path) -> None:
    name = program(tmp_path, accepting(SHORTENS_OTHERS), "fixed")
    found = steer(scenario_from(A_DELETION, tmp_path), name)
    assert found.verdict is Verdict.INCONCLUSIVE, found.reason
    assert "older_changed" in found.broken_serially


@pytest.mark.slow
def test_a_subject_of_another_sender_is_seen_on_every_schedule(tmp_path: Path) -> None:
    given = {**TWO_SENDERS, "target": {"instances": 1}}
    patch = "IN_FLIGHT = []\n" + accepting(SWAPS)
    found = steer(scenario_from(given, tmp_path), program(tmp_path, patch, "fixed"))
    assert found.verdict is not Verdict.PASS, found.reason


@pytest.mark.slow
def test_a_server_that_hides_its_store_from_its_users_is_not_clean(
    faulty: Callable[..., str], tmp_path: Path
) -> None:
    result = steer(scenario_from(TWO_SENDERS, tmp_path), faulty("lists_are_empty"))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "REST could not be read" in result.reason


@pytest.mark.parametrize("kind", ["release", "pop3_retrieve"])
def test_half_a_mail_that_leaves_the_server_is_a_race(
    kind: str, tmp_path: Path, faulty: Callable[..., str]
) -> None:
    given = {
        "name": "half",
        "given": [{"name": "old"}],
        "actors": [{kind: {"message": "old"}}, {"delete": {"messages": ["old"]}}],
    }
    scenario = scenario_from(given, tmp_path)
    result = steer(scenario, faulty("half_a_source_beside_a_deletion", of="1.33.1"))
    assert (result.verdict, set(result.anomalies)) == (Verdict.RACE, {"not_serializable"})
    assert steer(scenario, "embedded@1.33.1").verdict is Verdict.PASS
