"""Who gets the one connection next."""

import asyncio
from collections import Counter

from mailrace.embedded.mutex import STARVING_NS, Mutex
from mailrace.embedded.pool import Pool


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


async def _three_times_each(hold_ns: int) -> str:
    """Two tasks that each hold a mutex three times, for that long, and ask again at once."""
    now_ns = 0
    mutex = Mutex(lambda: now_ns)
    turns: list[str] = []

    async def three_times(name: str) -> None:
        nonlocal now_ns
        for _ in range(3):
            async with mutex.held():
                turns.append(name)
                now_ns += hold_ns
                await asyncio.sleep(0)

    await asyncio.gather(three_times("a"), three_times("b"))
    return "".join(turns)


def test_a_mutex_is_handed_to_who_waited_over_a_millisecond_and_was_woken_in_vain() -> None:
    assert asyncio.run(_three_times_each(hold_ns=STARVING_NS // 6)) == "aaabbb"
    assert asyncio.run(_three_times_each(hold_ns=STARVING_NS + 1)) == "aabbab"


async def _what_comes_after_the_second_unlock(hold_ns: int) -> list[str]:
    now_ns = 0
    mutex = Mutex(lambda: now_ns)
    done: list[str] = []

    async def first() -> None:
        nonlocal now_ns
        for _ in range(2):
            async with mutex.held():
                now_ns += hold_ns
                await asyncio.sleep(0)
        done.append("first goes on")

    async def second() -> None:
        async with mutex.held():
            done.append("second has it")

    await asyncio.gather(first(), second())
    return done


def test_who_is_handed_a_mutex_runs_before_who_unlocked_it() -> None:
    """Go yields there: what the second sends to the store comes before what the first sends next."""
    assert asyncio.run(_what_comes_after_the_second_unlock(2 * STARVING_NS)) == [
        "second has it",
        "first goes on",
    ]
    assert asyncio.run(_what_comes_after_the_second_unlock(1)) == ["first goes on", "second has it"]


def test_a_waiter_that_is_gone_is_not_handed_the_mutex() -> None:
    async def run() -> list[str]:
        mutex = Mutex()
        turns: list[str] = []

        async def once(name: str) -> None:
            async with mutex.held():
                turns.append(name)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(once(name)) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return turns

    assert asyncio.run(run()) == ["a", "c"]
