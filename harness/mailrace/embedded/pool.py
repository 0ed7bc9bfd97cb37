"""The pool of one connection: whoever asks waits, and Go's rule decides who gets it next."""

import asyncio
from random import Random


class Pool:
    """One connection, handed from holder to holder.

    Without waiters it lies free. With one waiter it goes to that one, even if the holder asks again at once.
    With several, a seeded draw picks one (Go: `connRequestSet.TakeRandom` from 1.23, before that the random
    order of a map), so nobody can rely on fairness, as in the real program.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._free = True
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def waiting_count(self) -> int:
        """How many are in the queue now."""
        return len(self._waiting)

    @property
    def is_free(self) -> bool:
        """True where nobody holds the connection."""
        return self._free

    async def acquire(self) -> None:
        """Return once the connection is the caller's; without limit, as in the real program."""
        if self._free:
            self._free = False
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Hand the connection to a waiter, drawn where there are several, or lay it down."""
        if not self._waiting:
            self._free = True
            return
        index = self._random.randrange(len(self._waiting)) if len(self._waiting) > 1 else 0
        self._waiting.pop(index).set_result(None)
