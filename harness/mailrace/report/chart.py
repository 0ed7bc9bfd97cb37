"""Takes the blocks of a race; gives the bars of its chart: hit rates of target and control by block."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailrace.model.result import Block

HEIGHT = 120
"""Height in px of a bar for a rate of 100 %."""
BAR_WIDTH = 16
BLOCKS_MAX = 40
"""Where there are more blocks, neighbours are joined, so that the chart stays readable."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its left edge, top and height in px, and what it says."""

    x: int
    y: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the table that says the same, and the size of the drawing in px."""

    width: int
    bars: tuple[Bar, ...]
    blocks: tuple[Block, ...]
    group: int


def block_chart(blocks: Sequence[Block], *, with_control: bool) -> Chart | None:
    """The chart, or None where there is nothing to compare."""
    if len(blocks) < 2:
        return None
    shown = _joined(blocks)
    group = (2 if with_control else 1) * (BAR_WIDTH + 2) + 10
    bars: list[Bar] = []
    for place, block in enumerate(shown):
        rates = [("target", block.hits), *([("control", block.control_hits)] if with_control else [])]
        for offset, (kind, hits) in enumerate(rates):
            height = round(hits / max(block.rounds, 1) * HEIGHT, 1)
            bars.append(Bar(place * group + offset * (BAR_WIDTH + 2), HEIGHT - height, height, kind))
    return Chart(width=len(shown) * group, bars=tuple(bars), blocks=shown, group=group)


def _joined(blocks: Sequence[Block]) -> tuple[Block, ...]:
    size = -(-len(blocks) // BLOCKS_MAX)
    groups = [blocks[i : i + size] for i in range(0, len(blocks), size)]
    return tuple(
        Block(
            first_round=g[0].first_round,
            rounds=sum(b.rounds for b in g),
            hits=sum(b.hits for b in g),
            control_hits=sum(b.control_hits for b in g),
        )
        for g in groups
    )
