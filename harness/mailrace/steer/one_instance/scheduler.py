"""What steers one instance: what to do while a step is held is decided by a scheduler."""

from dataclasses import dataclass
from typing import Protocol

from mailrace.steer.database_proxy.statement_text import text_of
from mailrace.steer.explore.graph import Node


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do while a step is held: whose last byte to write, and how many decoys to queue."""

    release: tuple[int, ...] = ()
    decoys: int = 0
    is_lost: bool = False
    """The plan cannot be kept any more."""


GO_ON = Decision()


class Scheduler(Protocol):
    """Decides at each held step; `node` is the state before it."""

    def first(self) -> int:
        """Whose last byte is written first."""

    def hold(self, node: Node, actor: int, released: frozenset[int], decoys: int) -> Decision:
        """The actor's step is held at `node`, and that many decoys are queued."""

    def idle(self, node: Node, released: frozenset[int]) -> int:
        """Every released actor has ended: whose last byte is next."""

    def choose(self, node: Node, last: int, able: tuple[int, ...]) -> int | None:
        """Whose step is next after `last`'s (-1: none was) where it is ours to say; None: the plan is lost.

        It is ours on a server with a connection for each actor. `able`: who has a step at the proxy, or has
        not begun.
        """


def step_text(node: Node, actor: int) -> str:
    """The texts of the actor's next step, arguments left out."""
    return " ; ".join(text_of(sql) for sql, _ in node.steps[actor].calls)
