"""What one order was: its blocks in the order they went out, and the record of the round."""

from dataclasses import dataclass

from mailrace.model.attempt import RoundRecord
from mailrace.steer.database_proxy.attribution import Names
from mailrace.steer.database_proxy.proxy import Statement


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


def actor_names(run: Run) -> tuple[str, ...]:
    """The actors' names, by index."""
    return tuple(o.key for o in run.record.plan.operations)


def stretches_in_words(order: tuple[int, ...], names: tuple[str, ...]) -> str:
    """`send.1:1-4 send.2:1-8`: whose statements came one after the other, numbered from 1."""
    return " ".join(f"{names[a]}:{first}-{last}" for a, first, last in _stretches(order))


def _stretches(order: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """(actor, first, last) of each run of one actor's blocks, numbered from 1."""
    found: list[tuple[int, int, int]] = []
    count: dict[int, int] = {}
    for actor in order:
        count[actor] = count.get(actor, 0) + 1
        if found and found[-1][0] == actor:
            found[-1] = (actor, found[-1][1], count[actor])
        else:
            found.append((actor, count[actor], count[actor]))
    return found
