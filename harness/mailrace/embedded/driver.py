"""What a statement meets on its way to the store: the protocol Driver, its Statement and its Answer.

Every statement of the embedded reference, background ones too, passes `Driver.statement`: that is the one
scheduling point, where a scheduler may hold it as long as it likes. There are two drivers: SqliteDriver, a
file in this process, and RqliteDriver, which sends each statement over HTTP as Mailpit does with
`--database http://…`. A scheduler in the same process wraps either.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol

Value = str | int | float | bytes | None
Row = tuple[Value, ...]
Kind = Literal["query", "execute", "control"]

_actor: ContextVar[str] = ContextVar("actor", default="background")


@contextmanager
def acting(actor: str) -> Iterator[None]:
    """Name whom the statements sent within belong to, e.g. `smtp 40123` or `PUT /api/v1/tags`."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement on its way.

    kind    `query` returns rows, `execute` counts, `control` is BEGIN, COMMIT or ROLLBACK
    actor   a hint at whom it belongs to; `background` for what no client asked for
    """

    sql: str
    args: tuple[Value, ...]
    kind: Kind
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a statement gave: rows of a query, or the counts of anything else."""

    rows: tuple[Row, ...] = ()
    last_insert_id: int = 0
    rows_affected: int = 0


class StatementFailed(Exception):
    """The store refused a statement; the text is what Mailpit would log and show."""


class Driver(Protocol):
    """Where statements go, one at a time for each instance: its pool holds a single connection."""

    stores_blobs: bool
    """False where binary data has to be written as a hexadecimal literal."""

    async def open(self) -> None:
        """Make ready; raises StatementFailed where the store cannot be reached."""

    async def statement(self, statement: Statement) -> Answer:
        """Carry it out, sooner or later; raises StatementFailed with the store's words."""

    async def close(self) -> None:
        """Give everything back."""


def actor_now() -> str:
    """The name given by the innermost `acting`."""
    return _actor.get()
