"""One running instance: a driver, a mailbox, SMTP, REST and POP3 in one loop; Settings in, addresses out."""

import asyncio
from pathlib import Path

from aiohttp import web

from mailrace.embedded.database import Database
from mailrace.embedded.driver import Driver
from mailrace.embedded.log import log
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.pool import Pool
from mailrace.embedded.pop3 import Pop3Session
from mailrace.embedded.rest import application
from mailrace.embedded.schema import apply_schema
from mailrace.embedded.settings import Address, Settings
from mailrace.embedded.smtp import Session
from mailrace.embedded.sqlite_driver import BUSY_MS, SqliteDriver


class Server:
    """One instance."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.driver = driver_for(settings)
        self.pool = Pool(settings.seed)
        self.mailbox = Mailbox(
            Database(self.pool, self.driver),
            settings.version,
            settings.tag_sources,
            settings.ignore_duplicate_ids,
        )
        self.smtp: Address = settings.smtp
        self.http: Address = settings.http
        self._line_servers: list[asyncio.Server] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Open the store and the ports; raises StatementFailed and OSError."""
        await self.driver.open()
        await apply_schema(self.mailbox.db)
        loop = asyncio.get_running_loop()
        smtp = await loop.create_server(
            lambda: Session(self.mailbox, self.settings, loop), *self.settings.smtp
        )
        self._line_servers.append(smtp)
        self.smtp = smtp.sockets[0].getsockname()[:2]
        log("info", f"[smtpd] starting on {self.smtp[0]}:{self.smtp[1]} (no encryption)")
        if self.settings.pop3_passwords:
            self._line_servers.append(await asyncio.start_server(self._pop3, *self.settings.pop3))
            log("info", f"[pop3] starting on {self.settings.pop3[0]}:{self.settings.pop3[1]}")
        self._runner = web.AppRunner(
            application(self.mailbox, self.settings), access_log=None, handle_signals=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, *self.settings.http)
        await site.start()
        self.http = self._runner.addresses[0][:2]
        log("info", f"[http] starting on {self.http[0]}:{self.http[1]}")
        log("info", f"[http] accessible via http://{self.http[0]}:{self.http[1]}/")

    async def _pop3(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Pop3Session(self.mailbox, self.settings.pop3_passwords, reader, writer).run()

    async def stop(self) -> None:
        """Close the ports, without waiting for requests that hang, and the store."""
        for server in self._line_servers:
            server.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.driver.close()


def driver_for(settings: Settings) -> Driver:
    """The driver that `--database` names: a file, or an address that speaks rqlite's interface."""
    if settings.database.startswith(("http://", "https://")):
        from mailrace.embedded.rqlite_driver import RqliteDriver

        return RqliteDriver(settings.database, names_errors=settings.version.since(1, 27))
    return SqliteDriver(Path(settings.database), busy_ms=BUSY_MS if settings.version.is_fixed else 0)
