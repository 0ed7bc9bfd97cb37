"""Rounds in order to blocks, for drift; and the control that the rule for PASS goes by."""

from collections.abc import Sequence

from harness.model.result import Block, ControlResult

BLOCK_ROUNDS = 50


def in_blocks(
    hits: Sequence[bool], control_hits: Sequence[bool] = (), rounds_per_block: int = BLOCK_ROUNDS
) -> tuple[Block, ...]:
    """Blocks of consecutive rounds, each with the hits of the target and of its control.

    hits, control_hits   one a round, in the order of the rounds; `control_hits` may be shorter, or empty
    A last block of less than half the length joins the one before it.
    """
    if not hits:
        return ()
    starts = list(range(0, len(hits), rounds_per_block))
    if len(starts) > 1 and len(hits) - starts[-1] < rounds_per_block / 2:
        starts.pop()
    ends = [*starts[1:], len(hits)]
    return tuple(
        Block(first_round=a, rounds=b - a, hits=sum(hits[a:b]), control_hits=sum(control_hits[a:b]))
        for a, b in zip(starts, ends, strict=True)
    )


def deciding_control(controls: Sequence[ControlResult]) -> ControlResult | None:
    """The control that the rule goes by: of those of kind 1 and 2 that fired, the rarest.

    Where none of these fired, one of them all the same (the advice is then about it), else the first of
    kind 3, else None. The rarest makes the strongest claim, and the fewest pairs to make it with.
    """
    strong = [control for control in controls if control.kind in (1, 2)]
    fired = [control for control in strong if control.pairs_fired]
    if fired:
        return min(fired, key=lambda control: control.pairs_fired / control.pairs)
    return next(iter(strong or controls), None)
