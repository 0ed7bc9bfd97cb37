"""Takes an `Api` and a run's recipient domain; gives what the server stores for it, in a few requests."""

from collections.abc import Container, Iterable, Mapping

from mailrace.model.attempt import Disagreement, Stored, StoredMessage
from mailrace.model.errors import TargetError
from mailrace.targets.api import PAGE_ROWS_MAX, Api, ApiError, BadAnswer
from mailrace.targets.views import disagreements


def stored_by_list(api: Api, domain: str = "") -> Stored:
    """Every row there is, from pages of the whole mailbox: for a server of ours.

    `domain`: only rows with a recipient there, for a store that another run uses at the same time.
    """
    found: dict[str, StoredMessage] = {}
    rows = total = matching = 0
    for page in api.pages():
        rows += len(page.messages)
        total, matching = page.total, page.matching
        found.update({m.id: m for m in page.messages if not domain or _is_for(m, domain, "")})
    _agree(api, "list", rows, matching)
    _agree(api, "list, by its total", rows, total)
    return Stored(messages=tuple(found.values()), tags=api.tags())


def stored_by_search(api: Api, domain: str, block: str = "") -> Stored:
    """The rows of this run, found by searches for its domain, so that nobody else's mail is read.

    The search by `bcc:` finds recipients that stand in no header. The tags are those that one of these
    messages has or that name the run. `block`: only recipients that begin so.
    """
    found: dict[str, StoredMessage] = {}
    tags: dict[str, None] = {}
    narrowed = [block] if block else []
    for field in ("to", "bcc"):
        query = " ".join(f"{field}:{word}" for word in [*narrowed, f"@{domain}"])
        rows = total = 0
        for page in api.pages(query):
            rows += len(page.messages)
            total = page.matching
            found.update({m.id: m for m in page.messages if _is_for(m, domain, block)})
            tags.update(dict.fromkeys(page.tags))
        _agree(api, query, rows, total)
    return Stored(messages=tuple(found.values()), tags=_own(tags, found.values(), domain))


class OverRest:
    """The part of a target that is the same for all that were started: what it answers over its REST API."""

    name: str
    _api: Api | None = None

    @property
    def api(self) -> Api:
        """The REST API of the (first) server; raises TargetError before the start."""
        if self._api is None:
            raise TargetError(f"{self.name}: not started")
        return self._api

    def source(self, row_id: str) -> bytes | None:
        """A message's source; None where the server says that it has none (404; 400 in older versions)."""
        try:
            return self.api.raw(row_id)
        except BadAnswer as wrong:
            if wrong.status in (400, 404):
                return None
            raise

    def search(self, query: str) -> tuple[str, ...]:
        """The server IDs that a search finds, at most a page of them."""
        return tuple(message.id for message in self.api.search(query, 0, PAGE_ROWS_MAX).messages)

    def disagreements(
        self, listed: Stored, domain: str, gone: Mapping[str, str], known: Container[str] = ()
    ) -> tuple[Disagreement, ...]:
        """See `views.disagreements`."""
        return disagreements(self.api, listed, domain, gone, known)

    def relayed(self) -> tuple[bytes, ...]:
        """None: it has no relay of ours."""
        return ()

    def _close_api(self) -> None:
        """Close our own connections to it; the server goes on."""
        if self._api is not None:
            self._api.close()
            self._api = None


def _is_for(message: StoredMessage, domain: str, block: str) -> bool:
    """Search matches substrings and wildcards, so what it finds is looked at again."""
    recipients = (*message.to, *message.cc, *message.bcc)
    end = "@" + domain.lower()
    return any(address.endswith(end) and address.startswith(block.lower()) for address in recipients)


def _own(tags: Iterable[str], messages: Iterable[StoredMessage], domain: str) -> tuple[str, ...]:
    """The tags that one of the messages has, or that name the run."""
    run = domain.partition(".")[0].lower()
    held = {tag.lower() for message in messages for tag in message.tags}
    return tuple(tag for tag in tags if tag.lower() in held or run in tag.lower())


def _agree(api: Api, what: str, rows: int, total: int) -> None:
    if rows != total:
        raise ApiError(
            f"{api.base_url}: {what}: it counts {total} messages and shows {rows}; was its traffic quiet?"
        )
