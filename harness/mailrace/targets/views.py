"""Takes a quiet server's list; gives where its other views contradict it: search, tags, counts, pages.

The list is compared with what the searches find, with the numbers and tags of `GET /info`, and with pages of
single messages. A page marks its message read, so only those of messages that are read already or gone are
asked for.
"""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import takewhile

from mailrace.model.attempt import Disagreement, Stored, StoredMessage
from mailrace.model.errors import StoreChanged
from mailrace.targets.api import Api

GONE_MAX, READ_MAX = 500, 500
"""How many pages of single messages a look asks for: of messages that are gone, of messages that are read."""
TAGS_MAX = 500
"""Tags that are searched for at a look, the newest first."""
SUBJECTS_MAX = 2
"""Subjects searched for one by one, the newest first; where there are more, their common beginning is."""
_SYNTAX = frozenset('"%_<>,;()')
"""Characters that a search may take for syntax."""


def disagreements(
    api: Api, listed: Stored, domain: str, gone: Mapping[str, str], known: Container[str] = ()
) -> tuple[Disagreement, ...]:
    """Where another view differs from the list of the whole mailbox, which nothing changes meanwhile.

    domain   the run's own, whose messages are searched for
    gone     server IDs of messages that are no longer listed, with their keys
    known    server IDs of messages whose tags, subject and page an earlier look asked for

    It takes a handful of requests, and one for each new tag, each message that is gone and each new one that
    is read. Raises TargetError; StoreChanged where the list itself is another one afterwards.
    """
    new = [row for row in listed.messages if row.id not in known]
    # A server keeps messages in memory for some seconds only, so the pages come first.
    found = (
        *_shown(api, gone, new),
        *_searched(api, listed, domain, new),
        *_counted(api, listed),
    )
    if found and _has_changed(api, listed, domain):
        raise StoreChanged(
            f"{api.base_url}: its list changed while it was looked at and nothing was under way"
        )
    return found


def _has_changed(api: Api, listed: Stored, domain: str) -> bool:
    """Whether the list is no longer as it was: then other views that were read since cannot contradict it."""
    before, now = set(listed.messages), {row for page in api.pages() for row in page.messages}
    return not before <= now or bool(_to(domain, list(now - before)))


def _searched(api: Api, listed: Stored, domain: str, new: Sequence[StoredMessage]) -> Iterator[Disagreement]:
    """By recipient, tag and subject: the same rows, each with the same tags and read flag."""
    yield from _compared(f"search to:@{domain}", _to(domain, listed.messages), _found(api, f"to:@{domain}"))
    # An odd spelling could be taken for search syntax, so only plain tags are searched for.
    held = dict.fromkeys(t.lower() for row in new for t in row.tags if '"' not in t)
    for tag in list(held)[:TAGS_MAX]:
        holders = [row for row in listed.messages if tag in map(str.lower, row.tags)]
        yield from _compared(f'search tag:"{tag}"', holders, _found(api, f'tag:"{tag}"'))

    written = dict.fromkeys(row.subject.lower() for row in _to(domain, new) if row.subject.isascii())
    subjects = [s for s in written if s.strip() and _SYNTAX.isdisjoint(s)]
    # One search finds all that begin alike, where a search for each would take as long as the race itself.
    alike = [_beginning(subjects)] if len(subjects) > SUBJECTS_MAX else []
    for subject in filter(None, [*subjects[:SUBJECTS_MAX], *alike]):
        holders = [row for row in listed.messages if subject in row.subject.lower()]
        query = f'subject:"{subject}"'
        yield from _compared(f"search {query}", holders, _found(api, query))


def _beginning(words: Sequence[str]) -> str:
    """What all of them begin with; "" where that is nothing."""
    pairs = zip(min(words), max(words), strict=False)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)).strip()


def _to(domain: str, rows: Sequence[StoredMessage]) -> list[StoredMessage]:
    return [row for row in rows if any(address.endswith(f"@{domain.lower()}") for address in row.to)]


def _found(api: Api, query: str) -> list[StoredMessage]:
    return [row for page in api.pages(query) for row in page.messages]


def _compared(
    view: str, rows: Sequence[StoredMessage], found: Sequence[StoredMessage]
) -> Iterator[Disagreement]:
    by_id = {row.id: row for row in found}
    for row in rows:
        other = by_id.pop(row.id, None)
        if other is None or (sorted(other.tags), other.read) != (sorted(row.tags), row.read):
            says = f"{view} does not find it" if other is None else f"{view} shows it {_state(other)}"
            yield Disagreement(key=row.key, one=f"the list shows ID {row.id} {_state(row)}", other=says)
    for row in by_id.values():
        yield Disagreement(
            key=row.key, one=f"the list has no such row with ID {row.id}", other=f"{view} finds it"
        )


def _state(row: StoredMessage) -> str:
    return f"{'read' if row.read else 'unread'} with tags [{', '.join(sorted(row.tags))}]"


def _counted(api: Api, listed: Stored) -> Iterator[Disagreement]:
    """The numbers of `GET /info`: all messages, unread ones, and those with each tag of a listed message."""
    info = api.info()
    tags = info.get("Tags")
    by_tag = {str(t).lower(): n for t, n in tags.items()} if isinstance(tags, dict) else {}
    counts = Counter(tag.lower() for row in listed.messages for tag in row.tags)
    # A tag that is in the list of tags and on no message is a ghost, which is told as `tag_ghost`.
    ghosts = set(map(str.lower, listed.tags))
    counts.update(dict.fromkeys(by_tag.keys() - counts.keys() - ghosts, 0))
    said = [
        ("messages", len(listed.messages), info.get("Messages")),
        ("unread messages", sum(not row.read for row in listed.messages), info.get("Unread")),
        *(
            (f"messages with the tag {tag}", n, by_tag.get(tag))
            for tag, n in counts.items()
            if tags is not None
        ),
    ]
    for what, shown, told in said:
        if (
            isinstance(told, int | float | None)
            and told != shown
            and not (told is None and "tag" not in what)
        ):
            yield Disagreement(
                key="", one=f"the list shows {shown} {what}", other=f"GET /api/v1/info says {told or 'none'}"
            )


def _shown(api: Api, gone: Mapping[str, str], new: Sequence[StoredMessage]) -> Iterator[Disagreement]:
    """A message's own page: none for one that is gone; the listed tags for one that is read already."""
    for row_id, key in list(gone.items())[-GONE_MAX:]:
        if api.page_of_message(row_id) is not None:
            view = f"GET /api/v1/message/{row_id} shows it"
            yield Disagreement(key=key, one=f"the list has no row with ID {row_id}", other=view)
    for row in [row for row in new if row.read][:READ_MAX]:
        page = api.page_of_message(row.id)
        tags = page.get("Tags") if page is not None else None
        if page is None or sorted(map(str, tags if isinstance(tags, list) else ())) != sorted(row.tags):
            says = "answers that there is none" if page is None else f"shows it with tags {tags or []}"
            one = f"the list shows ID {row.id} {_state(row)}"
            yield Disagreement(key=row.key, one=one, other=f"GET /api/v1/message/{row.id} {says}")
