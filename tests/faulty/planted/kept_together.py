"""No fault, a repair: runs of an operation's statements for which its connection is not given back."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from mailrace.embedded import mailbox, pop3, rest, smtp
from mailrace.embedded.pool import Pool
from mailrace.embedded.rqlite_driver import RqliteDriver
from mailrace.steer.database_proxy.statement_text import text_of
from planting import Meet, around, fault

RUNS = "MAILRACE_KEPT_TOGETHER"
"""The environment's variable that holds the runs, as run.json has them under `kept`."""

REQUESTS = {
    "send": r"smtp |POST /api/v1/send$",
    "delete": r"DELETE /api/v1/messages$",
    "delete_all": r"DELETE /api/v1/messages$",
    "delete_search": r"DELETE /api/v1/search$",
    "set_tags": r"PUT /api/v1/tags$",
    "rename_tag": r"PUT /api/v1/tags/",
    "delete_tag": r"DELETE /api/v1/tags/",
    "read_message": r"GET /api/v1/message/(?!latest$)[^/]+$",
    "set_read": r"PUT /api/v1/messages$",
    "view_latest": r"GET /view/latest$|GET /api/v1/message/latest$",
    "release": r"POST /api/v1/message/[^/]+/release$",
    "pop3_retrieve": r"pop3 ",
    "pop3_delete": r"pop3 ",
    "read": r"GET /api/v1/messages$",
}
"""What `acting` calls the requests of each kind of operation. Where two share one their texts tell them."""


@dataclass
class Work:
    """One request under way: how often each text was sent, and which of its runs have begun."""

    runs: list[dict[str, Any]]
    pool: Pool | None = None
    sent: Counter[str] = field(default_factory=Counter)
    open: set[int] = field(default_factory=set)
    is_holding: bool = False

    def note(self, sql: str) -> None:
        text = text_of(sql)
        self.sent[text] += 1
        for index, run in enumerate(self.runs):
            if (text, self.sent[text]) == (run["first"], run["nth"][0]):
                self.open.add(index)
            if (text, self.sent[text]) == (run["last"], run["nth"][1]):
                self.open.discard(index)


_work: ContextVar[Work | None] = ContextVar("work", default=None)


@fault
def kept_together(meet: Meet) -> None:
    """Correct, where the runs are a repair: nobody else gets the connection within one of them."""
    runs = json.loads(os.environ[RUNS])
    release_for_good = Pool.release

    for module in (mailbox, pop3, rest, smtp):

        @around(module, "acting")
        @contextmanager
        def acting(inner: Any, actor: str) -> Iterator[None]:
            own = [r for r in runs if re.match(REQUESTS[r["operation"]], actor)]
            work = Work(own)
            token = _work.set(work)
            try:
                with inner(actor):
                    yield
            finally:
                _work.reset(token)
                if work.is_holding and work.pool is not None:
                    release_for_good(work.pool)

    @around(RqliteDriver, "statement")
    async def statement(inner: Any, driver: Any, sent: Any) -> Any:
        try:
            return await inner(driver, sent)
        finally:
            if (work := _work.get()) is not None and sent.kind != "control":
                work.note(sent.sql)

    @around(Pool, "acquire")
    async def acquire(inner: Any, pool: Pool) -> None:
        work = _work.get()
        if work is None or not work.is_holding:
            await inner(pool)
            if work is not None:
                work.pool = pool

    @around(Pool, "release")
    def release(inner: Any, pool: Pool) -> None:
        work = _work.get()
        if work is not None:
            work.is_holding = bool(work.open)
        if work is None or not work.is_holding:
            inner(pool)
