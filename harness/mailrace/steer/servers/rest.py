"""A rig and what its store's tables hold in, whether the server shows the same over REST out.

Schedules are judged by the tables, which takes no request. What users see comes by REST, where a server may
ask tables that nobody here knows of: an index, a count. So each content of the store is looked at there once.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

from mailrace.model.attempt import Disagreement, Stored
from mailrace.model.errors import MachineTrouble, MailraceError, ScheduleMissed, TargetError
from mailrace.steer.database_proxy.proxy import pass_all
from mailrace.steer.database_proxy.quiet import wait_quiet
from mailrace.steer.database_proxy.store import rows
from mailrace.steer.servers.instance import Instance
from mailrace.steer.servers.rig import Rig
from mailrace.targets import Unanswered, Unreachable

UNANSWERED_MAX = 3
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
    "AND name != 'mailbox_data' ORDER BY name"
)
_SOURCES = "SELECT ID FROM mailbox_data"
"""The sources of messages hold instants, and are compared with what was sent each time. Here: whose."""


def rest_differs(rig: Rig, own: Stored | None) -> str:
    """How REST differs from the store as it was read at the proxy, in words; "" where both agree.

    It is asked for after the serial orders and after each realisation.
    """
    if own is None:
        return "the store was not read"
    try:
        with rig.loop.in_background():
            shown = rig.instances[0].target.stored("")
    except MailraceError as wrong:
        return f"REST could not be read: {wrong}"
    return "" if _is_same(shown, own) else "REST showed another store than was read at the proxy"


@dataclass(slots=True)
class Views:
    """What servers show of a round's store over REST.

    agreed   by the store's content: whether all views showed it as the tables have it
    trouble  why nobody is asked any more, in words: a server that did not answer three times; "" if it does
    """

    rig: Rig
    domain: str
    agreed: dict[str, bool] = field(default_factory=dict)
    trouble: str = ""
    _unanswered: int = 0

    def seen(self, own: Stored, instance: Instance, known: Mapping[str, str]) -> Stored:
        """What is stored with what a client is shown otherwise by a list, searches, counts and pages.

        known   server IDs of the round's messages, with their keys. The page of one that is gone is asked
                for where its ID still stands in a table: each instance has a memory of its own

        Raises ScheduleMissed where the server does not answer in time, which a busy machine can do, too.
        """
        there = {row.id for row in own.messages}
        gone = {row_id: key for row_id, key in known.items() if row_id not in there}
        content, left = self._content(own, gone)
        if self.trouble or self.agreed.get(content):
            return own
        try:
            with self._unnoticed(instance):
                shown = instance.target.stored("")
                two = instance.target.disagreements(shown, self.domain, left)
        except (Unanswered, Unreachable, MachineTrouble) as wrong:
            # Once or twice the schedule is run again; a server that never answers is told so, once for all.
            self._unanswered += 1
            if self._unanswered < UNANSWERED_MAX:
                raise ScheduleMissed(str(wrong)) from wrong
            self.trouble = f"REST could not be read: {wrong}"
            return own
        except TargetError as wrong:
            two = (Disagreement(key="", one="its store could be read", other=str(wrong)),)
            return replace(own, disagreeing=two)
        # The server has answered. What a client is shown counts, wherever it is not what the tables hold.
        self.agreed[content] = not two and _is_same(shown, own)
        if not _is_same(shown, own):
            sources = {row.id: row.source for row in own.messages}
            listed = tuple(replace(row, source=sources.get(row.id)) for row in shown.messages)
            own = replace(own, messages=listed, tags=shown.tags)
        return replace(own, disagreeing=two)

    def _content(self, own: Stored, gone: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        """A digest of the whole store, and those of the messages that are `gone` whose IDs are still in it.

        It is alike in runs that differ in server IDs and instants only.
        """
        names = {row.id: row.key for row in own.messages} | {**gone}
        digest = hashlib.sha256()
        connection = self.rig.store.connection
        sources = [str(row_id) for (row_id,) in rows(connection, _SOURCES)]
        left = set(sources) & gone.keys()
        digest.update(repr(sorted(names.get(row_id, "another") for row_id in sources)).encode())
        for (table,) in rows(connection, _TABLES):
            held = rows(connection, f'SELECT * FROM "{table!s}"')
            left |= {row_id for row_id in gone if row_id in repr(held)}
            texts = sorted(repr([_plain(value, names) for value in row]) for row in held)
            digest.update(repr((table, texts)).encode())
        return digest.hexdigest(), {row_id: gone[row_id] for row_id in left}

    @contextmanager
    def _unnoticed(self, instance: Instance) -> Iterator[None]:
        """Ask while nothing is held, and leave no trace: what is asked for here is nobody's statement.

        The server is quiet before and after, so that a broadcast of its own is noticed whole or not at all.
        """
        proxy, quiet = self.rig.proxy, [instance.pid]
        gate, counted = proxy.gate, proxy.counted
        proxy.gate = pass_all
        wait_quiet(self.rig.loop, quiet)
        noted, proxy.counted = len(proxy.journal), frozenset()
        try:
            with self.rig.loop.in_background():
                yield
        finally:
            wait_quiet(self.rig.loop, quiet)
            proxy.gate, proxy.counted = gate, counted
            del proxy.journal[noted:]


def _is_same(shown: Stored, own: Stored) -> bool:
    """Whether it is the same rows and tags, newest first; rows of one millisecond may stand in any order."""
    held = {replace(row, source=None) for row in own.messages}
    is_ordered = all(newer.created_ms >= older.created_ms for newer, older in pairwise(shown.messages))
    return is_ordered and (set(shown.messages), set(shown.tags)) == (held, set(own.tags))


def _plain(value: object, names: dict[str, str]) -> object:
    if isinstance(value, int | float) and value > 1e12:
        return "an instant"
    if isinstance(value, str):
        for row_id, name in names.items():
            value = value.replace(row_id, name)
    return value
