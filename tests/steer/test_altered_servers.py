"""Servers that steer has never seen: statements that no text tells apart, or that hang on what is in memory.

Each kind numbers its mail in another way (`faulty/planted/numbered.py`), in a racy form and in a correct one.
What cannot be decided is never called clean, and the reason names a statement.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.scenario import scenario_from
from mailrace.steer import steer

from tests.faulty.faulty_program import faulty_program
from tests.steer.altered import TWO_SENDERS, Altered, altered

pytestmark = pytest.mark.slow

DECIDED = (
    "same_text",
    "counts_as_broadcasts_do",
    "asks_settings_first",
    "repeats_under_load",
    "sequence_in_memory",
    "first_fills_a_cache",
    "behind_the_reply",
    "drawn_in_the_text",
    "merged_in_one_transaction",
    "several_in_one_request",
    "under_a_mutex",
    "under_a_read_write_lock",
    "locked_in_the_store_and_not_in_memory",
)
RACES_ONLY = {
    "every_third_does_more": "Number < ?",
    "in_any_order": "Number = ?",
    "asks_the_connection": "changes()",
}
"""Kinds of which only the race can be shown, with what the reason names of the correct form."""

MIXED_SEED, MIXED = 7, 6


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Altered]:
    with altered(tmp_path_factory.mktemp("altered")) as running:
        yield running


def is_clean(result: ScenarioResult) -> bool:
    return result.schedules is not None and result.schedules.exhaustive and not result.anomalies


@pytest.mark.parametrize("kind", DECIDED)
def test_both_forms_are_decided(kind: str, servers: Altered) -> None:
    racy = servers.decided(kind)
    assert racy.verdict is Verdict.RACE, racy.reason
    assert racy.witnesses
    # A repair that was tried holds, or it is said why that was not shown.
    assert racy.schedules is not None
    tried = [repair.verified or "" for cause in racy.schedules.causes for repair in cause.repair]
    assert all(said.startswith("not shown: ") for said in tried if said), tried
    correct = servers.decided(f"{kind}_benign")
    assert correct.verdict is Verdict.PASS, correct.reason
    assert is_clean(correct)


@pytest.mark.parametrize("kind", RACES_ONLY)
def test_what_hangs_on_more_than_it_was_told_is_no_pass_and_its_race_is_shown(
    kind: str, servers: Altered
) -> None:
    racy = servers.decided(kind)
    assert racy.verdict is Verdict.RACE, racy.reason
    correct = servers.steered(f"{kind}_benign")
    assert correct.verdict is Verdict.INCONCLUSIVE, correct.reason
    assert RACES_ONLY[kind] in correct.reason
    assert "race it natively" in correct.advice


@pytest.mark.parametrize(("form", "verdict"), [("", Verdict.RACE), ("_benign", Verdict.PASS)])
def test_a_pool_of_two_is_seen_and_its_schedules_are_chosen(
    form: str, verdict: Verdict, tmp_path: Path
) -> None:
    """Two statements of one instance wait at once: held, they are no hang of the server's."""
    with altered(tmp_path, f"pool_of_two{form}") as running:
        result = running.steered("")
    assert result.verdict is verdict, result.reason
    assert "hang" not in result.anomalies


def mixtures() -> Iterator[str]:
    """Servers that nobody thought of: what is before, what guards, how it is taken, and when."""
    chance = random.Random(MIXED_SEED)
    for _ in range(MIXED):
        before = chance.choice(["", "asks", "counts", "traced"])
        guard = chance.choice(["", "locked", "half"])
        take = chance.choice(["", "atomic", "ignoring", "again"])
        when = chance.choice(["", "behind"])
        once = "fills" if before and chance.random() < 0.3 else ""
        yield " ".join(word for word in (once, before, guard, take, when) if word)


@pytest.mark.parametrize("told", dict.fromkeys(mixtures()))
def test_no_mixture_is_called_what_it_is_not(told: str, servers: Altered) -> None:
    result = servers.steered(told or "plain")
    is_racy = not {"locked", "atomic", "ignoring", "again"} & set(told.split())
    wanted = Verdict.RACE if is_racy else Verdict.PASS
    assert result.verdict in (wanted, Verdict.INCONCLUSIVE), result.reason
    if result.verdict is Verdict.PASS:
        assert is_clean(result)


def test_a_race_behind_the_reply_comes_again_on_two_servers(tmp_path: Path) -> None:
    """Whose work it is was learnt while it was explored. Without that no repeat came."""
    target = {"target": {"instances": 2}}
    program = faulty_program(tmp_path, "behind_the_reply", "1.33.1")
    found = steer(scenario_from(TWO_SENDERS | target, tmp_path), program)
    assert found.verdict is Verdict.RACE, found.reason
    assert "20 of 20 repeats came to the same" in found.reason
