"""What the watches of the three protocols share: whom they tell what they saw, and when they give up."""

import re
from collections.abc import Callable
from typing import Unpack

from mailrace.model.attempt import Outcome
from mailrace.record.recorded import About, NotSeen, Recorded

UNREAD_BYTES_MAX = 1024 * 1024
"""How many bytes of one direction may wait to be understood before a watch gives up."""
WAITING_MAX = 1000
"""How many commands may wait for their replies before a watch gives up; clients that pipeline send a few."""
TEXT_MAX = 300
"""How many characters of a reply's text are kept where contents are."""
_ENHANCED_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_TLS_HANDSHAKE = b"\x16\x03"
TLS_WORDS = "TLS: the connection is encrypted from its start"

Keep = Callable[[int, str, bytes], None]
"""Takes an operation's number, the ending of a file's name (`eml`, `json`) and the content itself."""


class LostTrack(Exception):
    """The bytes are not those of the protocol any more, in words; the connection goes on unwatched."""


class Teller:
    """Gives the operations of one connection their numbers and hands them on.

    tell     takes each operation and each note as it happens
    number   gives the next operation's number in the record
    keep     takes the contents of mails; None: neither contents nor texts of replies are kept, because a
             server may quote in its reply what it was sent
    """

    def __init__(
        self,
        connection: int,
        tell: Callable[[Recorded | NotSeen], None],
        number: Callable[[], int],
        keep: Keep | None = None,
    ) -> None:
        self.connection = connection
        self.keeps_content = keep is not None
        self._tell = tell
        self._number = number
        self._keep = keep

    def operation(
        self,
        kind: str,
        invoked_ns: int,
        completed_ns: int,
        outcome: Outcome,
        *,
        said: str = "",
        content: tuple[str, bytes] | None = None,
        **about: Unpack[About],
    ) -> None:
        """An operation is over.

        said      the text of the reply; only an enhanced status code in it is kept (RFC 3463)
        content   for a mail that was sent, the ending of its file's name and its bytes
        about     fields of `Recorded`; a `text` among them is in our own words
        """
        number = self._number()
        if "text" not in about:
            status = _ENHANCED_STATUS.match(said)
            about["text"] = said[:TEXT_MAX] if self.keeps_content else status[0] if status else ""
        # The content is on disk before the line that tells of it.
        if self._keep is not None and content is not None:
            self._keep(number, *content)
        self._tell(
            Recorded(
                number=number,
                connection=self.connection,
                kind=kind,
                invoked_ns=invoked_ns,
                completed_ns=completed_ns,
                outcome=outcome,
                **about,
            )
        )

    def not_seen(self, t_ns: int, why: str) -> None:
        """From now on the connection's bytes are not understood."""
        self._tell(NotSeen(connection=self.connection, t_ns=t_ns, why=why))


def outcome_of_code(code: int) -> Outcome:
    """What a reply promises: 2xx and 3xx accept, 4xx and 5xx refuse, no reply leaves it unknown."""
    if not code:
        return Outcome.UNKNOWN
    return Outcome.OK if code < 400 else Outcome.FAIL


def is_encrypted(data: bytes) -> bool:
    """Whether a connection that begins with these bytes is encrypted from its start (TLS, RFC 8446 5.1)."""
    return data[:2] == _TLS_HANDSHAKE
