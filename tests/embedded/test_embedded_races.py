"""Each named race shows at some release point on the versions that have it, and at none on `fixed`.

One operation is stopped at each of its statements in turn while the other sets out (release points, 0
deviations); which cells are empty is what a prototype measured on the real releases (docs/steer.md).
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mailrace.embedded.database import Database
from mailrace.embedded.driver import StatementFailed
from mailrace.embedded.listing import count
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.pool import Pool
from mailrace.embedded.schema import apply_schema
from mailrace.embedded.settings import TagSources
from mailrace.embedded.sqlite_driver import SqliteDriver
from mailrace.embedded.versions import VERSIONS

from tests.embedded.conversation_mails import BASE, IMAGE, IMAGE_HEAD
from tests.embedded.stage import Act, HoldingDriver, Outcome, mail, release_points, sends, turns

pytestmark = pytest.mark.slow

RELEASED = ("1.17.0", "1.17.1", "1.27.11", "1.30.5", "1.33.1")
NEW = ("1.30.5", "1.33.1")


TAGGED = mail("given", "T")
UNTAGGED = mail("given")
OTHERWISE_TAGGED = mail("given", "W, V")


def _delete(mailbox: Mailbox, given: str) -> Awaitable[None]:
    return mailbox.delete([given])


def _retag(mailbox: Mailbox, given: str) -> Awaitable[None]:
    return mailbox.set_tags([given], ["U"])


def _tag(mailbox: Mailbox, given: str) -> Awaitable[None]:
    return mailbox.set_tags([given], ["T"])


CASES: dict[str, tuple[Act, Act, bytes, Callable[[Outcome], bool], tuple[str, ...]]] = {
    "S1 two senders, one new tag": (
        sends("first", "T"),
        sends("second", "t"),
        b"",
        lambda o: o.refused_and_stored,
        ("1.17.0",),
    ),
    "S2 deletion of the tag's last holder, a sender": (
        _delete,
        sends("second", "T"),
        TAGGED,
        lambda o: o.refused_and_stored,
        NEW,
    ),
    "S3 deletion of the tag's last holder, a sender": (
        _delete,
        sends("second", "T"),
        TAGGED,
        lambda o: o.tag_lost,
        RELEASED,
    ),
    "S3 a sender, deletion of an unrelated message": (
        sends("first", "T"),
        _delete,
        UNTAGGED,
        lambda o: o.tag_lost,
        RELEASED,
    ),
    "S3 retagging of an unrelated message, a sender": (
        _retag,
        sends("second", "T"),
        OTHERWISE_TAGGED,
        lambda o: o.tag_lost,
        RELEASED,
    ),
    "S2 a sender, renaming of its tag": (
        sends("first", "T"),
        lambda mailbox, _: mailbox.rename_tag("T", "R"),
        TAGGED,
        lambda o: o.refused_and_stored,
        NEW,
    ),
    "S2 a sender, deletion of its tag": (
        sends("first", "T"),
        lambda mailbox, _: mailbox.delete_tag("T"),
        TAGGED,
        lambda o: o.refused_and_stored,
        NEW,
    ),
    "S2 deletion by search, a sender": (
        lambda mailbox, _: mailbox.delete_search("subject:given"),
        sends("second", "T"),
        TAGGED,
        lambda o: o.refused_and_stored,
        NEW,
    ),
    "S8 a sender, deletion of what it sends": (
        sends("first", "T"),
        lambda mailbox, _: mailbox.delete_search("subject:first"),
        b"",
        lambda o: not o.rows and o.tags != [],
        RELEASED,
    ),
}


@pytest.mark.parametrize("version", [*RELEASED, "fixed"])
@pytest.mark.parametrize("name", CASES)
def test_race_is_where_the_release_has_it(name: str, version: str) -> None:
    first, second, given, is_bad, found_on = CASES[name]
    outcomes = release_points(version, first, second, given)
    bad = [point for point, outcome in enumerate(outcomes, start=1) if is_bad(outcome)]
    assert bool(bad) == (version in found_on), bad


@pytest.mark.parametrize("version", [*RELEASED, "fixed"])
def test_s6_two_of_one_message_id(version: str) -> None:
    acts = sends("first", "T", "same"), sends("second", "U", "same")
    outcomes = release_points(version, *acts, ignore_duplicate_ids=True)
    assert any(len(outcome.rows) == 2 for outcome in outcomes) == (version != "fixed")
    assert all(set(outcome.replies.values()) == {"ok"} for outcome in outcomes)


@pytest.mark.parametrize("version", [*RELEASED, "fixed"])
def test_s7_a_tag_twice_on_one_message(version: str) -> None:
    """Strict alternation shows it everywhere but on 1.27.11, whose mutex and count keep the two apart."""
    outcomes = release_points(version, _tag, _tag, UNTAGGED)
    found = any(outcome.rows == [("given", ["T", "T"])] for outcome in outcomes)
    assert found == (version in ("1.17.0", "1.17.1", *NEW))


@pytest.mark.parametrize("version", ["1.27.11", "fixed"])
def test_s7_with_decoys(version: str) -> None:
    """Two readers in the queue make the pool draw: among 12 seeds some order shows it on 1.27.11."""
    runs = [release_points(version, _tag, _tag, UNTAGGED, decoys=2, seed=seed) for seed in range(12)]
    found = any(outcome.rows == [("given", ["T", "T"])] for outcomes in runs for outcome in outcomes)
    assert found == (version == "1.27.11")


@pytest.mark.parametrize("version", [*RELEASED, "fixed"])
def test_s4_a_stale_id_beside_a_live_one(version: str, tmp_path: Path) -> None:
    async def run() -> None:
        driver = HoldingDriver(tmp_path / "mail.db", hold=0)
        mailbox = Mailbox(Database(Pool(seed=1), driver), VERSIONS[version], TagSources(), False)
        await driver.open()
        await apply_schema(mailbox.db)
        live = await mailbox.accept("f@x.test", ["t@x.test"], mail("live"))
        if version in ("1.33.1", "fixed"):
            await mailbox.delete([live, "stale", live])
            assert await count(mailbox.db) == 0
        else:
            with pytest.raises(StatementFailed, match="missing argument with index 2"):
                await mailbox.delete([live, "stale"])
            assert not mailbox.db.pool.is_free
            next_one = asyncio.create_task(count(mailbox.db))
            assert not await turns(next_one.done), "the connection came back"
            next_one.cancel()
        await driver.close()

    asyncio.run(run())


def test_the_mutex_keeps_two_new_tags_apart() -> None:
    """With it nobody is refused at any point, and both mails hold the tag."""
    for version in ("1.17.1", "1.27.11"):
        outcomes = release_points(version, sends("first", "T"), sends("second", "T"))
        assert len(outcomes) >= 7
        assert {tuple(tags) for outcome in outcomes for _, tags in outcome.rows} == {("T",)}


async def _still_shown(version: str, delete: Callable[[Mailbox, str], Awaitable[None]]) -> bool:
    """Whether a message with an image is shown that was deleted while somebody parsed it."""
    mailbox = Mailbox(
        Database(Pool(1), SqliteDriver(Path(":memory:"))), VERSIONS[version], TagSources(), False
    )
    await mailbox.db.driver.open()
    await apply_schema(mailbox.db)
    message = await mailbox.accept("f@x.test", ["t@x.test"], f"{BASE}{IMAGE_HEAD}\r\n\r\n{IMAGE}".encode())
    with ThreadPoolExecutor(1) as workers:
        loop, parsing = asyncio.get_running_loop(), threading.Event()
        loop.set_default_executor(workers)
        # The one worker is busy, so whatever is parsed in a thread waits until the deletion is over.
        workers.submit(parsing.wait)
        reads = asyncio.ensure_future(mailbox.parsed.get(mailbox.db, message))
        await turns(reads.done)
        await delete(mailbox, message)
        parsing.set()
        assert await reads is not None
        assert (await mailbox.db.query("SELECT COUNT(*) FROM mailbox"))[0][0] == 0
        return await mailbox.parsed.get(mailbox.db, message) is not None


@pytest.mark.parametrize(("version", "is_shown"), [("1.33.1", True), ("1.30.5", False), ("fixed", False)])
def test_s15_a_message_parsed_while_it_is_deleted_is_still_shown(version: str, is_shown: bool) -> None:
    by_id = _still_shown(version, lambda mailbox, message: mailbox.delete([message]))
    by_search = _still_shown(version, lambda mailbox, _: mailbox.delete_search("subject:image"))
    assert (asyncio.run(by_id), asyncio.run(by_search)) == (is_shown, is_shown)
