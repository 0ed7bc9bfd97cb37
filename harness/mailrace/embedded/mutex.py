"""A mutex like Go's: a running task takes it before a woken one, until one has waited a millisecond."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

STARVING_NS = 1_000_000
"""A task that has waited longer, and is again woken in vain, makes the mutex starve (Go's `sync.Mutex`)."""


class Mutex:
    """Not fair, unlike asyncio.Lock: a task that unlocks and locks again at once has it again.

    A starving mutex is handed to the first task in the queue, which runs at once, before the task that
    unlocked does anything else. A statement that steer holds makes everyone wait that long; a native one
    seldom does.

    clock_ns   monotonic nanoseconds
    """

    def __init__(self, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock_ns = clock_ns
        self._is_locked = False
        self._is_starving = False
        self._is_woken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold it for the block."""
        await self._lock()
        try:
            yield
        finally:
            if self._unlock():
                await asyncio.sleep(0)  # who has it now runs first

    async def _lock(self) -> None:
        began_ns: int | None = None
        has_starved = False
        while self._is_locked or self._is_starving:
            self._is_starving |= has_starved
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            if began_ns is None:
                began_ns = self._clock_ns()
                self._waiting.append(turn)
            else:
                self._waiting.appendleft(turn)
            await turn
            has_starved = has_starved or self._clock_ns() - began_ns > STARVING_NS
            if self._is_starving:
                self._is_starving = has_starved and bool(self._waiting)
                break
            self._is_woken = False
        self._is_locked = True

    def _unlock(self) -> bool:
        """True: it was handed over. Else at most one waiter is woken, and has to be there in time."""
        self._is_locked = False
        if self._is_woken:
            return False
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # cancelled, at the end of the process
                turn.set_result(None)
                self._is_woken = not self._is_starving
                return self._is_starving
        self._is_starving = False
        return False
