"""No faults: servers that keep every promise, in an unusual way."""

import asyncio
from typing import Any

from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault

from planted.mail_lost import EDITS

LATE_S = 0.010


@fault
def statement_after_the_reply(meet: Meet) -> None:
    """Correct: 10 ms after the reply to a mail or an edit, one statement that changes nothing."""
    running: set[asyncio.Task[Any]] = set()

    def later(mailbox: Mailbox) -> None:
        task = asyncio.ensure_future(mailbox.db.execute("DELETE FROM settings WHERE Key = ?", "nothing"))
        running.add(task)
        task.add_done_callback(running.discard)

    for name in ("accept", "delete_all", *EDITS):

        @around(Mailbox, name)
        async def work(inner: Any, mailbox: Mailbox, *rest: Any) -> Any:
            found = await inner(mailbox, *rest)
            asyncio.get_running_loop().call_later(LATE_S, later, mailbox)
            return found


@fault
def no_fault(meet: Meet) -> None:
    """Correct: the reference as it is, taken for a Mailpit."""
