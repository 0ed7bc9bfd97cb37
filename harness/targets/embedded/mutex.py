"""A mutex as Go's in its normal mode: who runs takes it before who was woken."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Mutex:
    """Not fair, unlike asyncio.Lock: a task that unlocks and locks again at once has it again.

    Go turns fair after a waiter has waited 1 ms; that mode is left out (STEER.md, "Hence").
    """

    def __init__(self) -> None:
        self._locked = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold it for the block."""
        while self._locked:
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(woken)
            await woken
        self._locked = True
        try:
            yield
        finally:
            self._locked = False
            if self._waiting:
                self._waiting.popleft().set_result(None)
