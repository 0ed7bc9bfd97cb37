"""Who gets the one connection next."""

import asyncio
from collections import Counter

from harness.targets.embedded.mutex import Mutex
from harness.targets.embedded.pool import Pool


async def _order(seed: int, names: str) -> str:
    pool = Pool(seed)
    await pool.acquire()
    got: list[str] = []

    async def one(name: str) -> None:
        await pool.acquire()
        got.append(name)
        pool.release()

    tasks = [asyncio.create_task(one(name)) for name in names]
    while pool.waiting_count < len(names):
        await asyncio.sleep(0)
    pool.release()
    await asyncio.gather(*tasks)
    assert pool.is_free
    return "".join(got)


def test_one_waiter_comes_before_the_holder_that_asks_again() -> None:
    async def run() -> list[str]:
        pool = Pool(0)
        turns: list[str] = []

        async def three_times(name: str) -> None:
            for _ in range(3):
                await pool.acquire()
                turns.append(name)
                await asyncio.sleep(0)
                pool.release()

        await asyncio.gather(three_times("a"), three_times("b"))
        return turns

    assert asyncio.run(run()) == ["a", "b", "a", "b", "a", "b"]


def test_several_waiters_are_drawn_by_the_seed() -> None:
    orders = [asyncio.run(_order(seed, "abcd")) for seed in range(60)]
    assert orders[:9] == [asyncio.run(_order(seed, "abcd")) for seed in range(9)]
    firsts = Counter(order[0] for order in orders)
    # Each is drawn first with 1/4: that one of four never is in 60 draws has 4 * 0.75**60, about 1e-7.
    assert set(firsts) == set("abcd")


def test_a_waiter_that_gives_up_loses_nothing() -> None:
    async def run() -> None:
        pool = Pool(0)
        await pool.acquire()
        waiter = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        assert pool.waiting_count == 0
        pool.release()
        assert pool.is_free

    asyncio.run(run())


def test_one_that_gives_up_when_it_is_its_turn_hands_it_on() -> None:
    async def run() -> None:
        pool = Pool(0)
        await pool.acquire()
        waiter = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        pool.release()
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        assert pool.is_free

    asyncio.run(run())


def test_the_mutex_is_taken_again_before_who_was_woken() -> None:
    async def run() -> list[str]:
        mutex = Mutex()
        turns: list[str] = []

        async def twice(name: str) -> None:
            for _ in range(2):
                async with mutex.held():
                    turns.append(name)
                    await asyncio.sleep(0)

        await asyncio.gather(twice("a"), twice("b"))
        return turns

    assert asyncio.run(run()) == ["a", "a", "b", "b"]
