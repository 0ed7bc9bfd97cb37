"""Statements as HTTP requests to rqlite, or to whoever speaks its interface: the driver of steer.

The requests are those of gorqlite, the client in Mailpit: GET /status once, then POST /db/query and
/db/execute with `[["SQL", arg, …]]`. As there, Mailpit's BEGIN and COMMIT send nothing. Only the
transactions of `fixed` (BEGIN IMMEDIATE) are sent, as statements of their own, with the ROLLBACK or COMMIT
that ends them: all between them come on one connection and belong together.
"""

from typing import TypedDict

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from mailrace.embedded.driver import Answer, Statement, StatementFailed, Value

TIMEOUT_S = 10
"""gorqlite's: a statement held longer fails in its client."""

_PARAMETERS = "timings&level=weak&transaction"


class _Result(TypedDict, total=False):
    """What comes back for one statement."""

    error: str
    values: list[list[Value]]
    last_insert_id: int
    rows_affected: int


class RqliteDriver:
    """A remote store behind one HTTP connection, as Mailpit's pool of one has it.

    names_errors   failures carry the store's words; older clients only count them
    """

    stores_blobs = False

    def __init__(self, url: str, *, names_errors: bool) -> None:
        self._url = url.rstrip("/")
        self._names_errors = names_errors
        self._session: ClientSession | None = None
        self._is_pretending = False

    async def open(self) -> None:
        """Ask for the status once; raises StatementFailed where nothing answers."""
        self._session = ClientSession(
            connector=TCPConnector(limit=1, keepalive_timeout=25),
            timeout=ClientTimeout(total=TIMEOUT_S),
            trust_env=False,
        )
        try:
            async with self._session.get(f"{self._url}/status") as reply:
                await reply.read()
        except (ClientError, TimeoutError) as error:
            await self.close()
            raise StatementFailed(f"[db] cannot reach {self._url}: {error}") from error

    async def statement(self, statement: Statement) -> Answer:
        """Send it and wait for the answer; BEGIN and COMMIT of a plain transaction are not sent."""
        if statement.kind == "control":
            if statement.sql == "BEGIN":
                self._is_pretending = True
                return Answer()
            if self._is_pretending:
                self._is_pretending = False
                return Answer()
        path = "query" if statement.kind == "query" else "execute"
        result = await self._post(path, [[statement.sql, *statement.args]])
        if "error" in result:
            words = f"\n{result['error']}" if self._names_errors else ""
            raise StatementFailed(f"there were 1 statement errors{words}")
        return _answer(result)

    async def _post(self, path: str, statements: list[list[Value]]) -> _Result:
        assert self._session is not None, "the driver is not open"
        # A statement without arguments goes as a bare string.
        body = [s if len(s) > 1 else s[0] for s in statements]
        try:
            async with self._session.post(f"{self._url}/db/{path}?{_PARAMETERS}", json=body) as reply:
                document = await reply.json(content_type=None)
        except (ClientError, TimeoutError, ValueError) as error:
            raise StatementFailed(
                f"tried all peers unsuccessfully: {error or type(error).__name__}"
            ) from error
        results: list[_Result] = document.get("results") or []
        return results[0] if results else _Result(error=document.get("error", "no results"))

    async def close(self) -> None:
        """Close the connection; may be called twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _answer(result: _Result) -> Answer:
    return Answer(
        rows=tuple(tuple(row) for row in result.get("values") or ()),
        last_insert_id=int(result.get("last_insert_id") or 0),
        rows_affected=int(result.get("rows_affected") or 0),
    )
