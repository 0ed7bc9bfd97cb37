"""POP3 as Mailpit's server speaks it from 1.18.6 on (RFC 1939): lines in, replies out, QUIT deletes.

QUIT is answered before anything is deleted, whether that succeeds or not; only `fixed` deletes first.
"""

import asyncio
import re
from collections.abc import Mapping

from mailrace.embedded import listing
from mailrace.embedded.driver import StatementFailed, acting
from mailrace.embedded.log import log
from mailrace.embedded.mailbox import Mailbox

LISTED_MAX = 100
"""How many of the newest messages a session sees."""
LINE_BYTES_MAX = 512
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


class Pop3Session:
    """One connection of a client: who it is, what it sees since its login, and what it has marked."""

    def __init__(
        self,
        mailbox: Mailbox,
        passwords: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._mailbox = mailbox
        self._version = mailbox.version
        self._passwords = passwords
        self._reader, self._writer = reader, writer
        self._user = ""
        self._has_logged_in = False
        self._listed: list[tuple[str, int]] = []
        """ID and size of each message, as they were at the login."""
        self._marked: list[str] = []
        self._failed_logins = 0

    async def run(self) -> None:
        """Greet, answer line by line, and close; what the client sends last is QUIT, or nothing."""
        peer = self._writer.get_extra_info("peername")
        with acting(f"pop3 {peer[1] if peer else 0}"):
            try:
                await self._say("+OK Mailpit POP3 server")
                while (line := await self._reader.readline()) and await self._answer(line):
                    pass
            except (ConnectionError, ValueError) as error:  # ValueError: a line without an end
                log("error", f"[pop3] read error: {error}")
            finally:
                self._writer.close()

    async def _say(self, line: str) -> None:
        self._writer.write(line.encode("utf-8", "surrogateescape") + b"\r\n")
        await self._writer.drain()

    async def _answer(self, line: bytes) -> bool:
        """Answer one line; whether the session goes on. From 1.30 on one that is cut off counts, too."""
        if not line.endswith(b"\n") and not self._version.since(1, 30):
            return False
        if len(line) > LINE_BYTES_MAX and self._version.since(1, 30, 5):
            await self._say("-ERR line too long")
            return True
        command, *words = line.decode("utf-8", "replace").strip("\r \n").split(" ")
        command = command.upper()
        if command == "QUIT":
            return await self._quit()
        if command == "CAPA":
            lines = ("TOP", "USER", "UIDL", "IMPLEMENTATION Mailpit", ".")
            await self._say("\r\n".join(("+OK capability list follows", *lines)))
        elif command in ("USER", "PASS"):
            return await (self._take_user(words) if command == "USER" else self._take_password(words))
        elif command not in ("STAT", "LIST", "UIDL", "RETR", "TOP", "NOOP", "DELE", "RSET"):
            await self._say("-ERR unknown command")
        elif not self._has_logged_in:
            await self._say("-ERR user not authenticated")
        else:
            await self._transaction(command, words)
        return True

    async def _take_user(self, words: list[str]) -> bool:
        if self._has_logged_in:
            await self._say("-ERR user already specified")
            return True
        if len(words) != 1:
            await self._say("-ERR must supply a user")
            return False
        self._user = words[0]
        await self._say("+OK")
        return True

    async def _take_password(self, words: list[str]) -> bool:
        if self._has_logged_in:
            await self._say("-ERR user not specified")
            return True
        if not self._user or not words or (len(words) > 1 and not self._version.since(1, 33, 1)):
            await self._say(f"-ERR must supply a {'password' if self._user else 'user'}")
            return False
        if self._passwords.get(self._user) != " ".join(words):
            self._failed_logins += 1
            await self._say("-ERR invalid password")
            log("warning", f"[pop3] failed login: {self._user}")
            return self._failed_logins < 5 or not self._version.since(1, 33, 1)
        # The client is told before the list is read: whoever asks for it waits until it is there.
        await self._say("+OK signed in")
        async with self._mailbox.whole() as db:
            rows = await listing.list_messages(db, self._version, 0, LISTED_MAX)
        self._listed = [(str(row["ID"]), int(str(row["Size"]))) for row in rows]
        self._has_logged_in = True
        return True

    async def _quit(self) -> bool:
        """Delete the marked messages, after the client was told that it is done, and end."""
        if not self._version.is_fixed:
            await self._say("+OK goodbye")
        if self._has_logged_in and self._marked:
            try:
                await self._mailbox.to_its_end(self._mailbox.delete(self._marked))
            except StatementFailed as error:
                log("error", f"[pop3] error deleting: {error}")
        if self._version.is_fixed:
            await self._say("+OK goodbye")
        return False

    async def _transaction(self, command: str, words: list[str]) -> None:
        """What is asked of the messages that were there at the login."""
        if command in ("RETR", "TOP"):
            await (self._retrieve(words) if command == "RETR" else self._top(words))
        elif command in ("LIST", "UIDL"):
            await self._list(command, words)
        elif command == "STAT":
            count, size = self._there()
            await self._say(f"+OK {count} {size}")
        elif command == "DELE":
            await self._delete(words)
        else:
            if command == "RSET":
                self._marked = []
            await self._say("+OK")

    def _sees(self, message: str) -> bool:
        """Whether a message that is marked is still shown: before 1.33.1 it is."""
        return not self._version.since(1, 33, 1) or message not in self._marked

    def _there(self) -> tuple[int, int]:
        sizes = [size for message, size in self._listed if self._sees(message)]
        return len(sizes), sum(sizes)

    def _number(self, words: list[str]) -> int:
        """The message's place in the list; -1: there is none."""
        number = _whole(words[0]) if words else 0
        if not 1 <= number <= len(self._listed) or not self._sees(self._listed[number - 1][0]):
            return -1
        return number - 1

    async def _list(self, command: str, words: list[str]) -> None:
        """All messages, or one of them, each with its size or ID."""
        shown = [
            f"{place + 1} {size if command == 'LIST' else message}"
            for place, (message, size) in enumerate(self._listed)
        ]
        if command == "UIDL" and len(words) > 1:
            await self._say("-ERR UIDL takes at most one argument")
        elif words:
            place = self._number(words)
            await self._say(f"+OK {shown[place]}" if place >= 0 else "-ERR no such message")
        else:
            count, size = self._there()
            head = f"{count} messages ({size} octets)" if command == "LIST" else "unique-id listing follows"
            lines = [
                text for text, (message, _) in zip(shown, self._listed, strict=True) if self._sees(message)
            ]
            await self._say("\r\n".join((f"+OK {head}", *lines, ".")))

    async def _raw(self, place: int) -> bytes | None:
        if place < 0:
            return None
        return await listing.raw_message(self._mailbox.db, self._version, self._listed[place][0])

    async def _retrieve(self, words: list[str]) -> None:
        raw = await self._raw(self._number(words) if len(words) == 1 else -1)
        if raw is None:
            await self._say("-ERR no such message")
            return
        await self._say(f"+OK {len(raw)} octets")
        self._writer.write(raw.replace(b"\n.", b"\n..") + b"\r\n.\r\n")
        await self._writer.drain()

    async def _top(self, words: list[str]) -> None:
        """The header and the first lines of the body."""
        if not words:
            await self._say("-ERR TOP requires two arguments")
            return
        place = self._number(words)
        if place < 0:
            await self._say("-ERR no such message")
            return
        if len(words) < 2 or not _WHOLE.fullmatch(words[1]):
            await self._say("-ERR TOP requires two arguments")
            return
        raw = await self._raw(place)
        if raw is None:
            await self._say("-ERR no such message")
            return
        head, _, body = raw.partition(b"\r\n\r\n")
        # The last of the lines is all that is left, so whoever asks for one line has the whole body.
        lines = body if _whole(words[1]) > 0 else b""
        whole = head + b"\r\n\r\n" + lines + b"\r\n"
        if self._version.since(1, 33, 1):
            # Each part is stuffed by itself, so a dot that begins the body is not.
            head, lines = head.replace(b"\n.", b"\n.."), lines.replace(b"\n.", b"\n..")
            whole = head + b"\r\n\r\n\r\n" + lines + b"\r\n"
        await self._say("+OK top of message follows")
        self._writer.write(whole + b".\r\n")
        await self._writer.drain()

    async def _delete(self, words: list[str]) -> None:
        """Mark a message. A second time is refused from 1.33.1 on; before, QUIT then hangs (S5)."""
        number = _whole(words[0]) if words else 0
        if not 1 <= number <= len(self._listed):
            await self._say("-ERR no such message")
        elif not self._sees(self._listed[number - 1][0]):
            await self._say("-ERR message already deleted")
        else:
            self._marked.append(self._listed[number - 1][0])
            await self._say("+OK message marked for deletion")


def _whole(text: str) -> int:
    """The number; 0, which is no message's, where it is none."""
    return int(text) if _WHOLE.fullmatch(text) else 0
