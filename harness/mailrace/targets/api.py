"""Takes a base URL; gives Mailpit's REST API as typed calls, each with a time limit, its errors as sentences.

    TargetError
    └── ApiError         carries the request
        ├── Unanswered   connected or written, and no (whole) answer within the limit
        ├── Unreachable  refused, no such host, cut off
        └── BadAnswer    an answer that is not the wanted one; `status` is its HTTP status

No call here can delete everything by accident: an empty list of IDs, which Mailpit takes for "all", is an
InternalError, and `delete_all` says what it does.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from mailrace.model.errors import InternalError, TargetError
from mailrace.targets.cutting import whole_within
from mailrace.targets.failures import cause, refusal
from mailrace.targets.rows import NotMailpit, Page, decoded, info_of, names_of, object_of, page_of
from mailrace.targets.wires import opened_by, wire_url

if TYPE_CHECKING:
    import socket

    import requests

_T = TypeVar("_T")

PAGE_ROWS_MAX = 5_000
"""From 1.30.0 a page over 32,766 rows returns every `Tags` empty; far below is also kinder to the server."""
PAGES_MAX = 2_000
CUT_S_LATER = 0.2
"""How long after a single read's limit the whole is cut: the read's own error says more."""
ANSWER_BYTES_MAX = 256 * 1024 * 1024


class ApiError(TargetError):
    """A REST call that failed."""


class Unanswered(ApiError):
    """No (whole) answer within the time limit."""


class Unreachable(ApiError):
    """The connection was refused or cut off."""


class BadAnswer(ApiError):
    """An answer of another status, or of another program."""

    def __init__(self, sentence: str, status: int) -> None:
        self.status = status
        super().__init__(sentence)


class Api:
    """One server's REST API, `base_url` being `http://HOST:PORT[/webroot]`; keeps its connection.

    `auth` is (user, password) for basic authentication and stands in no error, log or repr. `timeout_s`
    limits connecting, each read, and the whole of an answer; `verify` is True, False or a file of
    certificates. Proxies and netrc of the environment are ignored. One thread at a time.
    """

    def __init__(
        self,
        base_url: str,
        auth: tuple[str, str] | None = None,
        timeout_s: float = 5.0,
        *,
        verify: bool | str = True,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._wire_url = wire_url(self.base_url)
        self.timeout_s = timeout_s
        self._auth = auth
        self._verify = verify
        self._session: requests.Session | None = None
        self._sockets: list[socket.socket] = []

    def __repr__(self) -> str:
        return f"Api({self.base_url!r})"

    def close(self) -> None:
        """Close the kept connection; the next call opens another."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def messages(self, start: int = 0, limit: int = 50) -> Page:
        """A page of the mailbox, newest first; `limit` 1 to 5,000 (0 means 50 or all, by version)."""
        return self._page("/api/v1/messages", {}, start, limit)

    def search(self, query: str, start: int, limit: int) -> Page:
        """A page of what matches: substrings without case, `_` and `%` being wildcards."""
        return self._page("/api/v1/search", {"query": query}, start, limit)

    def pages(self, query: str | None = None, rows: int = PAGE_ROWS_MAX) -> Iterator[Page]:
        """All pages of the mailbox or of a search, at least one; the traffic should be quiet."""
        start = 0
        for _ in range(PAGES_MAX):
            page = self.messages(start, rows) if query is None else self.search(query, start, rows)
            yield page
            start += len(page.messages)
            # A server may give fewer rows than it is asked for, and have more.
            if not page.messages or start >= page.matching:
                return
        raise ApiError(f"{self.base_url}: its pages do not end; {start} rows were read")

    def tags(self) -> tuple[str, ...]:
        """Every tag name, in the server's order."""
        return self._get(names_of, "/api/v1/tags")

    def info(self) -> Mapping[str, object]:
        """`GET /info`: lists every tag, so it grows; may look for a new release."""
        return self._get(info_of, "/api/v1/info")

    def settings(self, path: str) -> Mapping[str, object]:
        """A JSON object that tells how the server is set up: `/api/v1/webui`, `/api/v1/chaos`."""
        return self._get(object_of, path)

    def raw(self, row_id: str) -> bytes:
        """A message's source as stored, by its server ID; does not mark it read."""
        return self._call("GET", f"/api/v1/message/{quote(row_id, safe='')}/raw")

    def page_of_message(self, row_id: str) -> Mapping[str, object] | None:
        """A message as `GET /message/ID` shows it, which marks it read; None where there is none."""
        path = f"/api/v1/message/{quote(row_id, safe='')}"
        try:
            return self.settings(path)
        except BadAnswer as wrong:
            if wrong.status in (400, 404):
                return None
            raise

    def delete(self, ids: Sequence[str]) -> None:
        """Delete these; a repeated or stale ID can hang a server up to 1.30.6 for good."""
        if isinstance(ids, str) or not ids or not all(ids):
            raise InternalError(f"delete({ids!r}): an empty list of IDs deletes everything")
        self._call("DELETE", "/api/v1/messages", body={"IDs": list(ids)})

    def delete_all(self) -> None:
        """Delete everything there is; only ever for a server of ours."""
        self._call("DELETE", "/api/v1/messages")

    def delete_tag(self, tag: str) -> None:
        """Delete a tag, not its messages (1.19.0)."""
        self._call("DELETE", f"/api/v1/tags/{quote(tag, safe='')}")

    def _page(self, path: str, query: Mapping[str, str], start: int, limit: int) -> Page:
        if not 1 <= limit <= PAGE_ROWS_MAX or start < 0:
            raise InternalError(
                f"{path}: start {start}, limit {limit}; wanted 0 or more, 1 to {PAGE_ROWS_MAX}"
            )

        def read(document: object) -> Page:
            page = page_of(document)
            if len(page.messages) > limit:
                raise NotMailpit(f"{len(page.messages)} rows where {limit} were asked for")
            return page

        return self._get(read, path, {**query, "start": str(start), "limit": str(limit)})

    def _get(self, read: Callable[[object], _T], path: str, query: Mapping[str, str] | None = None) -> _T:
        """What `read` finds in the JSON of an answer. BadAnswer where it raises NotMailpit."""
        answer = self._call("GET", path, query)
        try:
            return read(decoded(answer))
        except NotMailpit as error:
            raise BadAnswer(
                f"GET {self.base_url}{path}: answered, but not as Mailpit does ({error}); is another "
                "program listening there, or is Mailpit's webroot missing from the URL?",
                200,
            ) from error

    def _call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> bytes:
        import requests

        # Each read has a limit, and so has the whole exchange: a server that sends byte by byte is late, too.
        place = f"{method} {self.base_url}{path}"
        late = f"{place}: no whole answer within {self.timeout_s:g} s"
        ends = time.monotonic() + self.timeout_s
        try:
            session = self._opened()
            request = requests.Request(method, self._wire_url + path, params=query, json=body)
            prepared = session.prepare_request(request)
            with (
                whole_within(self.timeout_s + CUT_S_LATER, lambda: list(self._sockets)),
                # Redirects, cookies and hooks, which a session adds, would take as long as the answer.
                session.get_adapter(self._wire_url).send(
                    prepared, stream=True, timeout=self.timeout_s, verify=self._verify
                ) as response,
            ):
                answer = self._read(response, place, ends)
                status, reason = response.status_code, response.reason or ""
                target = response.headers.get("Location", "")
        except requests.exceptions.Timeout as error:
            raise Unanswered(f"{place}: no answer within {self.timeout_s:g} s") from error
        except TimeoutError as error:
            # No single read was too late, but all of them together were: the answer came byte by byte.
            raise Unanswered(late) from error
        except requests.exceptions.RequestException as error:
            if "timed out" in str(error).lower() or time.monotonic() >= ends:
                raise Unanswered(late) from error
            raise Unreachable(f"{place}: {cause(error)}") from error
        if status == 200:
            return answer
        raise BadAnswer(f"{place}: {refusal(status, reason, target, answer)}", status)

    def _opened(self) -> "requests.Session":
        import requests
        import urllib3

        if self._session is None:
            self._session = requests.Session()
            self._session.trust_env = False
            self._session.auth = self._auth
            # To compress a page takes longer than to send it.
            self._session.headers["Accept-Encoding"] = "identity"
            self._sockets = opened_by(self._session, self.base_url)
            if self._verify is False:
                # The user asked to take any certificate, so a warning at each request tells nobody anything.
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return self._session

    def _read(self, response: "requests.Response", place: str, ends: float) -> bytes:
        """The whole body, as long as it is not too large."""
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(65_536):
            parts.append(part)
            size += len(part)
            if time.monotonic() > ends:
                raise Unanswered(f"{place}: no whole answer within {self.timeout_s:g} s")
            if size > ANSWER_BYTES_MAX:
                raise BadAnswer(f"{place}: an answer over {ANSWER_BYTES_MAX} bytes", response.status_code)
        return b"".join(parts)
