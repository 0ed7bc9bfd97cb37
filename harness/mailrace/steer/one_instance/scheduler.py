"""What steers one instance, decided at each held block; and what a run there shows of its locks."""

from dataclasses import dataclass
from typing import Protocol

from mailrace.steer.database_proxy.attribution import text_of
from mailrace.steer.explore.graph import Node


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do while a block is held: whose last byte to write, and how many decoys to queue."""

    release: tuple[int, ...] = ()
    decoys: int = 0
    is_lost: bool = False
    """The plan cannot be kept any more."""


GO_ON = Decision()


class Scheduler(Protocol):
    """Decides at each held block; `node` is the state before it."""

    def first(self) -> int:
        """Whose last byte is written first."""

    def hold(self, node: Node, actor: int, released: frozenset[int], decoys: int) -> Decision:
        """The actor's block is held at `node`, and that many decoys are queued."""

    def idle(self, node: Node, released: frozenset[int]) -> int:
        """Every released actor has ended: whose last byte is next."""


@dataclass(frozen=True, slots=True)
class Section:
    """Whether one instance let another's block between two of an actor's: by texts, arguments left out."""

    before: str
    after: str
    other: str


def section_of(before: Node, node: Node, last: int, other: int) -> Section:
    """The section at `node` between `last`'s block from `before` and its next one, for `other`'s next."""
    return Section(step_text(before, last), step_text(node, last), step_text(node, other))


def step_text(node: Node, actor: int) -> str:
    """The texts of the actor's next block, arguments left out."""
    return " ; ".join(text_of(sql) for sql, _ in node.steps[actor].calls)
