"""Pairs of rounds, typed in: what one version did in the very pairs in which the other showed something."""

import pytest
from mailrace.model.result import Rule, ScenarioResult, Verdict
from mailrace.studies.gate.compare import Again, compare
from mailrace.studies.gate.raced import Pair, is_settled, seen_in_pairs

from tests.built import control
from tests.studies.study_results import raced

NONE: frozenset[str] = frozenset()
LOST, DOUBLE = frozenset({"tag_lost"}), frozenset({"duplicated"})
RULE = Rule()
RACE = Verdict.RACE


def test_each_anomaly_is_counted_in_its_own_pairs() -> None:
    pairs = [Pair(LOST, LOST), Pair(NONE, DOUBLE), Pair(NONE, NONE), Pair(LOST, NONE), Pair(NONE, DOUBLE)]
    assert seen_in_pairs(pairs) == {
        "tag_lost": Again(runs=5, hits=1),
        "duplicated": Again(runs=2, hits=0),
    }


def test_pairs_that_were_not_looked_at_count_for_nothing() -> None:
    assert seen_in_pairs([Pair(None, LOST), Pair(LOST, None)]) == {}


@pytest.mark.parametrize(
    ("shown", "hidden"),
    [("tag_lost", "hang"), ("tag_lost", "crash"), ("hang", "crash"), ("not_serializable", "duplicated")],
)
@pytest.mark.parametrize("is_old", [True, False])
def test_pairs_in_which_one_version_could_not_show_it_count_for_nothing(
    shown: str, hidden: str, is_old: bool
) -> None:
    """The store of a server that hangs is not read, and a finer name stands for the whole outcome."""

    def pair(one: str, other: str) -> Pair:
        return Pair(frozenset({one}), frozenset({other}) if other else NONE)

    pairs = [pair(shown, hidden)] * 40 + [pair(shown, "")] * 3
    turned = pairs if is_old else [Pair(p.new, p.old) for p in pairs]
    assert seen_in_pairs(turned)[shown] == Again(runs=3, hits=0)


@pytest.mark.parametrize(("kind", "expected"), [(1, {"tag_lost": Again(runs=1, hits=0)}), (3, {})])
def test_an_old_version_of_the_third_kind_fixes_nothing(kind: int, expected: dict[str, Again]) -> None:
    assert seen_in_pairs([Pair(LOST, NONE)], kind) == expected


def test_what_a_server_of_another_kind_does_not_show_is_new_all_the_same() -> None:
    assert seen_in_pairs([Pair(NONE, LOST)] * 30, 3) == {"tag_lost": Again(runs=30, hits=0)}


@pytest.mark.parametrize(
    ("pairs", "patience", "settled"),
    [
        ([], None, False),
        ([Pair(NONE, NONE)] * 59, 60, False),
        ([Pair(NONE, NONE)] * 60, 60, True),
        ([Pair(NONE, NONE)] * 999, None, False),
        ([Pair(NONE, LOST)] * 29, 60, False),
        ([Pair(NONE, LOST)] * 30, 60, True),
        ([Pair(LOST, NONE)] * 30, 60, True),
        # On both: settled for this one, and after 17 pairs that raced also for those that were not seen.
        ([Pair(LOST, LOST)] * 16, 60, False),
        ([Pair(LOST, LOST)] * 17, 60, True),
        # A rare one beside a frequent one keeps it open.
        ([Pair(LOST, LOST)] * 40 + [Pair(NONE, DOUBLE)], 60, False),
    ],
)
def test_when_more_pairs_can_change_nothing(pairs: list[Pair], patience: int | None, settled: bool) -> None:
    assert is_settled(pairs, RULE, patience=patience) is settled


def changes(old: ScenarioResult, new: ScenarioResult) -> dict[str, str]:
    return {finding.anomaly: finding.change for finding in compare(old, new, {}, RULE)}


@pytest.mark.parametrize(
    ("gone", "shown"),
    [("tag_lost", "hang"), ("accepted_but_missing", "crash"), ("not_serializable", "duplicated")],
)
def test_rounds_in_which_an_anomaly_is_not_looked_for_do_not_fix_it(gone: str, shown: str) -> None:
    """The store of a server that hangs is not read, and a finer name stands for the whole outcome."""
    beside = control(60)
    for new in (raced(RACE, **{shown: 60}), raced(RACE, control=beside, **{shown: 60})):
        found = changes(raced(RACE, **{gone: 60}), new)
        assert found[gone] == "could not look"
    # Where rounds that show something else are enough without them, they are.
    enough = raced(RACE, hits=200, **{shown: 60, "envelope_leaked": 140})
    found = changes(raced(RACE, **{gone: 60}), enough)
    assert found[gone] == ("fixed" if gone != "not_serializable" else "could not look")
