"""Blocks of rounds, and which control decides."""

from harness.model.result import Block, ControlResult
from harness.verdict import deciding_control, in_blocks


def control(kind: int, fired: int, pairs: int = 100) -> ControlResult:
    return ControlResult(
        target=f"kind {kind}",
        scenario="s",
        kind=kind,
        why="",
        pairs=pairs,
        pairs_fired=fired,
        hits=fired,
        confidence=0.99,
        bound=None,
    )


def test_rounds_fall_into_blocks_and_a_short_rest_joins_the_last() -> None:
    hits = [True, False, False, True, True, False, True]
    assert in_blocks(hits, [True] * 4, rounds_per_block=3) == (
        Block(first_round=0, rounds=3, hits=1, control_hits=3),
        Block(first_round=3, rounds=4, hits=3, control_hits=1),
    )
    assert [block.rounds for block in in_blocks(hits[:5], rounds_per_block=3)] == [3, 2]
    assert [block.rounds for block in in_blocks(hits[:1], rounds_per_block=3)] == [1]
    assert in_blocks([]) == ()


def test_the_rarest_of_the_strong_controls_that_fired_decides() -> None:
    often, rare, dead, weak = control(1, 80), control(2, 20), control(2, 0), control(3, 5)
    assert deciding_control([often, rare, dead, weak]) is rare
    assert deciding_control([control(1, 10, 20), control(2, 20, 100)]) == control(2, 20, 100)
    assert deciding_control([weak, dead]) is dead
    assert deciding_control([weak]) is weak
    assert deciding_control([]) is None
