"""A rig and what its store's tables hold in, whether the server shows the same over REST out.

Schedules are judged by the tables, which takes no request. What users see comes by REST, where a server may
ask tables that nobody here knows of: an index, a count. So each content of the store is looked at there once.
An instance that all actors share may keep more in its memory: there each content is looked at once more, and
the list after each schedule.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

from mailrace.model.attempt import Disagreement, Stored, Word
from mailrace.model.errors import (
    MachineTrouble,
    MailraceError,
    ScheduleMissed,
    StoreChanged,
    TargetError,
)
from mailrace.steer.database_proxy.proxy import pass_all
from mailrace.steer.database_proxy.quiet import LOOKS, wait_quiet
from mailrace.steer.database_proxy.store import rows
from mailrace.steer.servers.instance import Instance
from mailrace.steer.servers.rig import ANSWER_S_MAX, Rig
from mailrace.targets import Unanswered, Unreachable
from mailrace.targets.api import PAGE_ROWS_MAX
from mailrace.targets.rows import NotMailpit, decoded, page_of

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


Shown = tuple[Stored, tuple[Disagreement, ...]]
"""What the list shows, and where other views differ from it."""


@dataclass(slots=True)
class Views:
    """What servers show of a round's store over REST.

    agreed   contents of the store that all views showed as the tables have them
    differed     whether an instance that its actors share ever showed one otherwise
    trouble  why nobody is asked any more, in words: a server that did not answer three times; "" if it does
    """

    rig: Rig
    domain: str
    agreed: set[str] = field(default_factory=set)
    differed: bool = False
    trouble: str = ""
    _unanswered: int = 0

    def seen(self, own: Stored, instance: Instance, known: Mapping[str, str]) -> Stored:
        """What is stored with what a client is shown otherwise by a list, searches, counts and pages.

        known   server IDs of the round's messages, with their keys. The page of one that is gone is asked
                for where its ID still stands in a table: each instance has a memory of its own

        Raises ScheduleMissed where the server does not answer in time, which a busy machine can do, too.
        """
        gone = _gone(own, known)
        content, left = self._content(own, gone)
        if self.trouble or content in self.agreed:
            return own
        return self._shown(own, instance, content, partial(self._every_view, gone=left))

    def seen_where_shared(self, own: Stored, instance: Instance, known: Mapping[str, str]) -> Stored:
        """The same of an instance that all actors share: its memory may hold what no table does.

        So each content is looked at here once more, with the pages of all that is gone, and list and tags
        are each time; every view, once one has differed. Raises as `seen`.
        """
        if self.trouble:
            return own
        gone = _gone(own, known)
        content = f"where shared: {self._content(own, gone)[0]}"
        is_known = content in self.agreed and not self.differed
        ask = self._list if is_known else partial(self._every_view, gone=gone)
        found = self._shown(own, instance, content, ask)
        self.differed = self.differed or found is not own
        return found

    def _every_view(self, instance: Instance, gone: Mapping[str, str]) -> Shown:
        with self.rig.loop.in_background():
            shown = instance.target.stored("")
            return shown, instance.target.disagreements(shown, self.domain, gone)

    def _list(self, instance: Instance) -> Shown:
        """The first page, which holds all that a round stores, and the tags with it: one request."""
        link = instance.get(f"/api/v1/messages?start=0&limit={PAGE_ROWS_MAX}", "list")
        if not self.rig.loop.pump(lambda: link.is_idle, ANSWER_S_MAX):
            link.give_up()
            raise Unanswered(f"the list was not shown within {ANSWER_S_MAX:g} s")
        ending = link.conversation.ending if link.conversation else None
        if ending is None or ending.word is not Word.ACCEPTED:
            told = f"{ending.code or ''} {ending.text}".strip() if ending else "nothing"
            raise TargetError(f"GET /api/v1/messages: {told}")
        try:
            page = page_of(decoded(ending.text.encode("utf-8", "replace")))
        except NotMailpit as wrong:
            raise TargetError(f"GET /api/v1/messages: answered, but not as Mailpit does ({wrong})") from wrong
        return Stored(messages=page.messages, tags=page.tags), ()

    def _shown(
        self, own: Stored, instance: Instance, content: str, ask: Callable[[Instance], Shown]
    ) -> Stored:
        try:
            with self._unnoticed(instance):
                shown, two = ask(instance)
        except (Unanswered, Unreachable, MachineTrouble) as wrong:
            # Once or twice the schedule is run again; a server that never answers is told so, once for all.
            self._unanswered += 1
            if self._unanswered < UNANSWERED_MAX:
                raise ScheduleMissed(str(wrong)) from wrong
            self.trouble = f"REST could not be read: {wrong}"
            return own
        except StoreChanged as wrong:
            raise ScheduleMissed(str(wrong)) from wrong
        except TargetError as wrong:
            two = (Disagreement(key="", one="its store could be read", other=str(wrong)),)
            return replace(own, disagreeing=two)
        # The server has answered. What a client is shown counts, wherever it is not what the tables hold.
        if not two and _is_same(shown, own):
            self.agreed.add(content)
            return own
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
        proxy = self.rig.proxy

        def quiet() -> None:
            # Only where a broadcast may come just now it is worth to be sure.
            may_come = self.rig.broadcasts.may_come(instance.index)
            wait_quiet(self.rig.loop, [instance.pid], looks=LOOKS if may_come else 1)

        gate, counted = proxy.gate, proxy.counted
        proxy.gate = pass_all
        quiet()
        noted, proxy.counted = len(proxy.journal), frozenset()
        try:
            yield
        finally:
            quiet()
            proxy.gate, proxy.counted = gate, counted
            del proxy.journal[noted:]


def _gone(own: Stored, known: Mapping[str, str]) -> dict[str, str]:
    """Those of the known IDs, with their keys, that are not stored any more."""
    there = {row.id for row in own.messages}
    return {row_id: key for row_id, key in known.items() if row_id not in there}


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
