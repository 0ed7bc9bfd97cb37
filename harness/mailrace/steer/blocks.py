"""What one order was: its blocks in the order they went out, and the record of the round."""

from dataclasses import dataclass

from mailrace.model.attempt import RoundRecord
from mailrace.steer.attribution import Names
from mailrace.steer.door import Statement


@dataclass(frozen=True, slots=True)
class Block:
    """What went out in one step: one statement, or those of one transaction; and what they were told.

    call    the statements as they compare between runs
    """

    actor: int
    statements: tuple[Statement, ...]
    call: str


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One complete order: its blocks, the round's record, and what names were given."""

    blocks: tuple[Block, ...]
    record: RoundRecord
    names: Names
    seconds: float

    @property
    def order(self) -> tuple[int, ...]:
        """The actor of each block."""
        return tuple(b.actor for b in self.blocks)
